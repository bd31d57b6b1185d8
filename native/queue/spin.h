#ifndef MOBULA_QUEUE_SPIN_H_
#define MOBULA_QUEUE_SPIN_H_

#include <algorithm>
#include <cstdint>

#include "port/port.h"

namespace mobula::queue {

// How long a thread looks for what it waits for before it sleeps: as long as has paid off of late.
// A sleep costs some microseconds, and so does the system call that ends it. Looking is tried when
// a sleep was short, and the less often the more tries in a row were in vain. Used by one thread.
class Spin {
 public:
  // 0: it sleeps at once.
  uint32_t budget_us() const { return budget_us_; }

  // Nothing has come, and the thread goes to sleep.
  void asleep() { asleep_since_ = port::monotonic_us(); }

  // Something has come. When that was soon after it fell asleep, it had better looked.
  void received() {
    if (asleep_since_ == 0) return;
    bool was_short = port::monotonic_us() - asleep_since_ < kShortSleepUs;
    asleep_since_ = 0;
    if (!was_short || budget_us_ > 0) return;
    if (skipped_++ < to_skip_) return;
    skipped_ = 0;
    budget_us_ = kMostUs;
  }

  // Calls `ready` again and again, for `us` at most, until it is true.
  template <class Ready>
  bool until(uint32_t us, const Ready& ready) {
    uint64_t end = port::monotonic_us() + us;
    do {
      if (ready()) {
        budget_us_ = kMostUs;
        to_skip_ = 0;
        return true;
      }
      port::cpu_relax();
    } while (port::monotonic_us() < end);
    budget_us_ = budget_us_ < 2 * kLeastUs ? 0 : budget_us_ / 2;
    if (budget_us_ == 0) to_skip_ = std::min(2 * to_skip_ + 1, kMostSkipped);
    return false;
  }

 private:
  static constexpr uint32_t kLeastUs = 5;
  static constexpr uint32_t kMostUs = 60;
  // A sleep takes two switches of threads and more, on a busy machine many times as long as
  // looking.
  static constexpr uint32_t kShortSleepUs = 250;
  static constexpr uint32_t kMostSkipped = 63;

  uint32_t budget_us_ = 0;
  uint32_t skipped_ = 0;  // short sleeps since the last try
  uint32_t to_skip_ = 0;
  uint64_t asleep_since_ = 0;
};

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_SPIN_H_
