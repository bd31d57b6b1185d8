#ifndef MOBULA_QUEUE_PEER_H_
#define MOBULA_QUEUE_PEER_H_

#include <memory>

#include "mobula/status.h"
#include "queue/bells.h"
#include "queue/post.h"
#include "shm/lock.h"
#include "shm/segment.h"

namespace mobula::queue {

// One record as it stands in an outbox or an inbox, followed by `length` bytes of payload and
// padding to a multiple of 8. Frozen: lib/transport/wire.ts writes and reads it.
struct Wire {
  uint32_t bytes;  // of this record: header, payload and padding
  uint32_t op;     // Op in an outbox, shm::RecordKind in an inbox
  // Outbox: run queue, actor, peer, or the handle of the task or call that is answered.
  // Inbox: for tasks and calls the handle by which to answer, else the actor or 0; kNone when it
  // bounced off a peer that has ended.
  uint32_t target;
  // Outbox: uid of a peer, generation of an actor. Inbox: the called actor; the uid of a peer that
  // has ended.
  uint32_t target_uid;
  uint32_t length;
  uint32_t flags;     // carried along, not looked at
  uint64_t sequence;  // the sender's number for the record; a completion has its task's number
  uint32_t sender;    // inbox only
  uint32_t sender_uid;
};
static_assert(sizeof(Wire) == 40);

enum class Op : uint32_t {
  kSubmit = 1,    // a task, to run queue `target`
  kCall = 2,      // to actor `target` of generation `target_uid`
  kComplete = 3,  // the answer to `target`, to whoever sent that
  kMessage = 4,   // to peer `target`, `target_uid`
};

struct Exchanged {
  size_t received = 0;  // bytes in the inbox
  bool more = false;    // records are left that did not fit: exchange again
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

  // Sends all records of the outbox, then receives what is in the mailbox and, of run queue
  // `queue`, up to `max_tasks` tasks. With max_tasks > 0 and none found the peer counts as idle:
  // it will be rung for the next task. An inbox holds at least one record of any size that the
  // outboxes hold. kFull: the first records up to `*sent` bytes are sent, the rest is not.
  Status exchange(const uint8_t* outbox, size_t length, uint8_t* inbox, size_t capacity,
                  uint32_t queue, uint32_t max_tasks, size_t* sent, Exchanged* out);

  Status create_actor(uint32_t* index, uint32_t* generation);
  // From now on calls go to the mailbox of `host`; those that waited go there first.
  Status host_actor(uint32_t index, uint32_t generation, uint32_t host, uint32_t host_uid);
  void end_actor(uint32_t index, uint32_t generation);
  bool is_live(uint32_t slot, uint32_t uid);
  // The process that a live peer belongs to, as slot and generation of the client table.
  bool client_of(uint32_t slot, uint32_t uid, uint32_t* client, uint32_t* client_generation);

 private:
  Peer(const shm::Segment& segment, shm::Lock& lock, Bells& bells)
      : segment_(segment), lock_(lock), bells_(bells), post_(segment, lock) {}

  Status send(const uint8_t* outbox, size_t length, size_t* sent, RingList* rings);
  void send_one(const Wire& wire, const uint8_t* payload, RingList* rings);
  void complete(const Wire& wire, const uint8_t* payload, RingList* rings);
  void receive(uint8_t* inbox, size_t capacity, uint32_t queue, uint32_t max_tasks, Exchanged* out);
  bool copy_out(uint32_t record, uint8_t* inbox, size_t capacity, Exchanged* out);
  bool owns(uint32_t record) const;
  shm::PeerSlot& own() const { return segment_.queue().peers[slot_]; }

  const shm::Segment& segment_;
  shm::Lock& lock_;
  Bells& bells_;
  Post post_;
  uint32_t slot_ = shm::kNone;
  uint32_t uid_ = 0;
  int bell_read_ = -1;
  std::shared_ptr<const BellEnd> bell_;
};

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_PEER_H_
