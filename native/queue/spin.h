#ifndef MOBULA_QUEUE_SPIN_H_
#define MOBULA_QUEUE_SPIN_H_

#include <cstdint>

#include "port/port.h"

namespace mobula::queue {

// How long a thread looks for what it waits for before it sleeps: as long as has paid off of late.
// A sleep costs some microseconds, and so does the system call that ends it. Used by one thread.
class Spin {
 public:
  // 0: it sleeps at once.
  uint32_t budget_us() const { return budget_us_; }

  // Nothing has come, and the thread goes to sleep.
  void asleep() { asleep_since_ = port::monotonic_us(); }

  // Something has come. When that was soon after it fell asleep, it had better looked.
  void received() {
    if (asleep_since_ == 0) return;
    if (port::monotonic_us() - asleep_since_ < kShortSleepUs) budget_us_ = kMostUs;
    asleep_since_ = 0;
  }

  // Calls `ready` again and again, for `us` at most, until it is true.
  template <class Ready>
  bool until(uint32_t us, const Ready& ready) {
    uint64_t end = port::monotonic_us() + us;
    do {
      if (ready()) {
        budget_us_ = kMostUs;
        return true;
      }
      port::cpu_relax();
    } while (port::monotonic_us() < end);
    budget_us_ = budget_us_ < 2 * kLeastUs ? 0 : budget_us_ / 2;
    return false;
  }

 private:
  static constexpr uint32_t kLeastUs = 5;
  static constexpr uint32_t kMostUs = 25;
  static constexpr uint32_t kShortSleepUs = 60;

  uint32_t budget_us_ = 0;
  uint64_t asleep_since_ = 0;
};

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_SPIN_H_
