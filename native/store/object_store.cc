#include "mobula/object_store.h"

#include <algorithm>
#include <cstring>

#include "shm/table.h"
#include "store/check.h"
#include "store/client.h"
#include "store/entry.h"

namespace mobula {

using shm::kNone;
using shm::ObjectEntry;
using shm::ObjectState;
using store::Client;
using store::Objects;
using store::WaitingClients;

namespace {

// From here on writing into cold memory is cheaper through the file than through the mapping.
constexpr uint64_t kWriteColdFrom = 1 << 20;
constexpr size_t kEdgesPerCommit = 32;
constexpr uint32_t kRowsPerStep = 1024;
// How long a creation waits for room that is on its way, from processes that are ending.
constexpr uint64_t kPatienceMs = 1000;

Status not_found(const ObjectId& id) { return {Code::kNotFound, "there is no object " + id.hex()}; }

Status not_writing() {
  return {Code::kNotFound, "the object is no longer being written: it was sealed or aborted"};
}

bool is_current(const ObjectEntry& entry, const EntryRef& ref) {
  return entry.generation == ref.generation && entry.state != ObjectState::kFree;
}

Status freed(const ObjectId& id) {
  return {Code::kFreed, "the object " + id.hex() + " was given up by free()"};
}

Availability availability_of(const ObjectEntry& entry) {
  if (store::is_freed(entry)) return Availability::kFreed;
  switch (entry.state) {
    case ObjectState::kSealed:
      return Availability::kReady;
    case ObjectState::kLost:
      return Availability::kLost;
    default:
      return Availability::kPending;
  }
}

bool is_visible(const ObjectEntry& entry) {
  return !store::is_given_up(entry) &&
         (entry.state == ObjectState::kCreated || entry.state == ObjectState::kSealed);
}

bool is_readable(const ObjectEntry& entry) {
  return entry.state == ObjectState::kSealed && !store::is_given_up(entry);
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

Status ObjectStore::create_object(const ObjectId* id, uint64_t size, uint32_t metadata_size,
                                  Writing* out, std::vector<ObjectInfo>* evicted) {
  bool cold = false;
  Status status = reserve(id, size, metadata_size, port::wall_clock_ms(), out, &cold, evicted);
  if (!status.is_ok() || !cold) return status;
  status = client_->pages().commit(extent_of(*out));
  if (!status.is_ok()) (void)abort(out->ref);
  return status;
}

Status ObjectStore::put(const ObjectId* id, const void* data, uint64_t size, const void* metadata,
                        uint32_t metadata_size, const SealOptions& options, ObjectId* out,
                        std::vector<ObjectInfo>* evicted) {
  Writing writing;
  bool cold = false;
  Status status = reserve(id, size, metadata_size, port::wall_clock_ms(), &writing, &cold, evicted);
  if (!status.is_ok()) return status;
  if (cold && size >= kWriteColdFrom && !client_->segment().has_huge_pages()) {
    status = client_->pages().write(extent_of(writing), data, size);
  } else {
    if (cold) status = client_->pages().commit(extent_of(writing));
    if (status.is_ok() && size > 0) std::memcpy(writing.data, data, size);
  }
  if (!status.is_ok()) {
    (void)abort(writing.ref);
    return status;
  }
  if (metadata_size > 0) std::memcpy(writing.metadata, metadata, metadata_size);
  *out = writing.id;
  status = seal(writing.ref, options);
  if (!status.is_ok()) (void)abort(writing.ref);
  return status;
}

template <class Work>
Status ObjectStore::locked(const Work& work) const {
  return client_->store_lock().run([&] { return work(client_->objects()); });
}

// Runs one step under the store lock, then wakes who waits for what it has changed.
template <class Work>
Status ObjectStore::change(const Work& work) {
  WaitingClients waiting;
  Status status = locked([&](Objects& objects) {
    objects.finish_freeing();
    Status done = work(objects);
    objects.finish_freeing();
    waiting = objects.take_waiting();
    return done;
  });
  port::fail_point(port::FailPoint::kBeforeWake);
  if (waiting.any()) client_->notify(waiting);
  return status;
}

Status ObjectStore::reserve(const ObjectId* id, uint64_t size, uint32_t metadata_size,
                            uint64_t now_ms, Writing* out, bool* cold,
                            std::vector<ObjectInfo>* evicted) {
  uint64_t weight = shm::weight_of(size, metadata_size);
  if (Status s = client_->pages().has_memory_for(weight); !s.is_ok()) return s;
  uint64_t patience_ends = 0;
  out->data = nullptr;
  for (;;) {
    Status status = change([&](Objects& objects) {
      return reserve_once(objects, id, size, metadata_size, now_ms, out, cold, evicted);
    });
    if (status.is_ok() && out->data != nullptr) {
      client_->guard().make_writable(out->data, size + metadata_size);
      return status;
    }
    if (status.is_ok()) {
      if (Status grown = client_->grow(); !grown.is_ok()) return grown;
      continue;
    }
    if (status.code() != Code::kFull) return status;
    uint64_t now = port::monotonic_ms();
    if (patience_ends == 0) {
      patience_ends = now + kPatienceMs;
    } else if (now > patience_ends || !client_->expects_room()) {
      return {Code::kFull, status.message() + client_->describe_pins()};
    } else {
      port::sleep_ms(1);
    }
    client_->reap();
  }
}

// Ok with no data in `out` asks for larger tables.
Status ObjectStore::reserve_once(Objects& objects, const ObjectId* id, uint64_t size,
                                 uint32_t metadata_size, uint64_t now_ms, Writing* out, bool* cold,
                                 std::vector<ObjectInfo>* evicted) {
  const shm::Segment& segment = client_->segment();
  uint32_t existing = id == nullptr ? kNone : objects.find(*id);
  if (existing != kNone && store::is_freed(segment.entry(existing))) return freed(*id);
  if (existing != kNone && segment.entry(existing).state != ObjectState::kPromised &&
      segment.entry(existing).state != ObjectState::kLost) {
    return {Code::kExists, "the object " + id->hex() + " exists already"};
  }
  bool new_entry = existing == kNone;
  Status room = objects.make_room(size, metadata_size, new_entry, evicted);
  if (!room.is_ok() || !objects.has_rows(new_entry)) return room;
  ObjectId chosen = id == nullptr ? objects.fresh_id() : *id;
  uint32_t index = objects.create(chosen, size, metadata_size, now_ms);
  const ObjectEntry& entry = segment.entry(index);
  const shm::Block& block = store::block_of(segment, index);
  uint8_t* data = segment.writable_data(block.start);
  *out = {{index, entry.generation}, chosen, data, size, data + size, metadata_size};
  *cold = !client_->pages().is_warm({block.start, block.units});
  return Status::ok();
}

store::Extent ObjectStore::extent_of(const Writing& writing) const {
  auto offset = static_cast<uint64_t>(writing.data - client_->segment().writable_data(0));
  return {offset / shm::kUnit, shm::weight_of(writing.size, writing.metadata_size) / shm::kUnit};
}

Status ObjectStore::contain(const EntryRef& ref, const SealOptions& options) {
  const shm::RowTable& edges = client_->segment().edges();
  size_t next = 0;
  while (next < options.contained_count) {
    bool needs_rows = false;
    Status status = locked([&](Objects& objects) {
      const ObjectEntry& entry = client_->segment().entry(ref.entry);
      if (!is_current(entry, ref) || entry.state != ObjectState::kCreated) return not_writing();
      size_t end = std::min(next + kEdgesPerCommit, options.contained_count);
      while (next < end && edges.has(1)) {
        uint32_t contained = objects.find(options.contained[next++]);
        if (contained != kNone && contained != ref.entry) objects.contain(ref.entry, contained);
        client_->store_lock().commit();
      }
      needs_rows = next < options.contained_count && !edges.has(1);
      if (!needs_rows || edges.can_grow()) return Status::ok();
      return Status{Code::kFull,
                    "the store holds too many references inside objects: raise `maxObjects`"};
    });
    if (status.is_ok() && needs_rows) status = client_->grow();
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

Status ObjectStore::seal(const EntryRef& ref, const SealOptions& options) {
  if (options.contained_count > 0) {
    if (Status s = contain(ref, options); !s.is_ok()) return s;
  }
  return options.exposed ? publish_exposed(ref, options) : publish(ref, options);
}

// Read-only first: once sealed, the memory may be freed and in use for another object at any time.
Status ObjectStore::publish_exposed(const EntryRef& ref, const SealOptions& options) {
  uint8_t* data = nullptr;
  uint64_t length = 0;
  Status found = locked([&](Objects&) {
    const shm::Segment& segment = client_->segment();
    const ObjectEntry& entry = segment.entry(ref.entry);
    bool writing = is_current(entry, ref) && entry.state == ObjectState::kCreated &&
                   entry.creator == client_->slot();
    if (!writing) return not_writing();
    data = segment.writable_data(store::block_of(segment, ref.entry).start);
    length = entry.size + entry.metadata_size;
    return Status::ok();
  });
  if (!found.is_ok()) return found;
  client_->guard().make_read_only(data, length);
  Status status = publish(ref, options);
  if (!status.is_ok()) client_->guard().make_writable(data, length);
  return status;
}

Status ObjectStore::publish(const EntryRef& ref, const SealOptions& options) {
  return change([&](Objects& objects) {
    const ObjectEntry& entry = client_->segment().entry(ref.entry);
    if (!is_current(entry, ref) || entry.state != ObjectState::kCreated) return not_writing();
    if (options.add_ref) objects.add_ref(ref.entry);
    if (options.ref_client < shm::kMaxClients &&
        client_->is_live(options.ref_client, options.ref_client_generation)) {
      objects.add_ref_for(ref.entry, options.ref_client);
    }
    objects.seal(ref.entry);
    if (options.pin && is_readable(entry)) objects.pin(ref.entry);
    return Status::ok();
  });
}

// A view's end, for one, has nobody to tell that the lock's holder was stopped.
template <class Again>
Status ObjectStore::unless_stalled(Status status, const Again& again) {
  if (status.code() != Code::kStalled) return status;
  client_->later(again);
  return Status::ok();
}

Status ObjectStore::abort(const EntryRef& ref) {
  Status status = change([&](Objects& objects) {
    const ObjectEntry& entry = client_->segment().entry(ref.entry);
    if (!is_current(entry, ref) || entry.state != ObjectState::kCreated) return not_writing();
    objects.abort(ref.entry);
    return Status::ok();
  });
  return unless_stalled(std::move(status), [ref](ObjectStore& store) { (void)store.abort(ref); });
}

Status ObjectStore::get(const ObjectId& id, Reading* out) {
  return locked([&](Objects& objects) {
    shm::Lock& lock = client_->store_lock();
    const shm::Segment& segment = client_->segment();
    uint32_t index = objects.find(id);
    if (index == kNone || !is_readable(segment.entry(index))) {
      lock.add(segment.store().misses, 1);
      return not_found(id);
    }
    lock.add(segment.store().hits, 1);
    *out = reading_of(segment, index);
    objects.pin(index);
    return Status::ok();
  });
}

Status ObjectStore::pin(const ObjectId& id, EntryRef* out) {
  return locked([&](Objects& objects) {
    const shm::Segment& segment = client_->segment();
    uint32_t index = objects.find(id);
    if (index == kNone || !is_readable(segment.entry(index))) return not_found(id);
    objects.pin(index);
    *out = {index, segment.entry(index).generation};
    return Status::ok();
  });
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

Status ObjectStore::evict(uint64_t bytes, uint64_t* freed, std::vector<ObjectInfo>* evicted) {
  *freed = 0;
  return change([&](Objects& objects) {
    const uint64_t& evicted_bytes = client_->segment().store().evicted_bytes;
    uint64_t before = evicted_bytes;
    while (*freed < bytes && objects.evict_one(true, evicted)) *freed = evicted_bytes - before;
    return Status::ok();
  });
}

Status ObjectStore::promise(const ObjectId& id, EntryRef* out) {
  for (;;) {
    bool needs_rows = false;
    Status status = locked([&](Objects& objects) {
      if (objects.find(id) != kNone) {
        return Status{Code::kExists, "the object " + id.hex() + " exists already"};
      }
      objects.finish_freeing();
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
            state.lock.recoveries};
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
