// The edges of the object table that spilling takes (doc/object_states.md).

#include <algorithm>

#include "shm/table.h"
#include "store/entry.h"
#include "store/objects.h"
#include "store/spill.h"

namespace mobula::store {

using shm::kNone;
using shm::ObjectEntry;
using shm::ObjectState;
using shm::require;
using shm::SpillFile;
using shm::SpillState;
using shm::StoreState;

bool Objects::pin_uncopied(uint32_t* next, uint32_t* index) {
  for (shm::Hops hops(segment_.entries().capacity()); *next != kNone; hops.next()) {
    *index = *next;
    const ObjectEntry& entry = segment_.entry(*index);
    require(on_lru(entry), "an object on the LRU list is in use");
    *next = entry.lru_next;
    if (clru_.may_evict(entry)) continue;
    pin(*index);
    lock_.commit();
    return true;
  }
  return false;
}

void Objects::keep_copy(uint32_t index, uint32_t file, uint64_t offset, uint64_t sum) {
  StoreState& store = segment_.store();
  ObjectEntry& entry = segment_.entry(index);
  if (!is_given_up(entry) && !has_copy(entry)) {
    lock_.set(entry.copy_file, file);
    lock_.set(entry.copy_offset, offset);
    lock_.set(entry.copy_sum, sum);
    lock_.add(segment_.file(file).objects, 1);
    lock_.add(store.copies, 1);
    lock_.add(store.copied_bytes, entry.size + entry.metadata_size);
    lock_.set(store.largest_copy, std::max(store.largest_copy, weight(entry)));
  }
  unpin(index);
  if (on_lru(entry)) clru_.move_to_copied(index);
}

// Everyone can still read it, at the price of reading it back.
void Objects::spill(uint32_t index) {
  StoreState& store = segment_.store();
  leave_lru(index);
  detach_block(index);
  lock_.set(segment_.entry(index).state, ObjectState::kSpilled);
  lock_.subtract(store.sealed, 1);
  lock_.add(store.spilled, 1);
}

void Objects::begin_restoring(uint32_t index) {
  ObjectEntry& entry = segment_.entry(index);
  require(entry.state == ObjectState::kSpilled, "an object is read back twice");
  attach_block(index, entry.size, entry.metadata_size);
  lock_.set(entry.state, ObjectState::kRestoring);
  lock_.set(entry.creator, static_cast<uint16_t>(client_));
}

bool Objects::restored(uint32_t index) {
  StoreState& store = segment_.store();
  ObjectEntry& entry = segment_.entry(index);
  require(entry.state == ObjectState::kRestoring, "an object is read back twice");
  lock_.set(entry.state, ObjectState::kSealed);
  lock_.set(entry.creator, kNoClient);
  lock_.subtract(store.spilled, 1);
  lock_.add(store.sealed, 1);
  lock_.add(store.restored, 1);
  lock_.add(store.restored_bytes, entry.size + entry.metadata_size);
  if (is_garbage(entry)) {
    lose_or_free(index);
    return false;
  }
  clru_.add_youngest(index);
  pin(index);
  return true;
}

void Objects::not_restored(uint32_t index, bool is_lost) {
  ObjectEntry& entry = segment_.entry(index);
  lock_.set(entry.state, ObjectState::kSpilled);
  lock_.set(entry.creator, kNoClient);
  detach_block(index);
  if (is_lost || is_garbage(entry)) lose_or_free(index);
}

void Objects::drop_copy(uint32_t index) {
  ObjectEntry& entry = segment_.entry(index);
  uint32_t file = entry.copy_file;
  require(segment_.file(file).objects > 0, "the copies in a spill file are miscounted");
  lock_.set(entry.copy_file, kNone);
  lock_.subtract(segment_.file(file).objects, 1);
  if (segment_.file(file).state == SpillState::kReady) finish_file(file);
}

uint32_t Objects::begin_file() {
  StoreState& store = segment_.store();
  uint32_t index = shm::table_take(lock_, segment_.files());
  SpillFile& file = segment_.file(index);
  lock_.set(file.number, store.next_file);
  lock_.set(file.bytes, 0);
  lock_.set(file.objects, 0);
  lock_.set(file.writer, client_);
  lock_.set(file.state, SpillState::kWriting);
  lock_.add(store.next_file, 1);
  lock_.add(store.files_in_writing, 1);
  return index;
}

Status Objects::extend_file(uint32_t index, uint64_t bytes) {
  StoreState& store = segment_.store();
  uint64_t limit = segment_.header().spill_limit;
  if (bytes > limit - std::min(limit, store.spill_bytes)) {
    return {Code::kDiskFull, "spilling " + std::to_string(bytes) +
                                 " more bytes would pass the limit of " + std::to_string(limit) +
                                 ", of which " + std::to_string(store.spill_bytes) +
                                 " are taken: free objects, or raise spillLimit"};
  }
  lock_.add(segment_.file(index).bytes, bytes);
  lock_.add(store.spill_bytes, bytes);
  return Status::ok();
}

void Objects::finish_file(uint32_t index) {
  StoreState& store = segment_.store();
  SpillFile& file = segment_.file(index);
  if (file.state == SpillState::kWriting) lock_.subtract(store.files_in_writing, 1);
  if (file.objects > 0) {
    lock_.set(file.state, SpillState::kReady);
    return;
  }
  lock_.set(file.state, SpillState::kDoomed);
  lock_.set(file.free_next, store.doomed_file);
  lock_.set(store.doomed_file, index);
  // Our own keeper removes it.
  waiting_.words[client_ / 64] |= uint64_t{1} << (client_ % 64);
}

}  // namespace mobula::store
