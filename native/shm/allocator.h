#ifndef MOBULA_SHM_ALLOCATOR_H_
#define MOBULA_SHM_ALLOCATOR_H_

#include "shm/lock.h"
#include "shm/segment.h"

namespace mobula::shm {

// Two-level segregated fit (Masmano et al., "TLSF", ECRTS 2004) over the data area, with its
// descriptors out of band, in units of 64 bytes. Constant time. All calls need the store lock.
//
// Facts that check() verifies:
//   1. The blocks tile the data area: each starts where its `prev` ends.
//   2. No two neighbours are both free.
//   3. A block is in the bin of its size iff it is free.
class Allocator {
 public:
  Allocator(const Segment& segment, Lock& lock) : segment_(segment), lock_(lock) {}

  // Makes the data area one free block. Once, at creation.
  void format();
  // A block of `units` whose start is a multiple of `align` units (a power of two), or kNone when
  // no hole is large enough. The caller has seen to two free rows of the block table.
  uint32_t allocate(uint64_t units, uint64_t align);
  void free(uint32_t block);
  uint64_t largest_free_units() const;

  static void bin_of(uint64_t units, uint32_t* first, uint32_t* second);

 private:
  Bins& bins() const { return segment_.store().bins; }
  uint32_t find(uint64_t units, uint64_t align) const;
  uint32_t first_at_or_above(uint32_t first, uint32_t second) const;
  void link(uint32_t block);
  void unlink(uint32_t block);
  uint32_t split(uint32_t block, uint64_t units);
  uint32_t absorb_next(uint32_t block);
  uint32_t new_block();
  void drop_block(uint32_t block);

  const Segment& segment_;
  Lock& lock_;
};

}  // namespace mobula::shm

#endif  // MOBULA_SHM_ALLOCATOR_H_
