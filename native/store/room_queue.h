#ifndef MOBULA_STORE_ROOM_QUEUE_H_
#define MOBULA_STORE_ROOM_QUEUE_H_

#include <mutex>
#include <set>

#include "shm/segment.h"

namespace mobula::store {

// The line of all who wait for room in a store, over all processes: a place is the time of its
// taking. It orders those who ask it; nobody else is held up. Thread-safe; no lock of the segment
// is needed. A process that ends leaves the line with its slot.
class RoomQueue {
 public:
  RoomQueue(const shm::Segment& segment, uint32_t client) : segment_(segment), client_(client) {}

  // The caller watches for room (shm::kRoomBucket) from before it enters until it has left.
  uint64_t enter();
  void leave(uint64_t place);
  // Whether nobody waits who came before `place`.
  bool is_first(uint64_t place) const;

 private:
  void publish();

  const shm::Segment& segment_;
  const uint32_t client_;

  std::mutex mutex_;
  std::multiset<uint64_t> places_;  // of this process; guarded by mutex_
};

}  // namespace mobula::store

#endif  // MOBULA_STORE_ROOM_QUEUE_H_
