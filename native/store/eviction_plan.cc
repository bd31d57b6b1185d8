#include "store/eviction_plan.h"

#include "store/entry.h"

namespace mobula::store {

using shm::Block;
using shm::kNone;
using shm::ObjectEntry;
using shm::StoreState;

bool EvictionPlan::succeeds(uint64_t units, uint64_t align, bool needs_hole, bool needs_row) {
  const StoreState& store = segment_.store();
  uint64_t limit = segment_.header().memory_limit;
  uint64_t bytes = store.charged_bytes + units * shm::kUnit;
  uint32_t next = store.lru_oldest;
  shm::Hops hops(segment_.entries().capacity());
  for (; needs_hole || needs_row || bytes > limit; hops.next()) {
    if (next == kNone) return false;
    const ObjectEntry& entry = segment_.entry(next);
    next = entry.lru_next;
    if (!clru_.may_evict(entry)) continue;
    bytes -= weight(entry);
    if (!is_referenced(entry)) needs_row = false;
    if (needs_hole && give_up(entry.block, units, align)) needs_hole = false;
  }
  return true;
}

// True when the run that the block becomes part of is large enough.
bool EvictionPlan::give_up(uint32_t index, uint64_t units, uint64_t align) {
  const Block& block = segment_.block(index);
  uint32_t first = block.prev == kNone ? kNone : far_end(block.prev);
  uint32_t last = block.next == kNone ? kNone : far_end(block.next);
  if (first == kNone) first = index;
  if (last == kNone) last = index;
  other_end_[first] = last;
  other_end_[last] = first;
  uint64_t start = shm::round_up(segment_.block(first).start, align);
  return start + units <= segment_.block(last).start + segment_.block(last).units;
}

// The other end of the run that `neighbour` ends, or kNone when it is in use.
uint32_t EvictionPlan::far_end(uint32_t neighbour) const {
  auto run = other_end_.find(neighbour);
  if (run != other_end_.end()) return run->second;
  return is_free(neighbour) ? neighbour : kNone;
}

bool EvictionPlan::is_free(uint32_t block) const {
  return segment_.block(block).state == shm::BlockState::kFree;
}

}  // namespace mobula::store
