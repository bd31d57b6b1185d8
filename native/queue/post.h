#ifndef MOBULA_QUEUE_POST_H_
#define MOBULA_QUEUE_POST_H_

#include "queue/bells.h"
#include "queue/records.h"

namespace mobula::queue {

// Where records go. All calls need the queue lock; `rings` collects whom to wake after it.
class Post {
 public:
  Post(const shm::Segment& segment, shm::Lock& lock)
      : segment_(segment), lock_(lock), records_(segment, lock) {}

  Records& records() { return records_; }

  bool is_live(uint32_t peer, uint32_t uid) const;
  void to_mailbox(uint32_t peer, uint32_t record, RingList* rings);
  void to_run_queue(uint32_t queue, uint32_t record, RingList* rings);
  // To the actor's host, or its pending list; back to the sender when there is no such actor.
  void to_actor(uint32_t record, RingList* rings);
  // Back to the sender as kBounced, or to oblivion when the sender has gone.
  void bounce(uint32_t record, RingList* rings);

  // An idle peer waits for a run queue until it exchanges again; its bit in `idle` goes with the
  // first ring, so that the next task wakes the next peer.
  void set_idle(uint32_t peer, uint32_t queue);
  void clear_idle(uint32_t peer);

 private:
  const shm::Segment& segment_;
  shm::Lock& lock_;
  Records records_;
};

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_POST_H_
