#include "queue/peer.h"

#include <algorithm>
#include <cstring>

#include "queue/retire.h"
#include "shm/table.h"

namespace mobula::queue {

using shm::ActorSlot;
using shm::ActorState;
using shm::Cell;
using shm::kNone;
using shm::List;
using shm::LockGuard;
using shm::PeerSlot;
using shm::PeerState;
using shm::QueueState;
using shm::RecordKind;

namespace {

constexpr uint32_t kSpareCells = 256;
constexpr uint32_t kSpareActors = 8;

size_t padded(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

}  // namespace

Status Peer::open(const shm::Segment& segment, shm::Lock& lock, Bells& bells, uint32_t client,
                  uint32_t client_generation, std::unique_ptr<Peer>* out) {
  std::unique_ptr<Peer> peer(new Peer(segment, lock, bells));
  int bell_write = -1;
  if (int error = port::bell_create(&peer->bell_read_, &bell_write)) {
    return {Code::kSystem, "cannot create a pipe: errno " + std::to_string(error)};
  }
  peer->bell_ = std::make_shared<const BellEnd>(bell_write);
  uint64_t device = 0, inode = 0;
  port::file_identity(bell_write, &device, &inode);
  LockGuard guard(lock);
  if (!guard.status().is_ok()) return guard.status();
  QueueState& queue = segment.queue();
  uint32_t index = 0;
  while (index < shm::kMaxPeers && queue.peers[index].state != PeerState::kFree) ++index;
  if (index == shm::kMaxPeers) {
    return {Code::kFull, "the runtime has its " + std::to_string(shm::kMaxPeers) +
                             " threads already: end some workers first"};
  }
  PeerSlot& slot = queue.peers[index];
  lock.set(slot.uid, queue.next_uid);
  lock.add(queue.next_uid, 1);
  lock.set(slot.client, client);
  lock.set(slot.client_generation, client_generation);
  lock.set(slot.pid, port::process_id());
  lock.set(slot.bell_fd, bell_write);
  lock.set(slot.bell_device, device);
  lock.set(slot.bell_inode, inode);
  lock.set(slot.armed, 1);
  lock.set(slot.idle_queue, kNone);
  lock.set(slot.state, PeerState::kLive);
  if (index >= queue.peers_used) lock.set(queue.peers_used, index + 1);
  peer->slot_ = index;
  peer->uid_ = slot.uid;
  bells.add_own(index, slot.uid, peer->bell_);
  *out = std::move(peer);
  return Status::ok();
}

Peer::~Peer() {
  if (slot_ != kNone) {
    retire_peer(segment_, lock_, bells_, slot_);
    bells_.remove_own(slot_, uid_);
  }
  if (bell_read_ >= 0) port::file_close(bell_read_);
}

Status Peer::exchange(const uint8_t* outbox, size_t length, uint8_t* inbox, size_t capacity,
                      uint32_t queue, uint32_t max_tasks, size_t* sent, Exchanged* out) {
  RingList rings;
  *sent = 0;
  *out = {};
  for (;;) {
    Status status;
    {
      LockGuard guard(lock_);
      if (!guard.status().is_ok()) return guard.status();
      status = send(outbox, length, sent, &rings);
      if (*sent == length) receive(inbox, capacity, queue, max_tasks, out);
    }
    rings.ring_all(segment_, &bells_);
    if (!status.is_ok() || *sent == length) return status;
    Wire next;
    std::memcpy(&next, outbox + *sent, sizeof next);
    uint32_t spare = std::max(kSpareCells, Records::cells_for(next.length));
    Status grown = shm::table_grow(segment_, lock_, segment_.cells(), spare);
    if (!grown.is_ok()) return grown;
  }
}

// Ok with *sent < length asks for more cells. Every record is a transaction of its own: its cells
// may be those of a record freed just before, whose bytes no undo could bring back.
Status Peer::send(const uint8_t* outbox, size_t length, size_t* sent, RingList* rings) {
  while (*sent < length) {
    Wire wire;
    std::memcpy(&wire, outbox + *sent, sizeof wire);
    if (!post_.records().has_room_for(wire.length)) {
      if (segment_.cells().can_grow()) return Status::ok();
      return {Code::kFull, "the queue region is full: wait for tasks to finish before submitting"};
    }
    send_one(wire, outbox + *sent + sizeof wire, rings);
    *sent += wire.bytes;
    lock_.commit();
  }
  return Status::ok();
}

void Peer::send_one(const Wire& wire, const uint8_t* payload, RingList* rings) {
  auto op = static_cast<Op>(wire.op);
  if (op == Op::kComplete) return complete(wire, payload, rings);
  if (op == Op::kMessage && !post_.is_live(wire.target, wire.target_uid)) return;
  uint32_t record = post_.records().create(payload, wire.length);
  Cell& cell = segment_.cell(record);
  cell.sender = slot_;
  cell.sender_uid = uid_;
  cell.target = wire.target;
  cell.target_uid = wire.target_uid;
  cell.flags = wire.flags;
  cell.sequence = wire.sequence;
  switch (op) {
    case Op::kSubmit:
      cell.kind = RecordKind::kTask;
      post_.to_run_queue(wire.target, record, rings);
      return;
    case Op::kCall:
      cell.kind = RecordKind::kCall;
      post_.to_actor(record, rings);
      return;
    default:
      cell.kind = RecordKind::kMessage;
      post_.to_mailbox(wire.target, record, rings);
  }
}

bool Peer::owns(uint32_t record) const {
  if (record >= segment_.queue().cells.used) return false;
  RecordKind kind = segment_.cell(record).kind;
  return kind == RecordKind::kTask || kind == RecordKind::kCall;
}

// One step with the end of the task: no death can lose or repeat the answer.
void Peer::complete(const Wire& wire, const uint8_t* payload, RingList* rings) {
  if (!owns(wire.target)) return;
  const Cell& task = segment_.cell(wire.target);
  uint32_t owner = task.sender;
  uint32_t owner_uid = task.sender_uid;
  uint64_t sequence = task.sequence;
  post_.records().remove(own().in_flight, wire.target);
  if (post_.is_live(owner, owner_uid)) {
    uint32_t record = post_.records().create(payload, wire.length);
    Cell& cell = segment_.cell(record);
    cell.kind = RecordKind::kCompletion;
    cell.sender = slot_;
    cell.sender_uid = uid_;
    cell.target = 0;
    cell.target_uid = 0;
    cell.flags = wire.flags;
    cell.sequence = sequence;
    post_.to_mailbox(owner, record, rings);
  }
  post_.records().free(wire.target);
}

void Peer::receive(uint8_t* inbox, size_t capacity, uint32_t queue, uint32_t max_tasks,
                   Exchanged* out) {
  Records& records = post_.records();
  List& mailbox = own().mailbox;
  while (mailbox.head != kNone) {
    uint32_t record = mailbox.head;
    if (!copy_out(record, inbox, capacity, out)) {
      out->more = true;
      break;
    }
    records.remove(mailbox, record);
    if (segment_.cell(record).kind == RecordKind::kCall) {
      records.push(own().in_flight, record);
    } else {
      records.free(record);
    }
    lock_.commit();
  }
  List& run = segment_.queue().run[queue];
  uint32_t taken = 0;
  while (!out->more && taken < max_tasks && run.head != kNone) {
    uint32_t record = run.head;
    const Cell& cell = segment_.cell(record);
    bool wanted = post_.is_live(cell.sender, cell.sender_uid);
    if (wanted && !copy_out(record, inbox, capacity, out)) {
      out->more = true;
      break;
    }
    records.remove(run, record);
    if (wanted) {
      records.push(own().in_flight, record);
      ++taken;
    } else {
      records.free(record);
    }
    lock_.commit();
  }
  if (max_tasks > 0 && taken == 0 && !out->more) {
    post_.set_idle(slot_, queue);
  } else {
    post_.clear_idle(slot_);
  }
  lock_.set(own().armed, out->more ? 0 : 1);
}

bool Peer::copy_out(uint32_t record, uint8_t* inbox, size_t capacity, Exchanged* out) {
  const Cell& cell = segment_.cell(record);
  size_t bytes = padded(sizeof(Wire) + cell.length);
  if (out->received + bytes > capacity) return false;
  bool answerable = cell.kind == RecordKind::kTask || cell.kind == RecordKind::kCall;
  Wire wire{static_cast<uint32_t>(bytes),
            static_cast<uint32_t>(cell.kind),
            answerable ? record : cell.target,
            answerable ? cell.target : cell.target_uid,
            cell.length,
            cell.flags,
            cell.sequence,
            cell.sender,
            cell.sender_uid};
  std::memcpy(inbox + out->received, &wire, sizeof wire);
  post_.records().copy_payload(record, inbox + out->received + sizeof wire);
  out->received += bytes;
  return true;
}

Status Peer::create_actor(uint32_t* index, uint32_t* generation) {
  for (;;) {
    {
      LockGuard guard(lock_);
      if (!guard.status().is_ok()) return guard.status();
      if (segment_.actors().is_exhausted()) {
        return {Code::kFull, "the runtime has its " + std::to_string(shm::kMaxActors) +
                                 " actors already: end some first"};
      }
      if (segment_.actors().has(1)) {
        *index = shm::table_take(lock_, segment_.actors());
        ActorSlot& actor = segment_.actor(*index);
        lock_.add(actor.generation, 1);
        lock_.set(actor.owner, slot_);
        lock_.set(actor.owner_uid, uid_);
        lock_.set(actor.pending.head, kNone);
        lock_.set(actor.pending.tail, kNone);
        lock_.set(actor.pending.count, 0);
        lock_.set(actor.state, ActorState::kPending);
        *generation = actor.generation;
        return Status::ok();
      }
    }
    Status grown = shm::table_grow(segment_, lock_, segment_.actors(), kSpareActors);
    if (!grown.is_ok()) return grown;
  }
}

Status Peer::host_actor(uint32_t index, uint32_t generation, uint32_t host, uint32_t host_uid) {
  RingList rings;
  {
    LockGuard guard(lock_);
    if (!guard.status().is_ok()) return guard.status();
    ActorSlot& actor = segment_.actor(index);
    if (actor.state != ActorState::kPending || actor.generation != generation ||
        !post_.is_live(host, host_uid)) {
      return {Code::kNotFound, "the actor or its host has ended"};
    }
    lock_.set(actor.host, host);
    lock_.set(actor.host_uid, host_uid);
    lock_.set(actor.state, ActorState::kAlive);
    post_.records().splice(segment_.queue().peers[host].mailbox, actor.pending);
    rings.add(host);
  }
  rings.ring_all(segment_, &bells_);
  return Status::ok();
}

void Peer::end_actor(uint32_t index, uint32_t generation) {
  queue::end_actor(segment_, lock_, bells_, index, generation);
}

bool Peer::client_of(uint32_t slot, uint32_t uid, uint32_t* client, uint32_t* client_generation) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok() || !post_.is_live(slot, uid)) return false;
  *client = segment_.queue().peers[slot].client;
  *client_generation = segment_.queue().peers[slot].client_generation;
  return true;
}

bool Peer::is_live(uint32_t slot, uint32_t uid) {
  LockGuard guard(lock_);
  return guard.status().is_ok() && post_.is_live(slot, uid);
}

}  // namespace mobula::queue
