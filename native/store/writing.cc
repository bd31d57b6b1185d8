// The operations of ObjectStore that bring an object into being: creating, filling, sealing.

#include <algorithm>
#include <cstring>
#include <utility>

#include "shm/table.h"
#include "store/entry.h"
#include "store/transactions.h"

namespace mobula {

using shm::kNone;
using shm::ObjectEntry;
using shm::ObjectState;
using store::Objects;
using store::Victims;

namespace {

// From here on writing into cold memory is cheaper through the file than through the mapping.
constexpr uint64_t kWriteColdFrom = 1 << 20;
constexpr size_t kEdgesPerCommit = 32;
// How long a creation waits for room that is on its way: from processes that are ending; from those
// that spill.
constexpr uint64_t kPatienceMs = 1000;
constexpr uint64_t kSpillPatienceMs = 10'000;

Status not_writing() {
  return {Code::kNotFound, "the object is no longer being written: it was sealed or aborted"};
}

Status freed(const ObjectId& id) {
  return {Code::kFreed, "the object " + id.hex() + " was given up by free()"};
}

Status no_reserve(uint64_t weight) {
  return {Code::kFull,
          "no room for " + std::to_string(weight) +
              " bytes beside what reading back from disk takes: free objects, or raise "
              "`memory`"};
}

bool is_writing(const ObjectEntry& entry, const EntryRef& ref) {
  return entry.generation == ref.generation && entry.state == ObjectState::kCreated;
}

class Patience {
 public:
  // Waits a moment, the first time none; false when it has lasted `ms` already.
  bool wait(uint64_t ms) {
    uint64_t now = port::monotonic_ms();
    if (began_ == 0) {
      began_ = now;
      return true;
    }
    if (now >= began_ + ms) return false;
    port::sleep_ms(1);
    return true;
  }

 private:
  uint64_t began_ = 0;
};

}  // namespace

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

Status ObjectStore::reserve(const ObjectId* id, uint64_t size, uint32_t metadata_size,
                            uint64_t now_ms, Writing* out, bool* cold,
                            std::vector<ObjectInfo>* evicted) {
  uint64_t weight = shm::weight_of(size, metadata_size);
  if (Status s = client_->pages().has_memory_for(weight); !s.is_ok()) return s;
  Status status = with_room(weight, [&](Objects& objects, Victims victims, bool* needs_rows) {
    return reserve_once(objects, id, size, metadata_size, now_ms, out, cold, victims, evicted,
                        needs_rows);
  });
  if (status.is_ok()) client_->guard().make_writable(out->data, size + metadata_size);
  return status;
}

Status ObjectStore::with_room(uint64_t weight, const Attempt& attempt) {
  Patience patience;
  Victims victims = store::can_spill(client_->segment()) ? Victims::kOldest : Victims::kAny;
  for (;;) {
    bool needs_rows = false;
    uint64_t files_before = client_->files_begun();
    Status status =
        change([&](Objects& objects) { return attempt(objects, victims, &needs_rows); });
    if (status.is_ok() && !needs_rows) return status;
    if (status.is_ok()) {
      if (Status grown = client_->grow(); !grown.is_ok()) return grown;
      continue;
    }
    if (status.code() != Code::kFull) return status;
    bool any = false;
    Status copied = make_copies(weight, &any);
    if (any) continue;
    if (std::exchange(victims, Victims::kAny) == Victims::kOldest) continue;
    bool spilling =
        copied.is_ok() && (client_->is_spilling() || client_->files_begun() != files_before);
    uint64_t limit = spilling ? kSpillPatienceMs : client_->expects_room() ? kPatienceMs : 0;
    if (!patience.wait(limit)) {
      if (!copied.is_ok()) return copied;
      return {Code::kFull, status.message() + client_->describe_pins()};
    }
    client_->reap();
  }
}

Status ObjectStore::reserve_once(Objects& objects, const ObjectId* id, uint64_t size,
                                 uint32_t metadata_size, uint64_t now_ms, Writing* out, bool* cold,
                                 Victims victims, std::vector<ObjectInfo>* evicted,
                                 bool* needs_rows) {
  const shm::Segment& segment = client_->segment();
  uint32_t existing = id == nullptr ? kNone : objects.find(*id);
  if (existing != kNone && store::is_freed(segment.entry(existing))) return freed(*id);
  if (existing != kNone && segment.entry(existing).state != ObjectState::kPromised &&
      segment.entry(existing).state != ObjectState::kLost) {
    return {Code::kExists, "the object " + id->hex() + " exists already"};
  }
  bool new_entry = existing == kNone;
  uint64_t weight = shm::weight_of(size, metadata_size);
  if (!store::leaves_reserve(segment, weight)) return no_reserve(weight);
  Status room = objects.make_room(size, metadata_size, new_entry, victims, evicted);
  *needs_rows = room.is_ok() && !objects.has_rows(new_entry);
  if (!room.is_ok() || *needs_rows) return room;
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
      if (!is_writing(entry, ref)) return not_writing();
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
    bool writing = is_writing(entry, ref) && entry.creator == client_->slot();
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
    if (!is_writing(entry, ref)) return not_writing();
    if (options.add_ref) objects.add_ref(ref.entry);
    if (options.ref_client < shm::kMaxClients &&
        client_->is_live(options.ref_client, options.ref_client_generation)) {
      objects.add_ref_for(ref.entry, options.ref_client);
    }
    objects.seal(ref.entry);
    if (options.pin && store::is_readable(entry)) objects.pin(ref.entry);
    return Status::ok();
  });
}

Status ObjectStore::abort(const EntryRef& ref) {
  Status status = change([&](Objects& objects) {
    const ObjectEntry& entry = client_->segment().entry(ref.entry);
    if (!is_writing(entry, ref)) return not_writing();
    objects.abort(ref.entry);
    return Status::ok();
  });
  return unless_stalled(std::move(status), [ref](ObjectStore& store) { (void)store.abort(ref); });
}

}  // namespace mobula
