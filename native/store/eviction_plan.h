#ifndef MOBULA_STORE_EVICTION_PLAN_H_
#define MOBULA_STORE_EVICTION_PLAN_H_

#include <cstdint>
#include <unordered_map>

#include "shm/segment.h"
#include "store/clru.h"

namespace mobula::store {

// A dry run of eviction: whether some number of the least recently used objects, if they went,
// would leave bytes, a hole and a row for a newcomer. Changes nothing; needs the store lock. Used
// once.
//
// Holes are simulated by runs, the stretches of free and given-up blocks. The map has both ends of
// each run that has a given-up block in it.
class EvictionPlan {
 public:
  EvictionPlan(const shm::Segment& segment, const Clru& clru) : segment_(segment), clru_(clru) {}

  // `units` from a multiple of `align` on; `hole` and `row` say what is missing now.
  bool succeeds(uint64_t units, uint64_t align, bool needs_hole, bool needs_row);

 private:
  bool give_up(uint32_t block, uint64_t units, uint64_t align);
  uint32_t far_end(uint32_t neighbour) const;
  bool is_free(uint32_t block) const;

  const shm::Segment& segment_;
  const Clru& clru_;
  std::unordered_map<uint32_t, uint32_t> other_end_;
};

}  // namespace mobula::store

#endif  // MOBULA_STORE_EVICTION_PLAN_H_
