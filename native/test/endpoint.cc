#include "test/endpoint.h"

#include <poll.h>
#include <string.h>

#include "port/port.h"

namespace mobula::test {

using queue::Op;
using queue::Wire;

std::vector<uint64_t> sequences(const std::vector<Received>& records) {
  std::vector<uint64_t> all;
  for (const Received& record : records) all.push_back(record.sequence);
  return all;
}

Endpoint::Endpoint(ObjectStore& store, size_t inbox_bytes) : inbox_(inbox_bytes) {
  store::Client& client = *store.client();
  REQUIRE_OK(queue::Peer::open(client.segment(), client.queue_lock(), client.bells(), client.slot(),
                               client.generation(), &peer_));
  std::vector<queue::ResourceInfo> resources;
  REQUIRE_OK(peer_->resources(&resources));
  if (resources[0].total != 0) return;
  Status set = peer_->set_resources({{"cpu", kCpus}, {"gpu", kGpus}});
  // The endpoint of another thread may have been first.
  if (set.code() != Code::kExists) REQUIRE_OK(set);
}

void Endpoint::add(Op op, uint32_t target, uint32_t target_uid, uint64_t sequence, uint32_t flags,
                   const std::string& payload) {
  Wire wire{};
  wire.bytes = static_cast<uint32_t>(shm::round_up(sizeof wire + payload.size(), 8));
  wire.op = static_cast<uint32_t>(op);
  wire.target = target;
  wire.target_uid = target_uid;
  wire.length = static_cast<uint32_t>(payload.size());
  wire.flags = flags;
  wire.sequence = sequence;
  size_t start = outbox_.size();
  outbox_.resize(start + wire.bytes);
  memcpy(outbox_.data() + start, &wire, sizeof wire);
  if (!payload.empty())
    memcpy(outbox_.data() + start + sizeof wire, payload.data(), payload.size());
}

void Endpoint::submit(uint64_t sequence, const std::string& payload, uint32_t kind) {
  submit_to(shape(kind, {{"cpu", 1}}), sequence, payload);
}

void Endpoint::submit_to(uint32_t shape, uint64_t sequence, const std::string& payload,
                         int32_t priority, Op op) {
  add(op, shape, static_cast<uint32_t>(priority), sequence, static_cast<uint32_t>(sequence) * 3,
      payload);
}

void Endpoint::submit_wanted(uint64_t sequence, const std::string& payload) {
  add(Op::kSubmit, shape(0, {{"cpu", 1}}), 0, sequence, 1, payload);
}

void Endpoint::call(const Actor& actor, uint64_t sequence, const std::string& payload,
                    int32_t retries) {
  add(Op::kCall, actor.index, actor.generation, sequence, static_cast<uint32_t>(retries), payload);
}

void Endpoint::return_call(uint32_t handle, bool begun) {
  add(Op::kReturn, handle, 0, 0, begun, "");
}

void Endpoint::complete(uint32_t handle, const std::string& payload, uint32_t flags) {
  add(Op::kComplete, handle, 0, 0, flags, payload);
}

void Endpoint::item(uint32_t handle, uint32_t number, const std::string& payload) {
  add(Op::kItem, handle, number, 0, 5, payload);
}

void Endpoint::lend(uint32_t handle) { add(Op::kLend, handle, 0, 0, 0, ""); }
void Endpoint::resume(uint32_t handle) { add(Op::kResume, handle, 0, 0, 0, ""); }

void Endpoint::tally(int32_t finished, int32_t failed) {
  add(Op::kTally, static_cast<uint32_t>(finished), static_cast<uint32_t>(failed), 0, 0, "");
}

void Endpoint::message(uint32_t peer, uint32_t uid, uint64_t sequence, const std::string& payload) {
  add(Op::kMessage, peer, uid, sequence, 0, payload);
}

uint32_t Endpoint::shape(uint32_t kind, const std::vector<queue::Amount>& amounts) {
  uint32_t index = 0;
  REQUIRE_OK(peer_->shape(kind, amounts, &index));
  return index;
}

uint32_t Endpoint::shape(double cpus, double gpus) {
  return shape(0, {{"cpu", cpus}, {"gpu", gpus}});
}

double Endpoint::available(const std::string& resource) {
  std::vector<queue::ResourceInfo> resources;
  REQUIRE_OK(peer_->resources(&resources));
  for (const queue::ResourceInfo& info : resources) {
    if (info.name == resource) return info.available;
  }
  return -1e9;
}

queue::Counts Endpoint::counts() {
  queue::Counts counts;
  REQUIRE_OK(peer_->counts(&counts));
  return counts;
}

Status Endpoint::exchange_once(uint32_t max_tasks, uint32_t kind, std::vector<Received>* received,
                               bool* more) {
  size_t sent = 0;
  queue::Exchanged exchanged;
  Status status = peer_->exchange(outbox_.data(), outbox_.size(), inbox_.data(), inbox_.size(),
                                  kind, max_tasks, &sent, &exchanged);
  outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<ptrdiff_t>(sent));
  for (size_t at = 0; at < exchanged.received;) {
    Wire wire;
    memcpy(&wire, inbox_.data() + at, sizeof wire);
    const char* payload = reinterpret_cast<const char*>(inbox_.data() + at + sizeof wire);
    received->push_back({static_cast<shm::RecordKind>(wire.op), wire.target, wire.target_uid,
                         wire.flags, wire.sequence, wire.sender, wire.sender_uid, wire.devices,
                         std::string(payload, wire.length)});
    at += wire.bytes;
  }
  *more = exchanged.more;
  return status;
}

std::vector<Received> Endpoint::exchange(uint32_t max_tasks, uint32_t kind) {
  std::vector<Received> received;
  bool more = true;
  while (more) {
    REQUIRE_OK(exchange_once(max_tasks, kind, &received, &more));
    REQUIRE(!more || !received.empty());
  }
  return received;
}

std::vector<Received> Endpoint::await(uint32_t max_tasks) {
  std::vector<Received> received;
  eventually([&] {
    received = await_for(100, max_tasks);
    return !received.empty();
  });
  return received;
}

std::vector<Received> Endpoint::await_for(int ms, uint32_t max_tasks) {
  std::vector<Received> received = exchange(max_tasks);
  if (!received.empty()) return received;
  pollfd bell{peer_->bell(), POLLIN, 0};
  poll(&bell, 1, ms);
  port::bell_drain(peer_->bell());
  return exchange(max_tasks);
}

Actor Endpoint::create_actor(int32_t restarts) {
  Actor actor;
  REQUIRE_OK(peer_->create_actor(restarts, false, &actor.index, &actor.generation));
  return actor;
}

Status Endpoint::host(const Actor& actor, const Endpoint& host, uint32_t attempt) {
  return peer_->host_actor(actor.index, actor.generation, host.slot(), host.uid(), attempt);
}

Status Endpoint::make(const Actor& actor, uint32_t attempt) {
  return peer_->set_made(actor.index, actor.generation, attempt);
}

bool Endpoint::hold(uint32_t handle, uint64_t bytes) {
  return peer_->hold_arguments(handle, bytes, kMostArguments);
}

bool Endpoint::rung() {
  pollfd bell{peer_->bell(), POLLIN, 0};
  bool readable = poll(&bell, 1, 0) == 1;
  if (readable) port::bell_drain(peer_->bell());
  return readable;
}

std::unique_ptr<ObjectStore> store_with(const std::vector<queue::Amount>& resources) {
  auto store = new_store(queue_options());
  std::unique_ptr<queue::Peer> peer;
  store::Client& client = *store->client();
  REQUIRE_OK(queue::Peer::open(client.segment(), client.queue_lock(), client.bells(), client.slot(),
                               client.generation(), &peer));
  REQUIRE_OK(peer->set_resources(resources));
  return store;
}

StoreOptions queue_options() {
  StoreOptions options = store_options();
  options.queue = true;
  return options;
}

}  // namespace mobula::test
