#include "mobula/object_store.h"

#include <algorithm>
#include <cstring>

#include "store/check.h"
#include "store/entry.h"
#include "store/transactions.h"

namespace mobula {

using shm::kNone;
using shm::ObjectEntry;
using shm::ObjectState;
using store::Client;
using store::is_readable;
using store::Objects;
using store::WaitingClients;

namespace {

constexpr uint32_t kRowsPerStep = 1024;

Availability availability_of(const ObjectEntry& entry) {
  if (store::is_freed(entry)) return Availability::kFreed;
  switch (entry.state) {
    case ObjectState::kSealed:
    case ObjectState::kSpilled:
    case ObjectState::kRestoring:
      return Availability::kReady;
    case ObjectState::kLost:
      return Availability::kLost;
    default:
      return Availability::kPending;
  }
}

bool is_visible(const ObjectEntry& entry) {
  return !store::is_given_up(entry) &&
         (entry.state == ObjectState::kCreated || entry.state == ObjectState::kSealed ||
          store::is_spilled(entry));
}

Reading reading_of(const shm::Segment& segment, uint32_t index) {
  const ObjectEntry& entry = segment.entry(index);
  const uint8_t* data = segment.readable_data(store::block_of(segment, index).start);
  return {{index, entry.generation}, data, entry.size, data + entry.size, entry.metadata_size};
}

}  // namespace

Status ObjectStore::create(const StoreOptions& options, std::unique_ptr<ObjectStore>* out) {
  std::shared_ptr<Client> client;
  Status status = Client::create(options, &client);
  if (status.is_ok()) *out = std::make_unique<ObjectStore>(std::move(client));
  return status;
}

Status ObjectStore::attach(const std::string& name, std::unique_ptr<ObjectStore>* out) {
  std::shared_ptr<Client> client;
  Status status = Client::attach(name, &client);
  if (status.is_ok()) *out = std::make_unique<ObjectStore>(std::move(client));
  return status;
}

Status ObjectStore::attach(const StoreHandle& handle, std::unique_ptr<ObjectStore>* out) {
  std::shared_ptr<Client> client;
  Status status = Client::attach(handle, &client);
  if (status.is_ok()) *out = std::make_unique<ObjectStore>(std::move(client));
  return status;
}

Status ObjectStore::unlink(const std::string& name) { return shm::Segment::unlink(name); }

ObjectStore::ObjectStore(std::shared_ptr<Client> client) : client_(std::move(client)) {}
ObjectStore::~ObjectStore() = default;

StoreHandle ObjectStore::handle() const {
  return {port::process_id(), client_->segment().fd(), client_->segment().header().store_id};
}

Status ObjectStore::offer(StoreHandle* out) const {
  *out = handle();
  int error = port::file_duplicate(out->fd, &out->fd);
  if (error == 0) return Status::ok();
  return {Code::kSystem, std::string("no descriptor for a handle: ") + std::strerror(error)};
}

void ObjectStore::withdraw(const StoreHandle& offered) { port::file_close(offered.fd); }

void ObjectStore::end_spilling() { client_->end_spilling(); }

Status ObjectStore::get(const ObjectId& id, Reading* out) {
  return read(id, [&](Objects& objects, uint32_t index, bool is_pinned) {
    take(objects, index, is_pinned, out);
  });
}

Status ObjectStore::get_in_memory(const ObjectId& id, Reading* out, bool* on_disk) {
  return look(id, {kNone, 0}, on_disk, [&](Objects& objects, uint32_t index, bool is_pinned) {
    take(objects, index, is_pinned, out);
  });
}

void ObjectStore::take(Objects& objects, uint32_t index, bool is_pinned, Reading* out) {
  shm::Lock& lock = client_->store_lock();
  const shm::Segment& segment = client_->segment();
  lock.add(index == kNone ? segment.store().misses : segment.store().hits, 1);
  if (index == kNone) return;
  *out = reading_of(segment, index);
  if (!is_pinned) objects.pin(index);
}

Status ObjectStore::restore(const ObjectId& id) {
  EntryRef pinned;
  Status status = pin(id, &pinned);
  return status.is_ok() ? unpin(pinned) : status;
}

Status ObjectStore::pin(const ObjectId& id, EntryRef* out) {
  return read(id, [&](Objects& objects, uint32_t index, bool is_pinned) {
    if (index == kNone) return;
    *out = {index, client_->segment().entry(index).generation};
    if (!is_pinned) objects.pin(index);
  });
}

// `found` is called under the lock with the entry of a readable object, which is `pinned` already
// if it was read back, or kNone; not for one that is on disk.
template <class Found>
Status ObjectStore::look(const ObjectId& id, const EntryRef& pinned, bool* on_disk,
                         const Found& found) {
  const shm::Segment& segment = client_->segment();
  bool is_pinned = pinned.entry != kNone;
  return locked([&](Objects& objects) {
    uint32_t index = is_pinned ? pinned.entry : objects.find(id);
    *on_disk = index != kNone && store::is_spilled(segment.entry(index)) &&
               !store::is_given_up(segment.entry(index));
    if (*on_disk) return Status::ok();
    bool readable = is_pinned || (index != kNone && is_readable(segment.entry(index)));
    found(objects, readable ? index : kNone, is_pinned);
    return readable ? Status::ok() : not_found(id);
  });
}

template <class Found>
Status ObjectStore::read(const ObjectId& id, const Found& found) {
  EntryRef pinned{kNone, 0};
  for (;;) {
    bool on_disk = false;
    Status status = look(id, pinned, &on_disk, found);
    if (!on_disk) return status;
    if (Status back = bring_back(id, &pinned); !back.is_ok()) return back;
  }
}

Status ObjectStore::unpin(const EntryRef& ref, uint32_t count) {
  Status status = change([&](Objects& objects) {
    for (uint32_t i = 0; i < count; ++i) objects.unpin(ref.entry);
    return Status::ok();
  });
  return unless_stalled(std::move(status),
                        [ref, count](ObjectStore& store) { (void)store.unpin(ref, count); });
}

Status ObjectStore::reading(const EntryRef& ref, Reading* out) const {
  return locked([&](Objects&) {
    *out = reading_of(client_->segment(), ref.entry);
    return Status::ok();
  });
}

Status ObjectStore::peek(const ObjectId& id, ObjectInfo* out) {
  return locked([&](Objects& objects) {
    uint32_t index = objects.find(id);
    if (index == kNone || !is_visible(client_->segment().entry(index))) return not_found(id);
    *out = objects.info(index);
    return Status::ok();
  });
}

Status ObjectStore::bytes_of(const std::vector<ObjectId>& ids, uint64_t* bytes) {
  constexpr size_t kIdsPerLock = 64;
  std::vector<std::pair<uint32_t, uint64_t>> found;  // entries and their sizes
  for (size_t next = 0; next < ids.size();) {
    size_t end = std::min(next + kIdsPerLock, ids.size());
    Status status = locked([&](Objects& objects) {
      for (; next < end; ++next) {
        uint32_t index = objects.find(ids[next]);
        if (index != kNone) found.emplace_back(index, client_->segment().entry(index).size);
      }
      return Status::ok();
    });
    if (!status.is_ok()) return status;
  }
  std::sort(found.begin(), found.end());
  *bytes = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    if (i == 0 || found[i].first != found[i - 1].first) *bytes += found[i].second;
  }
  return Status::ok();
}

Status ObjectStore::list(std::vector<ObjectInfo>* out) {
  return locked([&](Objects& objects) {
    const shm::Segment& segment = client_->segment();
    for (uint32_t i = 0; i < segment.entries().used(); ++i) {
      const ObjectEntry& entry = segment.entry(i);
      if (is_visible(entry)) out->push_back(objects.info(i));
    }
    return Status::ok();
  });
}

Status ObjectStore::remove(const ObjectId& id) {
  return change([&](Objects& objects) {
    uint32_t index = objects.find(id);
    if (index == kNone) return not_found(id);
    objects.remove(index);
    return Status::ok();
  });
}

EvictionPolicy ObjectStore::eviction() const { return client_->segment().header().eviction; }

Status ObjectStore::evict(uint64_t bytes, uint64_t* freed, std::vector<ObjectInfo>* evicted) {
  *freed = 0;
  return change([&](Objects& objects) {
    const uint64_t& evicted_bytes = client_->segment().store().evicted_bytes;
    uint64_t before = evicted_bytes;
    while (*freed < bytes && objects.evict_one(true, evicted)) *freed = evicted_bytes - before;
    return Status::ok();
  });
}

Status ObjectStore::evict(const ObjectId& id, std::vector<ObjectInfo>* evicted) {
  return change([&](Objects& objects) {
    uint32_t index = objects.find(id);
    return index != kNone && objects.evict(index, evicted) ? Status::ok() : not_found(id);
  });
}

Status ObjectStore::promise(const ObjectId& id, EntryRef* out) {
  for (;;) {
    bool needs_rows = false;
    Status status = locked([&](Objects& objects) {
      uint32_t known = objects.find(id);
      if (known != kNone && !store::is_promisable(client_->segment().entry(known))) {
        return Status{Code::kExists, "the object " + id.hex() + " exists already"};
      }
      objects.finish_freeing();
      if (known != kNone) {
        objects.promise_again(known);
        *out = {known, client_->segment().entry(known).generation};
        return Status::ok();
      }
      Status room = objects.make_row(nullptr);
      needs_rows = room.is_ok() && !objects.has_rows(true);
      if (!room.is_ok() || needs_rows) return room;
      uint32_t index = objects.promise(id, port::wall_clock_ms());
      *out = {index, client_->segment().entry(index).generation};
      return Status::ok();
    });
    if (!status.is_ok() || !needs_rows) return status;
    if (Status grown = client_->grow(); !grown.is_ok()) return grown;
  }
}

Status ObjectStore::add_ref(const ObjectId& id, EntryRef* out) {
  return locked([&](Objects& objects) {
    uint32_t index = objects.find(id);
    if (index == kNone) return not_found(id);
    objects.add_ref(index);
    *out = {index, client_->segment().entry(index).generation};
    return Status::ok();
  });
}

Status ObjectStore::drop_ref(const EntryRef& ref) {
  Status status = change([&](Objects& objects) {
    objects.drop_ref(ref.entry);
    return Status::ok();
  });
  return unless_stalled(std::move(status),
                        [ref](ObjectStore& store) { (void)store.drop_ref(ref); });
}

Status ObjectStore::free(const ObjectId& id) {
  return change([&](Objects& objects) {
    uint32_t index = objects.find(id);
    if (index == kNone) return not_found(id);
    objects.free(index);
    return Status::ok();
  });
}

Status ObjectStore::list_referred(uint32_t* next, std::vector<ReferredInfo>* out) {
  return locked([&](Objects& objects) {
    const shm::Segment& segment = client_->segment();
    uint32_t used = segment.entries().used();
    uint32_t end = std::min(used, *next + kRowsPerStep);
    for (uint32_t i = *next; i < end; ++i) {
      const ObjectEntry& entry = segment.entry(i);
      bool in_use = entry.state != ObjectState::kFree && entry.state != ObjectState::kFreeing;
      if (in_use && store::any_bit(entry.refs)) out->push_back(objects.referred_info(i));
    }
    *next = end == used ? 0 : end;
    return Status::ok();
  });
}

Status ObjectStore::room_for(uint64_t size, Room* out) {
  return locked([&](Objects& objects) {
    *out = objects.room_for(size);
    return Status::ok();
  });
}

Status ObjectStore::availability(const ObjectId& id, Availability* out) {
  return locked([&](Objects& objects) {
    uint32_t index = objects.find(id);
    *out =
        index == kNone ? Availability::kAbsent : availability_of(client_->segment().entry(index));
    return Status::ok();
  });
}

uint64_t ObjectStore::watch(const ObjectId& id, std::function<void()> changed) {
  return client_->watch(store::wait_bucket(id), std::move(changed));
}

uint64_t ObjectStore::watch_room(std::function<void()> changed) {
  return client_->watch(shm::kRoomBucket, std::move(changed));
}

uint64_t ObjectStore::enter_room_queue() { return client_->room_queue().enter(); }

void ObjectStore::leave_room_queue(uint64_t place) {
  client_->room_queue().leave(place);
  WaitingClients waiting;
  const uint64_t* words = client_->segment().store().waiters[shm::kRoomBucket];
  for (uint32_t i = 0; i < shm::kHolderWords; ++i) waiting.words[i] = port::load_word(words[i]);
  client_->notify(waiting);
}

bool ObjectStore::is_first_for_room(uint64_t place) const {
  return client_->room_queue().is_first(place);
}

uint64_t ObjectStore::on_collect(std::function<void()> collect) {
  return client_->on_collect(std::move(collect));
}

void ObjectStore::forget_collect(uint64_t number) { client_->forget_collect(number); }

size_t ObjectStore::ask_to_collect() { return client_->ask_to_collect(); }

size_t ObjectStore::collectors() { return client_->collectors(); }

void ObjectStore::unwatch(uint64_t watch) { client_->unwatch(watch); }

Status ObjectStore::stats(StoreStats* out) {
  return locked([&](Objects& objects) {
    const shm::Segment& segment = client_->segment();
    uint64_t clients = 0;
    for (uint32_t i = 0; i < shm::kMaxClients; ++i) {
      clients += segment.client(i).state != shm::ClientState::kFree;
    }
    const shm::StoreState& state = segment.store();
    uint64_t memory = segment.header().memory_limit;
    uint64_t largest = objects.largest_fit();
    *out = {memory,
            state.charged_bytes,
            largest,
            state.sealed,
            state.unsealed,
            state.pinned_objects,
            state.pinned_bytes,
            state.puts,
            state.hits,
            state.misses,
            state.evictions,
            state.evicted_bytes,
            clients,
            state.reclaimed_clients,
            state.lock.recoveries,
            state.spilled,
            state.copies,
            state.copied_bytes,
            state.restored,
            state.restored_bytes};
    return Status::ok();
  });
}

std::vector<std::string> ObjectStore::check() {
  std::vector<std::string> problems;
  Status status = locked([&](Objects&) {
    problems = store::check_store(client_->segment());
    return Status::ok();
  });
  if (!status.is_ok()) problems.push_back(status.message());
  return problems;
}

void ObjectStore::reap() { client_->reap(); }

}  // namespace mobula
