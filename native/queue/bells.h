#ifndef MOBULA_QUEUE_BELLS_H_
#define MOBULA_QUEUE_BELLS_H_

#include <mutex>
#include <vector>

#include "shm/segment.h"

namespace mobula::queue {

// The doorbells of other peers, as this process has opened them. Thread-safe. Owns the descriptors
// of foreign bells; a bell of this process belongs to its peer.
class Bells {
 public:
  Bells() = default;
  ~Bells();
  Bells(const Bells&) = delete;
  Bells& operator=(const Bells&) = delete;

  // Wakes the event loop of peer `slot`. No lock of the segment may be held.
  void ring(const shm::Segment& segment, uint32_t slot);
  void add_own(uint32_t slot, uint32_t uid, int write_fd);
  void remove_own(uint32_t slot, uint32_t uid);

 private:
  struct Bell {
    uint32_t uid = 0;
    int fd = -1;
    bool own = false;
  };
  void forget(Bell* bell);

  std::mutex mutex_;
  std::vector<Bell> bells_;
};

// The peers to ring once the queue lock is free. Keeps each once.
class RingList {
 public:
  void add(uint32_t slot);
  void ring_all(const shm::Segment& segment, Bells* bells);

 private:
  std::vector<uint32_t> slots_;
};

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_BELLS_H_
