#ifndef MOBULA_QUEUE_TASK_HEAP_H_
#define MOBULA_QUEUE_TASK_HEAP_H_

#include "shm/lock.h"
#include "shm/segment.h"

namespace mobula::queue {

inline int32_t priority_of(const shm::Cell& task) { return static_cast<int32_t>(task.target_uid); }

// The order in which tasks start: the higher priority first, among equals the older.
inline bool goes_before(const shm::Cell& a, const shm::Cell& b) {
  int32_t of_a = priority_of(a), of_b = priority_of(b);
  return of_a != of_b ? of_a > of_b : a.order < b.order;
}

// Leftist heaps of tasks (Crane 1972): `root` is the one that goes first, or kNone. Each change
// takes O(log n) steps, and at most some 400 words of the log in a heap of all cells. All calls
// need the queue lock.
class TaskHeap {
 public:
  TaskHeap(const shm::Segment& segment, shm::Lock& lock) : segment_(segment), lock_(lock) {}

  // One that this transaction has created.
  void push(uint32_t& root, uint32_t task);
  void remove(uint32_t& root, uint32_t task);

 private:
  uint32_t merge(uint32_t a, uint32_t b, uint32_t parent);
  void set_right(uint32_t task, uint32_t child);
  bool set_rank(uint32_t task);
  uint32_t rank_of(uint32_t task) const;

  const shm::Segment& segment_;
  shm::Lock& lock_;
};

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_TASK_HEAP_H_
