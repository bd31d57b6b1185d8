#include "store/client.h"

#include <algorithm>
#include <condition_variable>

#include "queue/retire.h"
#include "shm/table.h"
#include "store/entry.h"

namespace mobula::store {

using shm::ClientSlot;
using shm::ClientState;

namespace {

constexpr uint32_t kTickMs = 250;
constexpr uint32_t kSpareRows = 8;
// A store without a put for this long is idle: memory of free blocks goes back to the system.
constexpr uint64_t kIdleMs = 3000;
constexpr uint64_t kChunksPerTurn = 16;
constexpr size_t kClientsNamed = 4;

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
  return start(std::move(segment), true, out);
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
           &segment.entries(), &segment.blocks(), &segment.edges()}) {
    Status status = shm::table_grow(segment, store_lock_, *rows, kSpareRows);
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

bool Client::is_live(uint32_t slot, uint32_t generation) const {
  const ClientSlot& client = segment_->client(slot);
  return client.state == ClientState::kLive && client.generation == generation;
}

void Client::notify(const WaitingClients& waiting) {
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    if (shm::test_bit(waiting.words, slot)) wake(slot);
  }
}

void Client::wake(uint32_t slot) {
  std::atomic<uint32_t>& word = segment_->client(slot).notify;
  word.fetch_add(1);
  port::futex_wake_all(&word);
}

uint64_t Client::watch(uint32_t bucket, std::function<void()> changed) {
  std::lock_guard lock(watches_mutex_);
  uint64_t number = next_watch_++;
  watches_.emplace(number, Watch{bucket, std::move(changed)});
  if (watched_buckets_[bucket]++ == 0) {
    (void)store_lock_.run([&] {
      objects_->watch(bucket);
      return Status::ok();
    });
  }
  return number;
}

void Client::unwatch(uint64_t number) {
  std::lock_guard lock(watches_mutex_);
  auto found = watches_.find(number);
  if (found == watches_.end()) return;
  uint32_t bucket = found->second.bucket;
  watches_.erase(found);
  if (--watched_buckets_[bucket] != 0) return;
  (void)store_lock_.run([&] {
    objects_->unwatch(bucket);
    return Status::ok();
  });
}

uint64_t Client::on_collect(std::function<void()> collect) {
  std::lock_guard lock(watches_mutex_);
  uint64_t number = next_watch_++;
  collectors_.emplace(number, std::move(collect));
  return number;
}

void Client::forget_collect(uint64_t number) {
  std::lock_guard lock(watches_mutex_);
  collectors_.erase(number);
}

size_t Client::ask_to_collect() {
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    ClientSlot& client = segment_->client(slot);
    if (port::load_word(client.state) != ClientState::kLive) continue;
    client.collect.fetch_add(1);
    wake(slot);
  }
  return collectors();
}

size_t Client::collectors() {
  size_t count = 0;
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    bool is_live = port::load_word(segment_->client(slot).state) == ClientState::kLive;
    count += is_live && slot != slot_;
  }
  std::lock_guard lock(watches_mutex_);
  return count + collectors_.size();
}

void Client::run_collectors() {
  uint32_t requests = segment_->client(slot_).collect.load();
  if (requests == collects_seen_) return;
  collects_seen_ = requests;
  std::lock_guard lock(watches_mutex_);
  for (auto& [number, collect] : collectors_) collect();
}

void Client::later(std::function<void(ObjectStore&)> work) {
  std::lock_guard lock(watches_mutex_);
  later_.push_back(std::move(work));
}

void Client::run_later() {
  std::vector<std::function<void(ObjectStore&)>> works;
  {
    std::lock_guard lock(watches_mutex_);
    works.swap(later_);
  }
  std::shared_ptr<Client> self = works.empty() ? nullptr : weak_from_this().lock();
  if (self == nullptr) return;
  ObjectStore store(std::move(self));
  for (auto& work : works) work(store);
}

void Client::add_tick(std::function<void()> tick) {
  std::lock_guard lock(watches_mutex_);
  ticks_.push_back(std::move(tick));
}

void Client::run_watches() {
  std::lock_guard lock(watches_mutex_);
  for (auto& [number, watch] : watches_) watch.changed();
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
}

void Client::run_keeper() {
  std::atomic<uint32_t>& word = segment_->client(slot_).notify;
  uint64_t next_tick = port::monotonic_ms() + kTickMs;
  collects_seen_ = segment_->client(slot_).collect.load();
  while (!stop_) {
    uint32_t seen = word.load();
    run_watches();
    run_collectors();
    uint64_t now = port::monotonic_ms();
    if (now >= next_tick) {
      reap();
      run_later();
      if (segment_->header().has_queue) queue::ring_overdue(*segment_, queue_lock_, bells_);
      std::lock_guard lock(watches_mutex_);
      for (auto& tick : ticks_) tick();
      next_tick = now + kTickMs;
    }
    if (!stop_ && !look_after_pages(now)) port::futex_wait(&word, seen, kTickMs);
  }
}

// A little at a time, as watches may be waiting. False when there is nothing to do now.
bool Client::look_after_pages(uint64_t now) {
  if (pages_->prefault()) return true;
  uint64_t puts = port::load_word(segment_->store().puts);
  if (puts != puts_seen_ || last_put_ms_ == 0) {
    puts_seen_ = puts;
    last_put_ms_ = now;
  }
  if (now - last_put_ms_ < kIdleMs || pages_->free_warm() == 0) return false;
  return pages_->hand_back(std::min(pages_->free_warm(), kChunksPerTurn)) > 0;
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

void Client::reap() {
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    bool taken = port::load_word(segment_->client(slot).state) != ClientState::kFree;
    if (taken && slot != slot_ && !reap_slot(slot)) return;
  }
}

// Whoever gets the dead owner's mutex is the only reaper; if it dies too, the next one finds the
// mutex in the same state and goes through the same steps again. The mutex is always handed back
// consistent: unlocking it otherwise would break it for good.
// False when the store's lock or tables do not allow it: they will not for the next slot either.
bool Client::reap_slot(uint32_t slot) {
  ClientSlot& client = segment_->client(slot);
  port::LockResult result = port::mutex_try_lock(&client.liveness);
  if (result == port::LockResult::kBusy || result == port::LockResult::kBroken) return true;
  uint32_t pid = port::load_word(client.pid);
  uint64_t start_time = port::load_word(client.start_time);
  bool gone = port::load_word(client.state) != ClientState::kFree &&
              port::process_is_gone(pid, start_time, segment_->header().mapping_name);
  bool done = !gone || give_back(slot);
  if (result == port::LockResult::kOwnerDied) port::mutex_make_consistent(&client.liveness);
  port::mutex_unlock(&client.liveness);
  return done;
}

bool Client::give_back(uint32_t slot) {
  if (segment_->header().has_queue) queue::retire_client(*segment_, queue_lock_, bells_, slot);
  if (!forget_in_store(slot)) return false;
  Status status = store_lock_.run([&] {
    store_lock_.add(segment_->store().reclaimed_clients, 1);
    store_lock_.set(segment_->client(slot).state, ClientState::kFree);
    return Status::ok();
  });
  return status.is_ok();
}

bool Client::expects_room() const {
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    const ClientSlot& client = segment_->client(slot);
    ClientState state = port::load_word(client.state);
    if (slot == slot_ || state == ClientState::kFree) continue;
    if (state == ClientState::kEnding) return true;
    if (port::process_is_ending(port::load_word(client.pid), port::load_word(client.start_time))) {
      return true;
    }
  }
  return false;
}

std::string Client::describe_pins() {
  std::vector<Pinned> pinned(shm::kMaxClients);
  if (!count_pins(&pinned)) return {};
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    pinned[slot].pid = port::load_word(segment_->client(slot).pid);
  }
  std::erase_if(pinned, [](const Pinned& one) { return one.objects == 0; });
  std::ranges::sort(pinned, std::greater(), &Pinned::bytes);
  std::string text;
  for (size_t i = 0; i < pinned.size() && i < kClientsNamed; ++i) {
    const Pinned& one = pinned[i];
    text += (text.empty() ? "; pinned by process " : ", by process ") + std::to_string(one.pid) +
            ": " + std::to_string(one.bytes) + " bytes in " + std::to_string(one.objects) +
            " objects";
  }
  return text;
}

// In batches, as a table may be long.
bool Client::count_pins(std::vector<Pinned>* out) {
  constexpr uint32_t kBatch = 4096;
  uint64_t left = port::load_word(segment_->store().pinned_objects);
  Status status;
  for (uint32_t start = 0, end = 1; status.is_ok() && left > 0 && start < end; start += kBatch) {
    status = store_lock_.run([&] {
      end = segment_->entries().used();
      for (uint32_t i = start; left > 0 && i < end && i < start + kBatch; ++i) {
        const shm::ObjectEntry& entry = segment_->entry(i);
        if (!is_pinned(entry)) continue;
        --left;
        for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
          if (!shm::test_bit(entry.pins, slot)) continue;
          (*out)[slot].bytes += weight(entry);
          ++(*out)[slot].objects;
        }
      }
      return Status::ok();
    });
  }
  return status.is_ok();
}

bool Client::forget_in_store(uint32_t slot) {
  constexpr uint32_t kBatch = 256;
  uint32_t used = 0;
  Status status = store_lock_.run([&] {
    store_lock_.set(segment_->client(slot).state, ClientState::kEnding);
    used = segment_->entries().used();
    return Status::ok();
  });
  for (uint32_t start = 0; status.is_ok() && start < used; start += kBatch) {
    WaitingClients waiting;
    status = store_lock_.run([&] {
      Objects objects(*segment_, store_lock_, slot_, holds_);
      objects.finish_freeing();
      for (uint32_t i = start; i < used && i < start + kBatch; ++i) {
        objects.forget_client(i, slot);
        store_lock_.commit();
        objects.finish_freeing();
        port::fail_point(port::FailPoint::kReaping);
      }
      waiting = objects.take_waiting();
      return Status::ok();
    });
    notify(waiting);
  }
  if (!status.is_ok()) return false;
  return store_lock_
      .run([&] {
        for (auto& bucket : segment_->store().waiters) store_lock_.clear_bit(bucket, slot);
        Pages(*segment_, store_lock_, slot).forget_client(slot);
        return Status::ok();
      })
      .is_ok();
}

}  // namespace mobula::store
