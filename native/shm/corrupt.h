#ifndef MOBULA_SHM_CORRUPT_H_
#define MOBULA_SHM_CORRUPT_H_

#include <cstdint>

#include "mobula/status.h"

namespace mobula::shm {

// Thrown where shared memory holds what no operation ever writes: a stray write, a damaged file or
// another program has been there. The only exception of the core; Lock::run() turns it into
// kCorrupt, so it never reaches a caller. Code that runs under the store lock reads rows through
// the accessors of Segment, which throw it, and says require() of whatever else it is about to
// trust: an address, a length, the end of a loop.
struct Corrupt {
  const char* what;
};

[[noreturn]] void corrupt(const char* what);

inline void require(bool holds, const char* what) {
  if (!holds) [[unlikely]] {
    corrupt(what);
  }
}

// What the user reads of it.
Status corrupt_status(const char* what);

// Bounds a walk over links in shared memory: a list is no longer than the table of its rows.
class Hops {
 public:
  explicit Hops(uint64_t rows) : left_(rows) {}
  void next() {
    require(left_ > 0, "a list has a cycle");
    --left_;
  }

 private:
  uint64_t left_;
};

}  // namespace mobula::shm

#endif  // MOBULA_SHM_CORRUPT_H_
