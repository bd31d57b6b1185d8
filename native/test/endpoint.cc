#include "test/endpoint.h"

#include <poll.h>
#include <string.h>

#include "port/port.h"

namespace mobula::test {

using queue::Op;
using queue::Wire;

Endpoint::Endpoint(ObjectStore& store, size_t inbox_bytes) : inbox_(inbox_bytes) {
  store::Client& client = *store.client();
  REQUIRE_OK(queue::Peer::open(client.segment(), client.queue_lock(), client.bells(), client.slot(),
                               client.generation(), &peer_));
}

void Endpoint::add(Op op, uint32_t target, uint32_t target_uid, uint64_t sequence,
                   const std::string& payload) {
  Wire wire{};
  wire.bytes = static_cast<uint32_t>(shm::round_up(sizeof wire + payload.size(), 8));
  wire.op = static_cast<uint32_t>(op);
  wire.target = target;
  wire.target_uid = target_uid;
  wire.length = static_cast<uint32_t>(payload.size());
  wire.flags = static_cast<uint32_t>(sequence) * 3;
  wire.sequence = sequence;
  size_t start = outbox_.size();
  outbox_.resize(start + wire.bytes);
  memcpy(outbox_.data() + start, &wire, sizeof wire);
  if (!payload.empty())
    memcpy(outbox_.data() + start + sizeof wire, payload.data(), payload.size());
}

void Endpoint::submit(uint64_t sequence, const std::string& payload, uint32_t queue) {
  add(Op::kSubmit, queue, 0, sequence, payload);
}

void Endpoint::call(const Actor& actor, uint64_t sequence, const std::string& payload) {
  add(Op::kCall, actor.index, actor.generation, sequence, payload);
}

void Endpoint::complete(uint32_t handle, const std::string& payload) {
  add(Op::kComplete, handle, 0, 0, payload);
}

void Endpoint::message(uint32_t peer, uint32_t uid, uint64_t sequence, const std::string& payload) {
  add(Op::kMessage, peer, uid, sequence, payload);
}

Status Endpoint::exchange_once(uint32_t max_tasks, uint32_t queue, std::vector<Received>* received,
                               bool* more) {
  size_t sent = 0;
  queue::Exchanged exchanged;
  Status status = peer_->exchange(outbox_.data(), outbox_.size(), inbox_.data(), inbox_.size(),
                                  queue, max_tasks, &sent, &exchanged);
  outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<ptrdiff_t>(sent));
  for (size_t at = 0; at < exchanged.received;) {
    Wire wire;
    memcpy(&wire, inbox_.data() + at, sizeof wire);
    const char* payload = reinterpret_cast<const char*>(inbox_.data() + at + sizeof wire);
    received->push_back({static_cast<shm::RecordKind>(wire.op), wire.target, wire.target_uid,
                         wire.flags, wire.sequence, wire.sender, wire.sender_uid,
                         std::string(payload, wire.length)});
    at += wire.bytes;
  }
  *more = exchanged.more;
  return status;
}

std::vector<Received> Endpoint::exchange(uint32_t max_tasks, uint32_t queue) {
  std::vector<Received> received;
  bool more = true;
  while (more) {
    REQUIRE_OK(exchange_once(max_tasks, queue, &received, &more));
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

Actor Endpoint::create_actor() {
  Actor actor;
  REQUIRE_OK(peer_->create_actor(&actor.index, &actor.generation));
  return actor;
}

Status Endpoint::host(const Actor& actor, const Endpoint& host) {
  return peer_->host_actor(actor.index, actor.generation, host.slot(), host.uid());
}

bool Endpoint::rung() {
  pollfd bell{peer_->bell(), POLLIN, 0};
  bool readable = poll(&bell, 1, 0) == 1;
  if (readable) port::bell_drain(peer_->bell());
  return readable;
}

StoreOptions queue_options() {
  StoreOptions options = store_options();
  options.queue = true;
  return options;
}

}  // namespace mobula::test
