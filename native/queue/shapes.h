#ifndef MOBULA_QUEUE_SHAPES_H_
#define MOBULA_QUEUE_SHAPES_H_

#include <vector>

#include "queue/records.h"
#include "queue/resources.h"
#include "queue/task_heap.h"
#include "shm/lock.h"
#include "shm/segment.h"

namespace mobula::queue {

// The tasks that nobody has taken yet, by what they ask for. All calls need the queue lock.
class Shapes {
 public:
  Shapes(const shm::Segment& segment, shm::Lock& lock)
      : segment_(segment),
        lock_(lock),
        records_(segment, lock),
        heap_(segment, lock),
        resources_(segment, lock) {}

  // The shape of these amounts, made if there is none. kUnschedulable: see Resources::measure.
  Status find(uint32_t kind, const std::vector<Amount>& amounts, uint32_t* index);
  // A task that this transaction has created, with its order: its target is the shape, target_uid
  // the priority.
  void push(uint32_t task);
  void remove(uint32_t task);
  // The task that a worker of this kind should take: of those that the runtime affords now, the one
  // that goes before all others; kNone when there is none.
  uint32_t first(uint32_t kind) const;
  bool affords_any(uint32_t kind) const { return first(kind) != shm::kNone; }
  uint64_t queued(uint32_t kind) const;

 private:
  template <class Visit>
  void for_each_nonempty(uint32_t kind, const Visit& visit) const;

  const shm::Segment& segment_;
  shm::Lock& lock_;
  Records records_;
  TaskHeap heap_;
  Resources resources_;
};

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_SHAPES_H_
