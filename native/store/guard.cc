#include "store/guard.h"

#include "store/stray_write.h"

namespace mobula::store {
namespace {

uint8_t* pointer(uintptr_t address) { return reinterpret_cast<uint8_t*>(address); }

uintptr_t page_down(uintptr_t address) { return address & ~(uintptr_t{port::page_size()} - 1); }
uintptr_t page_up(uintptr_t address) { return page_down(address + port::page_size() - 1); }

}  // namespace

Guard::Guard(const shm::Segment& segment)
    : segment_(segment), enabled_(segment.readable_data(0) != segment.writable_data(0)) {
  if (enabled_) explain_stray_writes(segment_);
}

Guard::~Guard() {
  if (enabled_) forget_stray_writes(segment_);
}

void Guard::make_read_only(uint8_t* data, uint64_t length) {
  if (!enabled_ || length < shm::kPageAlignedFrom) return;
  uintptr_t address = reinterpret_cast<uintptr_t>(data);
  Range range{page_up(address), page_down(address + length)};
  std::lock_guard lock(mutex_);
  if (by_age_.size() == kMaxRanges) open(by_start_.find(by_age_.front().start));
  if (port::protect(pointer(range.start), range.end - range.start, false) != 0) return;
  by_age_.push_back(range);
  by_start_.emplace(range.start, std::prev(by_age_.end()));
  count_.store(by_age_.size(), std::memory_order_relaxed);
}

// Relaxed will do: whoever made a range of this block read-only did so before the block could be
// freed, and the store lock has passed from there to the caller since.
void Guard::make_writable(uint8_t* data, uint64_t length) {
  if (count_.load(std::memory_order_relaxed) == 0) return;
  uintptr_t start = reinterpret_cast<uintptr_t>(data);
  std::lock_guard lock(mutex_);
  auto next = by_start_.upper_bound(start);
  if (next != by_start_.begin() && std::prev(next)->second->end > start) --next;
  while (next != by_start_.end() && next->first < start + length) next = open(next);
}

// A range goes as a whole: it is the oldest, or the object that it was made for is gone. To take it
// from between its neighbours may need mappings that the system has not left; all at once never
// does.
Guard::ByStart::iterator Guard::open(ByStart::iterator found) {
  Range range = *found->second;
  if (port::protect(pointer(range.start), range.end - range.start, true) != 0) {
    port::protect(segment_.base(), segment_.size(), true);
    by_age_.clear();
    by_start_.clear();
  } else {
    by_age_.erase(found->second);
    found = by_start_.erase(found);
  }
  count_.store(by_age_.size(), std::memory_order_relaxed);
  return by_age_.empty() ? by_start_.end() : found;
}

}  // namespace mobula::store
