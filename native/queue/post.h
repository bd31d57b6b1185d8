#ifndef MOBULA_QUEUE_POST_H_
#define MOBULA_QUEUE_POST_H_

#include "queue/argument_room.h"
#include "queue/bells.h"
#include "queue/records.h"
#include "queue/resources.h"
#include "queue/shapes.h"

namespace mobula::queue {

// Where records go. All calls need the queue lock; `rings` collects whom to wake after it.
class Post {
 public:
  Post(const shm::Segment& segment, shm::Lock& lock)
      : segment_(segment),
        lock_(lock),
        records_(segment, lock),
        shapes_(segment, lock),
        resources_(segment, lock),
        arguments_(segment, lock) {}

  Records& records() { return records_; }
  Shapes& shapes() { return shapes_; }
  Resources& resources() { return resources_; }
  ArgumentRoom& arguments() { return arguments_; }

  bool is_live(uint32_t peer, uint32_t uid) const;
  void to_mailbox(uint32_t peer, uint32_t record, RingList* rings);
  // The same for a record that this transaction has created.
  void new_to_mailbox(uint32_t peer, uint32_t record, RingList* rings);
  // A new task, to its shape; back to the sender when there is no such shape.
  void submit(uint32_t task, RingList* rings);
  // To the actor's host, or its pending list; back to the sender when there is no such actor.
  void to_actor(uint32_t record, RingList* rings);
  // A call on no list, which was with a host that has it no more: to where the actor's next host
  // will find it, in the order in which such calls come and ahead of new ones. False, with nothing
  // done, when the actor will have none, or when the host may have `begun` the call, having made
  // the actor, and it is not to be begun again. One to blame uses up a retry by that.
  bool return_call(uint32_t record, bool begun, bool to_blame, RingList* rings);
  // Takes a call from an actor's pending list.
  void remove_pending(shm::ActorSlot& actor, uint32_t record);

  // Whether `record`, of any kind or free, is a task or call that somebody has in flight.
  bool is_in_flight(uint32_t record) const;
  // A task or call that is on no list, to what `peer` has in flight; and off it. A task holds its
  // resources in between, and room for its arguments; while it is lent no cpu and no room.
  void take(uint32_t record, uint32_t peer);
  void put_down(uint32_t record);
  void lend(uint32_t task);
  void resume(uint32_t task);

  // What becomes of a task or call that is on no list. Back to the sender as kBounced, or to
  // oblivion when the sender has gone; `flags` tell the sender whether it is to blame.
  void bounce(uint32_t record, uint32_t flags, RingList* rings);
  void drop(uint32_t record);

  // An idle peer waits for tasks of a kind until it exchanges again; its bit in `idle` goes with
  // the first ring for a task, so that the next task wakes the next peer.
  void set_idle(uint32_t peer, uint32_t kind);
  void clear_idle(uint32_t peer);
  // Rings an idle peer of each kind of which more tasks are queued than peers on their way to them,
  // if one of them can start; and those that wait for room for arguments. To be called after
  // either came back, and by who was rung itself.
  void wake(RingList* rings);

 private:
  shm::ActorSlot* actor_of(const shm::Cell& call) const;
  void announce(uint32_t peer, RingList* rings);
  uint32_t first_idle(uint32_t kind) const;
  void summon(uint32_t kind, uint32_t peer, RingList* rings);

  const shm::Segment& segment_;
  shm::Lock& lock_;
  Records records_;
  Shapes shapes_;
  Resources resources_;
  ArgumentRoom arguments_;
};

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_POST_H_
