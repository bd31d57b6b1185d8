#ifndef MOBULA_STORE_CLRU_H_
#define MOBULA_STORE_CLRU_H_

#include "shm/lock.h"
#include "shm/segment.h"

namespace mobula::store {

// The eviction policy: a byte-weighted list of sealed, unpinned objects in order of last use. It
// names victims and keeps evictable_bytes and listed_bytes; freeing them is the lifecycle's
// business. Constant time. All calls need the store lock.
class Clru {
 public:
  Clru(const shm::Segment& segment, shm::Lock& lock) : segment_(segment), lock_(lock) {}

  void add_youngest(uint32_t entry);
  // Puts one that is on the list behind those that were moved so before, and before all others.
  void move_to_copied(uint32_t entry);
  void remove(uint32_t entry);
  // The entry's references have changed, which may change whether the policy lets it go.
  void references_changed(uint32_t entry, bool was_evictable);
  // The least recently used object that may be evicted, or kNone. Passes over those that may not
  // be, which only kUnreferenced has.
  uint32_t victim() const;
  bool may_evict(const shm::ObjectEntry& entry) const;

 private:
  void unlink(uint32_t entry);

  const shm::Segment& segment_;
  shm::Lock& lock_;
};

}  // namespace mobula::store

#endif  // MOBULA_STORE_CLRU_H_
