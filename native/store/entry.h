#ifndef MOBULA_STORE_ENTRY_H_
#define MOBULA_STORE_ENTRY_H_

#include <algorithm>

#include "shm/segment.h"

namespace mobula::store {

inline constexpr uint16_t kNoClient = 0xffff;  // as creator or promiser

// What the fields of an entry say. The store lock is held.

inline bool any_bit(const uint64_t* words) {
  uint64_t any = 0;
  for (uint32_t i = 0; i < shm::kHolderWords; ++i) any |= words[i];
  return any != 0;
}

inline bool is_pinned(const shm::ObjectEntry& entry) { return any_bit(entry.pins); }

inline bool is_referenced(const shm::ObjectEntry& entry) {
  return entry.contained_by != 0 || any_bit(entry.refs);
}

inline bool is_freed(const shm::ObjectEntry& entry) { return (entry.flags & shm::kFreed) != 0; }

// Its bytes go as soon as nobody reads or writes them.
inline bool is_given_up(const shm::ObjectEntry& entry) {
  return (entry.flags & (shm::kDeleted | shm::kFreed)) != 0;
}

// Referred to, and its owner may promise it once more.
inline bool is_promisable(const shm::ObjectEntry& entry) {
  return entry.state == shm::ObjectState::kLost && !is_given_up(entry);
}

inline bool can_spill(const shm::Segment& segment) {
  return segment.header().spill_directory[0] != 0 &&
         segment.header().eviction == EvictionPolicy::kUnreferenced;
}

inline bool has_copy(const shm::ObjectEntry& entry) { return entry.copy_file != shm::kNone; }

// Memory that is kept for reading back what has a copy on disk, so that a full disk makes nothing
// unreadable: for a few objects, as readers hold one while they read the next.
inline uint64_t reserve(const shm::Segment& segment) {
  constexpr uint64_t kObjects = 4, kShare = 4;
  uint64_t largest = segment.store().largest_copy;
  return std::max(largest, std::min(kObjects * largest, segment.header().memory_limit / kShare));
}

// Whether one more object of `weight` leaves that. With nothing left to copy it is not asked for.
inline bool leaves_reserve(const shm::Segment& segment, uint64_t weight) {
  const shm::StoreState& store = segment.store();
  if (store.largest_copy == 0 || store.listed_bytes == store.evictable_bytes) return true;
  uint64_t needed = store.charged_bytes - store.evictable_bytes + weight + reserve(segment);
  return needed <= segment.header().memory_limit;
}

// Its bytes are on disk only, or on their way back.
inline bool is_spilled(const shm::ObjectEntry& entry) {
  return entry.state == shm::ObjectState::kSpilled || entry.state == shm::ObjectState::kRestoring;
}

// Some process writes its bytes: nothing becomes of it before that has ended.
inline bool is_written(const shm::ObjectEntry& entry) {
  return entry.state == shm::ObjectState::kCreated || entry.state == shm::ObjectState::kRestoring;
}

inline bool is_readable(const shm::ObjectEntry& entry) {
  return entry.state == shm::ObjectState::kSealed && !is_given_up(entry);
}

// Not to be evicted, so not on the LRU list, until it is garbage.
inline bool is_kept(const shm::ObjectEntry& entry) {
  return (entry.flags & shm::kManaged) != 0 && entry.id.is_system();
}

// Nobody can reach the object any more, though somebody may still be reading it.
inline bool is_garbage(const shm::ObjectEntry& entry) {
  return is_given_up(entry) || ((entry.flags & shm::kManaged) != 0 && !is_referenced(entry));
}

inline uint64_t weight(const shm::ObjectEntry& entry) {
  return shm::weight_of(entry.size, entry.metadata_size);
}

}  // namespace mobula::store

#endif  // MOBULA_STORE_ENTRY_H_
