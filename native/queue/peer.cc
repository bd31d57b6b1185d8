#include "queue/peer.h"

#include <algorithm>
#include <cstring>

#include "queue/retire.h"
#include "shm/table.h"

namespace mobula::queue {

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
// Flags of completions: lib/runtime/tasks/answers.ts.
constexpr uint32_t kStored = 1;
constexpr uint32_t kLastOfValues = kStored;
// Of a task, a bit: lib/transport/wire.ts.
constexpr uint32_t kWantedBack = 1;

size_t padded(size_t bytes) { return (bytes + 7) & ~size_t{7}; }
uint64_t sign_extended(uint32_t word) { return static_cast<uint64_t>(static_cast<int32_t>(word)); }

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
  lock.set(slot.idle_kind, kNone);
  lock.set(slot.waiting, kNone);
  lock.set(slot.is_worker, 0);
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
                      uint32_t kind, uint32_t max_tasks, size_t* sent, Exchanged* out) {
  *sent = 0;
  *out = {};
  for (;;) {
    Status status = exchange_once(outbox, length, inbox, capacity, kind, max_tasks, sent, out);
    if (!status.is_ok()) return status;
    if (*sent == length) {
      bool expects = max_tasks > 0 || own().is_worker != 0 || !sent_.is_empty();
      bool waits = out->received == 0 && expects;
      if (waits && spin_for_more(kind, max_tasks)) {
        status = exchange_once(outbox, length, inbox, capacity, kind, max_tasks, sent, out);
      }
      if (out->received > 0) {
        spin_.received();
      } else if (waits) {
        spin_.asleep();
      }
      return status;
    }
    Wire next;
    std::memcpy(&next, outbox + *sent, sizeof next);
    uint32_t spare = std::max(kSpareCells, Records::cells_for(next.length));
    Status grown = shm::table_grow(segment_, lock_, segment_.cells(), spare);
    if (!grown.is_ok()) return grown;
  }
}

Status Peer::exchange_once(const uint8_t* outbox, size_t length, uint8_t* inbox, size_t capacity,
                           uint32_t kind, uint32_t max_tasks, size_t* sent, Exchanged* out) {
  RingList rings;
  Status status;
  {
    LockGuard guard(lock_);
    if (!guard.status().is_ok()) return guard.status();
    status = send(outbox, length, sent, &rings);
    if (*sent == length) receive(inbox, capacity, kind, max_tasks, &rings, out);
  }
  rings.ring_all(segment_, &bells_);
  return status;
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
  switch (static_cast<Op>(wire.op)) {
    case Op::kSubmit:
      return submit(wire, payload, rings);
    case Op::kResubmit:
      lock_.add(segment_.queue().retried, 1);
      return submit(wire, payload, rings);
    case Op::kCall:
      return call(wire, payload, rings);
    case Op::kMessage:
      return message(wire, payload, rings);
    case Op::kTally:
      lock_.add(segment_.queue().finished, sign_extended(wire.target));
      lock_.add(segment_.queue().failed, sign_extended(wire.target_uid));
      return;
    default:
      break;
  }
  if (!has_in_flight(wire.target)) return;
  bool is_task = segment_.cell(wire.target).kind == RecordKind::kTask;
  switch (static_cast<Op>(wire.op)) {
    case Op::kComplete:
      return complete(wire, payload, rings);
    case Op::kReturn:
      return is_task ? void() : return_call(wire, rings);
    case Op::kItem:
      return answer(RecordKind::kItem, wire, payload, rings);
    case Op::kLend:
      if (is_task) return post_.lend(wire.target);
      return lock_.set(segment_.cell(wire.target).lent, 1);
    case Op::kResume:
      if (is_task) return post_.resume(wire.target);
      return lock_.set(segment_.cell(wire.target).lent, 0);
    default:
      return;
  }
}

// The record is nobody's yet, so its fields need no log.
uint32_t Peer::create(const Wire& wire, const uint8_t* payload) {
  uint32_t record = post_.records().create(payload, wire.length);
  Cell& cell = segment_.cell(record);
  cell.sender = slot_;
  cell.sender_uid = uid_;
  cell.target = wire.target;
  cell.target_uid = wire.target_uid;
  cell.flags = wire.flags;
  cell.sequence = wire.sequence;
  cell.lent = 0;
  cell.right = 0;
  cell.devices = 0;
  cell.holder = kNone;
  return record;
}

void Peer::submit(const Wire& wire, const uint8_t* payload, RingList* rings) {
  uint32_t task = create(wire, payload);
  segment_.cell(task).kind = RecordKind::kTask;
  sent_.note(wire.sequence, task);
  post_.submit(task, rings);
}

void Peer::call(const Wire& wire, const uint8_t* payload, RingList* rings) {
  uint32_t call = create(wire, payload);
  segment_.cell(call).kind = RecordKind::kCall;
  sent_.note(wire.sequence, call);
  post_.to_actor(call, rings);
}

void Peer::message(const Wire& wire, const uint8_t* payload, RingList* rings) {
  if (!post_.is_live(wire.target, wire.target_uid)) return;
  uint32_t message = create(wire, payload);
  segment_.cell(message).kind = RecordKind::kMessage;
  post_.new_to_mailbox(wire.target, message, rings);
}

bool Peer::has_in_flight(uint32_t record) const {
  return record < segment_.queue().cells.used && segment_.cell(record).holder == slot_ &&
         post_.is_in_flight(record);
}

// Nobody is to blame: it is the actor that has ended, not the peer.
void Peer::return_call(const Wire& wire, RingList* rings) {
  bool begun = wire.flags != 0;
  post_.put_down(wire.target);
  if (!post_.return_call(wire.target, begun, begun, rings)) post_.bounce(wire.target, begun, rings);
}

// One step with the end of the task: no death can lose or repeat the answer.
void Peer::complete(const Wire& wire, const uint8_t* payload, RingList* rings) {
  QueueState& state = segment_.queue();
  bool is_task = segment_.cell(wire.target).kind == RecordKind::kTask;
  if (is_task) lock_.add(state.answered, 1);
  if (is_task && wire.flags <= kLastOfValues) lock_.add(state.finished, 1);
  post_.put_down(wire.target);
  if (is_task && wire.flags == kStored && (segment_.cell(wire.target).flags & kWantedBack) != 0) {
    return give_back(wire, rings);
  }
  answer(RecordKind::kCompletion, wire, payload, rings);
  post_.records().free(wire.target);
}

// The task becomes its own completion.
void Peer::give_back(const Wire& wire, RingList* rings) {
  Cell& cell = segment_.cell(wire.target);
  if (!post_.is_live(cell.sender, cell.sender_uid)) return post_.records().free(wire.target);
  uint32_t sender = cell.sender;
  lock_.set(cell.kind, RecordKind::kCompletion);
  lock_.set(cell.flags, wire.flags);
  lock_.set(cell.target, 1);
  lock_.set(cell.sender, slot_);
  lock_.set(cell.sender_uid, uid_);
  post_.to_mailbox(sender, wire.target, rings);
}

// To the sender of the task, unless that has gone.
void Peer::answer(RecordKind kind, const Wire& wire, const uint8_t* payload, RingList* rings) {
  const Cell& task = segment_.cell(wire.target);
  if (!post_.is_live(task.sender, task.sender_uid)) return;
  uint32_t record = create(wire, payload);
  Cell& cell = segment_.cell(record);
  cell.kind = kind;
  cell.target = task.kind == RecordKind::kTask;
  cell.sequence = task.sequence;
  post_.new_to_mailbox(task.sender, record, rings);
}

void Peer::receive(uint8_t* inbox, size_t capacity, uint32_t kind, uint32_t max_tasks,
                   RingList* rings, Exchanged* out) {
  out->more = !receive_mail(inbox, capacity, out);
  uint32_t taken = out->more ? 0 : receive_tasks(inbox, capacity, kind, max_tasks, out);
  if (max_tasks > 0 && taken == 0 && !out->more) {
    post_.set_idle(slot_, kind);
  } else {
    post_.clear_idle(slot_);
  }
  lock_.set(own().armed, out->more ? 0 : 1);
  post_.wake(rings);
}

// False when something is left that does not fit.
bool Peer::receive_mail(uint8_t* inbox, size_t capacity, Exchanged* out) {
  List& mailbox = own().mailbox;
  while (mailbox.head != kNone) {
    uint32_t record = mailbox.head;
    if (!fits(record, capacity, out)) return false;
    copy_out(record, inbox, out);
    post_.records().remove(mailbox, record);
    const Cell& cell = segment_.cell(record);
    if (cell.kind == RecordKind::kCall) {
      post_.take(record, slot_);
    } else {
      bool is_end = cell.kind == RecordKind::kCompletion || cell.kind == RecordKind::kBounced;
      if (is_end) sent_.forget(cell.sequence);
      post_.records().free(record);
    }
    lock_.commit();
  }
  return true;
}

// How many were taken.
uint32_t Peer::receive_tasks(uint8_t* inbox, size_t capacity, uint32_t kind, uint32_t max_tasks,
                             Exchanged* out) {
  uint32_t taken = 0;
  while (taken < max_tasks) {
    uint32_t task = post_.shapes().first(kind);
    if (task == kNone) break;
    const Cell& cell = segment_.cell(task);
    bool wanted = post_.is_live(cell.sender, cell.sender_uid);
    if (wanted && !fits(task, capacity, out)) {
      out->more = true;
      break;
    }
    post_.shapes().remove(task);
    if (wanted) {
      post_.take(task, slot_);
      copy_out(task, inbox, out);
      ++taken;
    } else {
      post_.drop(task);
    }
    lock_.commit();
  }
  return taken;
}

bool Peer::fits(uint32_t record, size_t capacity, Exchanged* out) const {
  return out->received + padded(sizeof(Wire) + segment_.cell(record).length) <= capacity;
}

void Peer::copy_out(uint32_t record, uint8_t* inbox, Exchanged* out) {
  const Cell& cell = segment_.cell(record);
  size_t bytes = padded(sizeof(Wire) + cell.length);
  bool answerable = cell.kind == RecordKind::kTask || cell.kind == RecordKind::kCall;
  Wire wire{static_cast<uint32_t>(bytes),
            static_cast<uint32_t>(cell.kind),
            answerable ? record : cell.target,
            answerable ? cell.target : cell.target_uid,
            cell.length,
            cell.kind == RecordKind::kCall ? cell.target_uid : cell.flags,
            cell.sequence,
            cell.sender,
            cell.sender_uid,
            cell.devices};
  std::memcpy(inbox + out->received, &wire, sizeof wire);
  post_.records().copy_payload(record, inbox + out->received + sizeof wire);
  out->received += bytes;
}

}  // namespace mobula::queue
