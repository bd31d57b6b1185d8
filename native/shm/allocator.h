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
  // A free block with room for `units` from a multiple of `align` units (a power of two) on, or
  // kNone when there is none. Of several that fit as well it prefers one that `client` wrote last.
  uint32_t find(uint64_t units, uint64_t align, uint32_t client) const;
  // Takes `units` of a free block from its `lead`-th unit on; what is left over stays free. The
  // caller has seen to two free rows of the block table.
  uint32_t take(uint32_t block, uint64_t lead, uint64_t units);
  // find() and take() in one; kNone when no hole is large enough.
  uint32_t allocate(uint64_t units, uint64_t align, uint32_t client);
  void free(uint32_t block);
  uint64_t largest_free_units() const;
  // The first free block, from the large ones down, for which `accept(block)` holds; looks at no
  // more than `limit` blocks of at least `units`.
  template <class Accept>
  uint32_t find_among_large(uint64_t units, uint32_t limit, Accept accept) const;

  static void bin_of(uint64_t units, uint32_t* first, uint32_t* second);

 private:
  Bins& bins() const { return segment_.store().bins; }
  uint32_t& second_level(uint32_t first) const;
  uint32_t& head(uint32_t first, uint32_t second) const;
  uint32_t probe(uint32_t head, uint64_t units, uint64_t align, uint32_t client) const;
  uint32_t first_at_or_above(uint32_t first, uint32_t second) const;
  uint32_t search(uint64_t units, uint64_t align) const;
  void link(uint32_t block);
  void unlink(uint32_t block);
  uint32_t split(uint32_t block, uint64_t units);
  uint32_t absorb_next(uint32_t block);
  uint32_t new_block();
  void drop_block(uint32_t block);

  const Segment& segment_;
  Lock& lock_;
};

template <class Accept>
uint32_t Allocator::find_among_large(uint64_t units, uint32_t limit, Accept accept) const {
  uint32_t first, second;
  bin_of(units, &first, &second);
  uint32_t smallest = first * kSecondLevels + second;
  for (uint32_t bin = kFirstLevels * kSecondLevels; bin-- > smallest;) {
    uint32_t i = head(bin / kSecondLevels, bin % kSecondLevels);
    for (; i != kNone; i = segment_.block(i).bin_next) {
      if (limit-- == 0) return kNone;
      if (segment_.block(i).units >= units && accept(segment_.block(i))) return i;
    }
  }
  return kNone;
}

}  // namespace mobula::shm

#endif  // MOBULA_SHM_ALLOCATOR_H_
