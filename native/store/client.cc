#include "store/client.h"

#include <condition_variable>

#include "queue/retire.h"
#include "shm/table.h"

namespace mobula::store {

using shm::ClientSlot;
using shm::ClientState;

namespace {

constexpr uint32_t kSpareRows = 8;

// Attachments of this process by store id, so that a process is one client. Never destroyed: views
// may end after static destructors have run.
struct Registry {
  std::mutex mutex;
  std::unordered_map<ObjectId, std::weak_ptr<Client>> clients;
};

Registry& registry() {
  static Registry* const instance = new Registry;
  return *instance;
}

std::shared_ptr<Client> registered(const ObjectId& store_id) {
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  auto found = all.clients.find(store_id);
  return found == all.clients.end() ? nullptr : found->second.lock();
}

}  // namespace

// Lives on the stack of start() until the keeper has answered.
struct Client::Start {
  std::mutex mutex;
  std::condition_variable answered;
  bool done = false;
  Status status;
};

Status Client::create(const StoreOptions& options, std::shared_ptr<Client>* out) {
  std::unique_ptr<shm::Segment> segment;
  if (Status s = shm::Segment::create(options, &segment); !s.is_ok()) return s;
  std::unique_ptr<SpillDirectory> directory;
  // Without one, spilling fails, and says so.
  if (!options.spill_directory.empty()) (void)SpillDirectory::create(*segment, &directory);
  Status status = start(std::move(segment), true, out);
  if (status.is_ok()) (*out)->spill_directory_ = std::move(directory);
  return status;
}

Status Client::attach(const std::string& name, std::shared_ptr<Client>* out) {
  std::unique_ptr<shm::Segment> segment;
  if (Status s = shm::Segment::open_named(name, &segment); !s.is_ok()) return s;
  *out = registered(segment->header().store_id);
  return *out ? Status::ok() : start(std::move(segment), false, out);
}

Status Client::attach(const StoreHandle& handle, std::shared_ptr<Client>* out) {
  *out = registered(handle.store_id);
  if (*out) return Status::ok();
  std::unique_ptr<shm::Segment> segment;
  Status s = shm::Segment::open_remote(handle.pid, handle.fd, handle.store_id, &segment);
  return s.is_ok() ? start(std::move(segment), false, out) : s;
}

Client::Client(std::unique_ptr<shm::Segment> segment)
    : segment_(std::move(segment)),
      guard_(*segment_),
      store_lock_(&segment_->store().lock, *segment_),
      queue_lock_(&segment_->queue().lock, *segment_) {}

Client::~Client() {
  uint64_t rows = segment_->entries().capacity();
  if (holds_ != nullptr) port::unmap(holds_, rows * sizeof(LocalHolds));
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  auto known = all.clients.find(segment_->header().store_id);
  if (known != all.clients.end() && known->second.expired()) all.clients.erase(known);
}

Status Client::start(std::unique_ptr<shm::Segment> segment, bool format,
                     std::shared_ptr<Client>* out) {
  ObjectId store_id = segment->header().store_id;
  std::shared_ptr<Client> client(new Client(std::move(segment)), &Client::let_go);
  uint64_t rows = client->segment_->entries().capacity();
  client->holds_ = static_cast<LocalHolds*>(port::map_private(rows * sizeof(LocalHolds)));
  if (client->holds_ == nullptr) return {Code::kSystem, "no address space for the store's tables"};
  if (format) {
    if (Status s = client->format(); !s.is_ok()) return s;
  }

  Start answer;
  client->start_ = &answer;
  if (int error = port::thread_start("mobula-keeper", &Client::keep, client.get())) {
    return {Code::kSystem, "cannot start a thread: errno " + std::to_string(error)};
  }
  std::unique_lock lock(answer.mutex);
  answer.answered.wait(lock, [&] { return answer.done; });
  if (!answer.status.is_ok()) return answer.status;

  Registry& all = registry();
  std::lock_guard registry_lock(all.mutex);
  std::weak_ptr<Client>& known = all.clients[store_id];
  if (auto other = known.lock()) {
    *out = std::move(other);
    return Status::ok();
  }
  known = client;
  *out = std::move(client);
  return Status::ok();
}

// The last owner's deleter: the keeper, which must unlock the liveness mutex itself, destroys.
void Client::let_go(Client* client) {
  if (!client->keeping_) {
    delete client;
    return;
  }
  std::atomic<uint32_t>& notify = client->segment_->client(client->slot_).notify;
  client->stop_ = true;
  notify.fetch_add(1);
  port::futex_wake_all(&notify);
  client->let_go_ = 1;
}

Status Client::format() {
  if (Status s = grow(); !s.is_ok()) return s;
  Status status = store_lock_.run([&] {
    shm::Allocator(*segment_, store_lock_).format();
    return Status::ok();
  });
  if (status.is_ok()) segment_->set_ready();
  return status;
}

Status Client::grow() {
  const shm::Segment& segment = *segment_;
  for (const shm::RowTable* rows : std::initializer_list<const shm::RowTable*>{
           &segment.entries(), &segment.blocks(), &segment.edges(), &segment.files()}) {
    Status status = shm::table_grow(segment, store_lock_, *rows, kSpareRows);
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

bool Client::is_live(uint32_t slot, uint32_t generation) const {
  const ClientSlot& client = segment_->client(slot);
  return client.state == ClientState::kLive && client.generation == generation;
}

void Client::keep(void* raw) {
  auto* client = static_cast<Client*>(raw);
  Start* start = client->start_;
  Status status = client->claim_slot();
  bool claimed = status.is_ok();
  client->keeping_ = claimed;
  {
    std::lock_guard lock(start->mutex);
    start->status = std::move(status);
    start->done = true;
    start->answered.notify_one();
  }
  if (!claimed) return;
  client->run_keeper();
  client->release_slot();
  while (client->let_go_ == 0) port::futex_wait(&client->let_go_, 0, 1);
  delete client;
}

Status Client::claim_slot() {
  reap();
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    ClientSlot& candidate = segment_->client(slot);
    if (port::load_word(candidate.state) != ClientState::kFree) continue;
    port::LockResult result = port::mutex_try_lock(&candidate.liveness);
    if (result == port::LockResult::kBusy || result == port::LockResult::kBroken) continue;
    if (result == port::LockResult::kOwnerDied) port::mutex_make_consistent(&candidate.liveness);
    port::fail_point(port::FailPoint::kClaiming);
    Status status = store_lock_.run([&] {
      if (candidate.state == ClientState::kFree) claim(slot);
      return Status::ok();
    });
    liveness_ = port::mutex_image(candidate.liveness);
    if (slot_ == slot || !status.is_ok()) return status;
    port::mutex_unlock(&candidate.liveness);
  }
  return {Code::kFull, "the store has its " + std::to_string(shm::kMaxClients) +
                           " processes already: end one first"};
}

void Client::claim(uint32_t slot) {
  ClientSlot& own = segment_->client(slot);
  slot_ = slot;
  generation_ = own.generation + 1;
  store_lock_.set(own.generation, generation_);
  store_lock_.set(own.pid, port::process_id());
  store_lock_.set(own.start_time, port::process_start_time(port::process_id()));
  store_lock_.set(own.state, ClientState::kLive);
  objects_ = std::make_unique<Objects>(*segment_, store_lock_, slot_, holds_);
  pages_ = std::make_unique<Pages>(*segment_, store_lock_, slot_);
  room_queue_ = std::make_unique<RoomQueue>(*segment_, slot_);
  own.room_place.store(0);
  collects_seen_ = own.collect.load();
}

void Client::release_slot() {
  ClientSlot& own = segment_->client(slot_);
  if (segment_->header().has_queue) queue::retire_client(*segment_, queue_lock_, bells_, slot_);
  if (forget_in_store(slot_)) {
    (void)store_lock_.run([&] {
      store_lock_.set(own.state, ClientState::kFree);
      return Status::ok();
    });
  }
  port::mutex_unlock_as(&own.liveness, liveness_);
}

}  // namespace mobula::store
