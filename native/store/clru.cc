#include "store/clru.h"

#include "store/entry.h"

namespace mobula::store {

using shm::Hops;
using shm::kNone;
using shm::ObjectEntry;
using shm::require;
using shm::StoreState;

bool Clru::may_evict(const ObjectEntry& entry) const {
  switch (segment_.header().eviction) {
    case EvictionPolicy::kClru:
      return true;
    case EvictionPolicy::kUnreferenced:
      return !is_referenced(entry) || has_copy(entry);
    case EvictionPolicy::kNone:
      return false;
  }
  return false;
}

void Clru::add_youngest(uint32_t index) {
  StoreState& store = segment_.store();
  ObjectEntry& entry = segment_.entry(index);
  lock_.set(entry.lru_prev, store.lru_youngest);
  lock_.set(entry.lru_next, kNone);
  if (store.lru_youngest != kNone) {
    lock_.set(segment_.entry(store.lru_youngest).lru_next, index);
  } else {
    lock_.set(store.lru_oldest, index);
  }
  lock_.set(store.lru_youngest, index);
  lock_.add(store.listed_bytes, weight(entry));
  if (may_evict(entry)) lock_.add(store.evictable_bytes, weight(entry));
}

void Clru::move_to_copied(uint32_t index) {
  StoreState& store = segment_.store();
  ObjectEntry& entry = segment_.entry(index);
  unlink(index);
  uint32_t older = store.lru_copied;
  uint32_t& from_older = older == kNone ? store.lru_oldest : segment_.entry(older).lru_next;
  uint32_t younger = from_older;
  uint32_t& from_younger = younger == kNone ? store.lru_youngest : segment_.entry(younger).lru_prev;
  lock_.set(entry.lru_prev, older);
  lock_.set(entry.lru_next, younger);
  lock_.set(from_older, index);
  lock_.set(from_younger, index);
  lock_.set(store.lru_copied, index);
}

void Clru::remove(uint32_t index) {
  StoreState& store = segment_.store();
  const ObjectEntry& entry = segment_.entry(index);
  unlink(index);
  lock_.subtract(store.listed_bytes, weight(entry));
  if (may_evict(entry)) lock_.subtract(store.evictable_bytes, weight(entry));
}

void Clru::unlink(uint32_t index) {
  StoreState& store = segment_.store();
  const ObjectEntry& entry = segment_.entry(index);
  uint32_t& from_older =
      entry.lru_prev == kNone ? store.lru_oldest : segment_.entry(entry.lru_prev).lru_next;
  uint32_t& from_younger =
      entry.lru_next == kNone ? store.lru_youngest : segment_.entry(entry.lru_next).lru_prev;
  require(from_older == index && from_younger == index, "the LRU list has a wrong link");
  lock_.set(from_older, entry.lru_next);
  lock_.set(from_younger, entry.lru_prev);
  if (store.lru_copied == index) lock_.set(store.lru_copied, entry.lru_prev);
}

void Clru::references_changed(uint32_t index, bool was_evictable) {
  StoreState& store = segment_.store();
  const ObjectEntry& entry = segment_.entry(index);
  bool evictable = may_evict(entry);
  if (evictable && !was_evictable) lock_.add(store.evictable_bytes, weight(entry));
  if (!evictable && was_evictable) lock_.subtract(store.evictable_bytes, weight(entry));
}

uint32_t Clru::victim() const {
  const StoreState& store = segment_.store();
  if (store.evictable_bytes == 0) return kNone;
  uint32_t index = store.lru_oldest;
  Hops hops(segment_.entries().capacity());
  while (!may_evict(segment_.entry(index))) {
    index = segment_.entry(index).lru_next;
    hops.next();
  }
  return index;
}

}  // namespace mobula::store
