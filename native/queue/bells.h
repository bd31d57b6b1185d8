#ifndef MOBULA_QUEUE_BELLS_H_
#define MOBULA_QUEUE_BELLS_H_

#include <memory>
#include <mutex>
#include <vector>

#include "shm/segment.h"

namespace mobula::queue {

// The writing end of a doorbell; closed when nobody uses it any more.
class BellEnd {
 public:
  explicit BellEnd(int fd) : fd_(fd) {}
  ~BellEnd() { port::file_close(fd_); }
  BellEnd(const BellEnd&) = delete;
  BellEnd& operator=(const BellEnd&) = delete;

  void ring() const { port::bell_ring(fd_); }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

// The doorbells of the peers that this process has rung, and those of its own peers. Thread-safe.
class Bells {
 public:
  // Wakes the event loop of peer `slot`. No lock of the segment may be held.
  void ring(const shm::Segment& segment, uint32_t slot);
  void add_own(uint32_t slot, uint32_t uid, std::shared_ptr<const BellEnd> end);
  void remove_own(uint32_t slot, uint32_t uid);

 private:
  struct Bell {
    uint32_t uid = 0;
    std::shared_ptr<const BellEnd> end;
  };
  std::shared_ptr<const BellEnd> find(const shm::Segment& segment, uint32_t slot);

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
