#ifndef MOBULA_QUEUE_ARGUMENT_ROOM_H_
#define MOBULA_QUEUE_ARGUMENT_ROOM_H_

#include "queue/bells.h"
#include "shm/lock.h"
#include "shm/segment.h"

namespace mobula::queue {

// How much of the store arguments of tasks in flight pin: a share at most, so that tasks with large
// ones do not starve each other of memory. A task that is lent holds none, or those that it waits
// for could wait for it. All calls need the queue lock.
class ArgumentRoom {
 public:
  ArgumentRoom(const shm::Segment& segment, shm::Lock& lock) : segment_(segment), lock_(lock) {}

  // A task is in flight from here on, without arguments; and not any more.
  void begin(uint32_t task);
  void end(uint32_t task);
  // Room for `bytes`, rounded down to kArgumentUnit, if with those of others they are no more than
  // `most`, or if others hold nothing. First submitted, first served. False: its peer waits, for
  // one task at a time, and is rung when it should ask again.
  bool hold(uint32_t task, uint64_t bytes, uint64_t most);
  // Before the task is lent; and before it goes on, with its room, even if there is none. Both may
  // be repeated.
  void lend(uint32_t task);
  void resume(uint32_t task);
  void wake(RingList* rings);

 private:
  bool is_next(uint32_t task) const;
  void give_back(uint32_t task);
  void stop_waiting(uint32_t task);

  const shm::Segment& segment_;
  shm::Lock& lock_;
};

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_ARGUMENT_ROOM_H_
