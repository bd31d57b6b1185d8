#ifndef MOBULA_QUEUE_PEER_H_
#define MOBULA_QUEUE_PEER_H_

#include <memory>
#include <vector>

#include "mobula/status.h"
#include "queue/bells.h"
#include "queue/post.h"
#include "queue/sent.h"
#include "queue/spin.h"
#include "shm/lock.h"
#include "shm/segment.h"

namespace mobula::queue {

// One record as it stands in an outbox or an inbox, followed by `length` bytes of payload and
// padding to a multiple of 8. Frozen: lib/transport/wire.ts writes and reads it.
struct Wire {
  uint32_t bytes;  // of this record: header, payload and padding
  uint32_t op;     // Op in an outbox, shm::RecordKind in an inbox
  // Outbox: shape, actor, peer, or the handle of the task or call that it is about.
  // Inbox: for tasks and calls the handle by which to answer, of a completion or item whether it is
  // a task's (1) or a call's (0), else the actor or 0; kNone when it bounced off a peer that has
  // ended.
  uint32_t target;
  // Outbox: priority of a task (int32_t), uid of a peer, generation of an actor, number of an item.
  // Inbox: the called actor, the task's shape, the number of an item, the uid of a peer that has
  // ended.
  uint32_t target_uid;
  uint32_t length;
  // Carried along. Of a task bits, of which Peer::tasks_at tells; with bit 0 set its payload is
  // wanted back with a completion of flags 1, in place of what that has. Of a completion: 0 and 1
  // are values, after which a task counts as finished. Of a kBounced record: kToBlame or 0
  // (retire.h). Of a call, in an outbox: how often it may be begun again when its host ends
  // (int32_t; -1: as often as it takes); in an inbox: the generation of the actor. Of kReturn: 1
  // when the call may have been begun.
  uint32_t flags;
  // The sender's number for the record, which grows from task or call to the next; completions and
  // items have their task's number.
  uint64_t sequence;
  uint32_t sender;  // inbox only, as all that follows
  uint32_t sender_uid;
  // Of a task: a bit per gpu that it has, or has a part of. Of a call: how often it was begun
  // before.
  uint64_t devices;
};
static_assert(sizeof(Wire) == 48);

// Frozen. What answers a task or call, or is about it, is dropped unless this peer has it in
// flight.
enum class Op : uint32_t {
  kSubmit = 1,    // a task, of shape `target` and priority `target_uid`
  kCall = 2,      // to actor `target` of generation `target_uid`
  kComplete = 3,  // the answer to `target`, to whoever sent that
  kMessage = 4,   // to peer `target`, `target_uid`
  kItem = 5,      // part of the answer to `target`, which stays in flight
  kLend = 6,      // `target` waits: its cpus, if it is a task, are free for others
  kResume = 7,    // `target` goes on, with its cpus, even if there are fewer then than none
  kResubmit = 8,  // as kSubmit, for another time
  // Tasks of this peer: `target` more count as finished, `target_uid` more as failed (both
  // int32_t).
  kTally = 9,
  // `target`, a call, goes to its actor's next host, or back to its sender (Post::return_call).
  kReturn = 10,
};

struct Exchanged {
  size_t received = 0;  // bytes in the inbox
  bool more = false;    // records are left that did not fit: exchange again
};

// Of the runtime, now: live workers; tasks queued and running; actors in use, hosted or not. The
// others so far: a task finishes or fails once, however often it is retried.
struct Counts {
  uint64_t queued = 0;
  uint64_t running = 0;
  uint64_t finished = 0;
  uint64_t failed = 0;
  uint64_t retried = 0;
  uint64_t bounced = 0;  // calls too
  uint64_t workers = 0;
  uint64_t actors = 0;
  uint64_t actors_restarting = 0;  // of those
  uint64_t actors_ended = 0;
};

// A task, by its sender's number, and the peer that has it in flight.
struct TakenTask {
  uint32_t slot;
  uint32_t uid;
  uint64_t sequence;
};

// A task that somebody has in flight. Of two the one of the higher order was submitted later.
struct HeldTask {
  uint32_t sender;
  uint32_t sender_uid;
  uint64_t sequence;
  uint64_t order;
  uint32_t flags;  // the sender's
};

// A JavaScript thread's end of the transport: its mailbox, its doorbell, what it is running.
// Used by one thread, apart from static functions. Its end bounces what it had not answered.
class Peer {
 public:
  // `client` and `client_generation` are this process's slot. The segment, lock and bells must
  // outlive the peer.
  static Status open(const shm::Segment& segment, shm::Lock& lock, Bells& bells, uint32_t client,
                     uint32_t client_generation, std::unique_ptr<Peer>* out);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  uint32_t slot() const { return slot_; }
  uint32_t uid() const { return uid_; }
  int bell() const { return bell_read_; }  // readable when there may be something to receive

  // Sends all records of the outbox, then receives what is in the mailbox and, of the tasks for
  // workers of `kind`, up to `max_tasks` that the runtime affords. With max_tasks > 0 and none
  // found the peer counts as idle: it will be rung for the next task. An inbox holds at least one
  // record of any size that the outboxes hold. kFull: the first records up to `*sent` bytes are
  // sent, the rest is not.
  Status exchange(const uint8_t* outbox, size_t length, uint8_t* inbox, size_t capacity,
                  uint32_t kind, uint32_t max_tasks, size_t* sent, Exchanged* out);
  // Blocks until there may be something to receive, which is true, or for `timeout_ms`.
  bool wait(uint32_t timeout_ms);

  // An actor that this peer owns and ends with; a detached one is the driver's, while there is one.
  // `restarts` as in shm::ActorSlot.
  Status create_actor(int32_t restarts, bool is_detached, uint32_t* index, uint32_t* generation);
  // This peer owns it from now on. kNotFound when it has ended, as for all that follow.
  Status adopt_actor(uint32_t index, uint32_t generation);
  // From now on calls go to the mailbox of `host`, its host number `attempt`; those that waited go
  // there first.
  Status host_actor(uint32_t index, uint32_t generation, uint32_t host, uint32_t host_uid,
                    uint32_t attempt);
  // Host number `attempt`, which may not be known as such yet, begins calls from now on. Before,
  // its sudden end leaves those that it has received not begun.
  Status set_made(uint32_t index, uint32_t generation, uint32_t attempt);
  // From now on calls wait for another host, which counts as a restart. The host that it has must
  // return those that it has received. kNotFound also when it has no host or no restarts left.
  Status unhost_actor(uint32_t index, uint32_t generation);
  Status set_restarts(uint32_t index, uint32_t generation, int32_t restarts);
  // kFree when it has ended.
  shm::ActorState actor_state(uint32_t index, uint32_t generation);
  void end_actor(uint32_t index, uint32_t generation);
  bool is_live(uint32_t slot, uint32_t uid);
  // The slot of the live peer of that uid.
  bool find(uint32_t uid, uint32_t* slot);
  // The process that a live peer belongs to, as slot and generation of the client table.
  bool client_of(uint32_t slot, uint32_t uid, uint32_t* client, uint32_t* client_generation);

  // What the runtime has: once, by whoever made it, before the first shape.
  Status set_resources(const std::vector<Amount>& totals);
  Status resources(std::vector<ResourceInfo>* out);
  // What tasks for workers of `kind` that ask for these amounts are submitted to. kUnschedulable:
  // the runtime will never have as much.
  Status shape(uint32_t kind, const std::vector<Amount>& amounts, uint32_t* index);

  // The peer that owns the runtime. The tasks that it takes are no tasks but stand for what actors
  // hold as long as they live.
  Status set_driver();
  bool driver(uint32_t* slot, uint32_t* uid);
  // From now on this peer counts as one of the runtime's workers.
  Status set_worker();

  // Takes back a task or call of this peer that nobody has taken: true, and no record comes back.
  bool cancel_queued(uint64_t sequence);
  // Who has a task or call of this peer in flight; false when it waits, or was answered.
  bool where_is(uint64_t sequence, uint32_t* slot, uint32_t* uid);
  // The tasks of the peer `sender_uid`, which may have ended, that are in flight.
  Status tasks_of(uint32_t sender_uid, std::vector<TakenTask>* out);
  // What the live peer at `slot`, `uid` has in flight; nothing when it has ended.
  Status tasks_at(uint32_t slot, uint32_t uid, std::vector<HeldTask>* out);
  // Of what that peer has in flight, lays the blame for its death, which is to come, on this one.
  bool blame(uint32_t slot, uint32_t uid, uint32_t sender_uid, uint64_t sequence);

  // Room for `bytes` of arguments of a task that this peer has in flight, if there is some now
  // (ArgumentRoom::hold).
  bool hold_arguments(uint32_t handle, uint64_t bytes, uint64_t most);

  Status counts(Counts* out);
  // Whether all tasks and calls in flight wait, for each other or for room, and no task is queued.
  bool is_quiet();

 private:
  Peer(const shm::Segment& segment, shm::Lock& lock, Bells& bells)
      : segment_(segment), lock_(lock), bells_(bells), post_(segment, lock) {}

  Status send(const uint8_t* outbox, size_t length, size_t* sent, RingList* rings);
  void send_one(const Wire& wire, const uint8_t* payload, RingList* rings);
  uint32_t create(const Wire& wire, const uint8_t* payload);
  void submit(const Wire& wire, const uint8_t* payload, RingList* rings);
  void call(const Wire& wire, const uint8_t* payload, RingList* rings);
  void message(const Wire& wire, const uint8_t* payload, RingList* rings);
  void return_call(const Wire& wire, RingList* rings);
  void complete(const Wire& wire, const uint8_t* payload, RingList* rings);
  void give_back(const Wire& wire, RingList* rings);
  void answer(shm::RecordKind kind, const Wire& wire, const uint8_t* payload, RingList* rings);
  void receive(uint8_t* inbox, size_t capacity, uint32_t kind, uint32_t max_tasks, RingList* rings,
               Exchanged* out);
  bool receive_mail(uint8_t* inbox, size_t capacity, Exchanged* out);
  uint32_t receive_tasks(uint8_t* inbox, size_t capacity, uint32_t kind, uint32_t max_tasks,
                         Exchanged* out);
  bool fits(uint32_t record, size_t capacity, Exchanged* out) const;
  void copy_out(uint32_t record, uint8_t* inbox, Exchanged* out);
  bool has_in_flight(uint32_t record) const;
  uint32_t find_sent(uint64_t sequence);
  bool remove_waiting(uint32_t call);
  shm::ActorSlot* find_actor(uint32_t index, uint32_t generation) const;
  bool has_mail() const;
  bool arm();
  bool spin();
  bool spin_for_more(uint32_t kind, uint32_t max_tasks);
  Status exchange_once(const uint8_t* outbox, size_t length, uint8_t* inbox, size_t capacity,
                       uint32_t kind, uint32_t max_tasks, size_t* sent, Exchanged* out);
  shm::PeerSlot& own() const { return segment_.queue().peers[slot_]; }

  const shm::Segment& segment_;
  shm::Lock& lock_;
  Bells& bells_;
  Post post_;
  Sent sent_;
  uint32_t slot_ = shm::kNone;
  uint32_t uid_ = 0;
  int bell_read_ = -1;
  std::shared_ptr<const BellEnd> bell_;
  Spin spin_;
};

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_PEER_H_
