#ifndef MOBULA_STORE_GUARD_H_
#define MOBULA_STORE_GUARD_H_

#include <atomic>
#include <list>
#include <map>
#include <mutex>

#include "shm/segment.h"

namespace mobula::store {

// Ends this process, with a line on stderr that names the object, when it writes where it may only
// read: through a view, or through what is left of the writer of a sealed object.
//
// Thread-safe. Not to be called under the store lock: changing a mapping may take long.
//
// Facts:
//   1. Views stand on a mapping that is read-only as a whole.
//   2. In the writable mapping the ranges in by_age_, and nothing else, are read-only. They are
//      disjoint, and each was whole pages of one block that this process has sealed.
//   3. No block that this process writes has a byte in them: make_writable() comes before the first
//      write to a new block, make_read_only() after the last.
class Guard {
 public:
  // Does nothing when the segment is not guarded.
  explicit Guard(const shm::Segment& segment);
  ~Guard();  // comes before the segment's
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  // The block of an object that this process is about to seal. Only its whole pages are covered,
  // and only while there are no more than kMaxRanges newer ranges and the system has mappings left.
  void make_read_only(uint8_t* data, uint64_t length);
  // A block that this process has just reserved, or failed to seal.
  void make_writable(uint8_t* data, uint64_t length);

  static constexpr size_t kMaxRanges = 1024;

 private:
  struct Range {
    uintptr_t start;
    uintptr_t end;
  };
  using ByStart = std::map<uintptr_t, std::list<Range>::iterator>;

  ByStart::iterator open(ByStart::iterator found);

  const shm::Segment& segment_;
  const bool enabled_;

  // Written under mutex_.
  std::atomic<size_t> count_{0};

  // Guarded by mutex_.
  std::mutex mutex_;
  std::list<Range> by_age_;  // oldest first
  ByStart by_start_;
};

}  // namespace mobula::store

#endif  // MOBULA_STORE_GUARD_H_
