#include <algorithm>

#include "queue/peer.h"
#include "queue/retire.h"
#include "shm/table.h"

// What a peer does beside exchanging records.

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

constexpr uint32_t kSpareActors = 8;
// A thread that blocks has nothing better to do.
constexpr uint32_t kLeastBlockedSpinUs = 20;

Status not_there(const std::string& what = "") {
  return {Code::kNotFound, "the actor " + what + "has ended"};
}

}  // namespace

ActorSlot* Peer::find_actor(uint32_t index, uint32_t generation) const {
  if (index >= segment_.queue().actors.used) return nullptr;
  ActorSlot& actor = segment_.actor(index);
  bool is_it = actor.state != ActorState::kFree && actor.generation == generation;
  return is_it ? &actor : nullptr;
}

Status Peer::create_actor(int32_t restarts, bool is_detached, uint32_t* index,
                          uint32_t* generation) {
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
        const QueueState& state = segment_.queue();
        bool is_drivers = is_detached && post_.is_live(state.driver, state.driver_uid);
        lock_.set(actor.owner, is_drivers ? state.driver : slot_);
        lock_.set(actor.owner_uid, is_drivers ? state.driver_uid : uid_);
        lock_.set(actor.pending.head, kNone);
        lock_.set(actor.pending.tail, kNone);
        lock_.set(actor.pending.count, 0);
        lock_.set(actor.returned, kNone);
        lock_.set(actor.made, kNone);
        lock_.set(actor.restarts, restarts);
        lock_.set(actor.state, ActorState::kPending);
        *generation = actor.generation;
        return Status::ok();
      }
    }
    Status grown = shm::table_grow(segment_, lock_, segment_.actors(), kSpareActors);
    if (!grown.is_ok()) return grown;
  }
}

Status Peer::host_actor(uint32_t index, uint32_t generation, uint32_t host, uint32_t host_uid,
                        uint32_t attempt) {
  RingList rings;
  {
    LockGuard guard(lock_);
    if (!guard.status().is_ok()) return guard.status();
    ActorSlot* actor = find_actor(index, generation);
    if (actor == nullptr || actor->state == ActorState::kAlive || !post_.is_live(host, host_uid)) {
      return not_there("or its host ");
    }
    lock_.set(actor->host, host);
    lock_.set(actor->host_uid, host_uid);
    lock_.set(actor->attempt, attempt);
    if (actor->state == ActorState::kRestarting) {
      lock_.subtract(segment_.queue().actors_restarting, 1);
    }
    lock_.set(actor->state, ActorState::kAlive);
    lock_.set(actor->returned, kNone);
    post_.records().splice(segment_.queue().peers[host].mailbox, actor->pending);
    rings.add(host);
  }
  rings.ring_all(segment_, &bells_);
  return Status::ok();
}

Status Peer::set_made(uint32_t index, uint32_t generation, uint32_t attempt) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return guard.status();
  ActorSlot* actor = find_actor(index, generation);
  if (actor == nullptr) return not_there();
  lock_.set(actor->made, attempt);
  return Status::ok();
}

Status Peer::adopt_actor(uint32_t index, uint32_t generation) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return guard.status();
  ActorSlot* actor = find_actor(index, generation);
  if (actor == nullptr) return not_there();
  lock_.set(actor->owner, slot_);
  lock_.set(actor->owner_uid, uid_);
  return Status::ok();
}

Status Peer::unhost_actor(uint32_t index, uint32_t generation) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return guard.status();
  ActorSlot* actor = find_actor(index, generation);
  bool has_host = actor != nullptr && actor->state == ActorState::kAlive;
  return has_host && restart_actor(lock_, segment_.queue(), *actor) ? Status::ok() : not_there();
}

Status Peer::set_restarts(uint32_t index, uint32_t generation, int32_t restarts) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return guard.status();
  ActorSlot* actor = find_actor(index, generation);
  if (actor == nullptr) return not_there();
  lock_.set(actor->restarts, restarts);
  return Status::ok();
}

ActorState Peer::actor_state(uint32_t index, uint32_t generation) {
  LockGuard guard(lock_);
  ActorSlot* actor = guard.status().is_ok() ? find_actor(index, generation) : nullptr;
  return actor == nullptr ? ActorState::kFree : actor->state;
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

Status Peer::set_resources(const std::vector<Amount>& totals) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return guard.status();
  Status status = post_.resources().set(totals);
  if (!status.is_ok()) lock_.rollback();
  return status;
}

Status Peer::resources(std::vector<ResourceInfo>* out) {
  LockGuard guard(lock_);
  if (guard.status().is_ok()) *out = post_.resources().list();
  return guard.status();
}

Status Peer::shape(uint32_t kind, const std::vector<Amount>& amounts, uint32_t* index) {
  LockGuard guard(lock_);
  return guard.status().is_ok() ? post_.shapes().find(kind, amounts, index) : guard.status();
}

Status Peer::set_driver() {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return guard.status();
  lock_.set(segment_.queue().driver, slot_);
  lock_.set(segment_.queue().driver_uid, uid_);
  return Status::ok();
}

bool Peer::driver(uint32_t* slot, uint32_t* uid) {
  LockGuard guard(lock_);
  const QueueState& state = segment_.queue();
  if (!guard.status().is_ok() || !post_.is_live(state.driver, state.driver_uid)) return false;
  *slot = state.driver;
  *uid = state.driver_uid;
  return true;
}

Status Peer::set_worker() {
  LockGuard guard(lock_);
  if (guard.status().is_ok()) lock_.set(own().is_worker, 1);
  return guard.status();
}

// The task or call of that number that waits or is in flight; or kNone. One that waits leaves only
// to be in flight, or to come back, which ends the search for it.
uint32_t Peer::find_sent(uint64_t sequence) {
  uint32_t record = sent_.find(sequence);
  if (record == kNone) return kNone;
  const Cell& cell = segment_.cell(record);
  bool is_it = cell.sender == slot_ && cell.sender_uid == uid_ && cell.sequence == sequence;
  bool is_request = cell.kind == RecordKind::kTask || cell.kind == RecordKind::kCall;
  if (!is_it || !is_request) return kNone;
  return cell.holder == kNone || post_.is_in_flight(record) ? record : kNone;
}

// Takes a call from where it waits. False when nothing says where that is: in the actor's row, or
// still in the mailbox of a host that it has no more.
bool Peer::remove_waiting(uint32_t call) {
  const Cell& cell = segment_.cell(call);
  ActorSlot* actor = find_actor(cell.target, cell.target_uid);
  if (actor == nullptr) return false;
  if (actor->state == ActorState::kAlive) {
    if (!post_.is_live(actor->host, actor->host_uid)) return false;
    post_.records().remove(segment_.queue().peers[actor->host].mailbox, call);
    return true;
  }
  if (actor->state == ActorState::kRestarting) {
    const PeerSlot& last = segment_.queue().peers[actor->host];
    if (last.uid == actor->host_uid && last.mailbox.count > 0) return false;
  }
  post_.remove_pending(*actor, call);
  return true;
}

bool Peer::cancel_queued(uint64_t sequence) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return false;
  uint32_t record = find_sent(sequence);
  if (record == kNone || segment_.cell(record).holder != kNone) return false;
  if (segment_.cell(record).kind == RecordKind::kTask) {
    post_.shapes().remove(record);
  } else if (!remove_waiting(record)) {
    return false;
  }
  post_.drop(record);
  sent_.forget(sequence);
  return true;
}

bool Peer::where_is(uint64_t sequence, uint32_t* slot, uint32_t* uid) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return false;
  uint32_t record = find_sent(sequence);
  if (record == kNone || segment_.cell(record).holder == kNone) return false;
  *slot = segment_.cell(record).holder;
  *uid = segment_.queue().peers[*slot].uid;
  return true;
}

Status Peer::tasks_of(uint32_t sender_uid, std::vector<TakenTask>* out) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return guard.status();
  const QueueState& state = segment_.queue();
  for (uint32_t slot = 0; slot < state.peers_used; ++slot) {
    const PeerSlot& peer = state.peers[slot];
    uint32_t record = peer.in_flight.head;
    for (; record != kNone; record = segment_.cell(record).next) {
      const Cell& cell = segment_.cell(record);
      if (cell.kind != RecordKind::kTask || cell.sender_uid != sender_uid) continue;
      out->push_back({slot, peer.uid, cell.sequence});
    }
  }
  return Status::ok();
}

Status Peer::tasks_at(uint32_t slot, uint32_t uid, std::vector<HeldTask>* out) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok() || !post_.is_live(slot, uid)) return guard.status();
  uint32_t record = segment_.queue().peers[slot].in_flight.head;
  for (; record != kNone; record = segment_.cell(record).next) {
    const Cell& cell = segment_.cell(record);
    if (cell.kind != RecordKind::kTask) continue;
    out->push_back({cell.sender, cell.sender_uid, cell.sequence, cell.order, cell.flags});
  }
  return Status::ok();
}

bool Peer::blame(uint32_t slot, uint32_t uid, uint32_t sender_uid, uint64_t sequence) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok() || !post_.is_live(slot, uid)) return false;
  List& in_flight = segment_.queue().peers[slot].in_flight;
  for (uint32_t record = in_flight.head; record != kNone; record = segment_.cell(record).next) {
    const Cell& cell = segment_.cell(record);
    if (cell.sender_uid != sender_uid || cell.sequence != sequence) continue;
    post_.records().remove(in_flight, record);
    post_.records().push(in_flight, record);
    lock_.set(segment_.queue().peers[slot].blamed, 1);
    return true;
  }
  return false;
}

bool Peer::find(uint32_t uid, uint32_t* slot) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return false;
  uint32_t used = segment_.queue().peers_used;
  for (*slot = 0; *slot < used; ++*slot) {
    if (post_.is_live(*slot, uid)) return true;
  }
  return false;
}

bool Peer::hold_arguments(uint32_t handle, uint64_t bytes, uint64_t most) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return false;
  bool is_task = has_in_flight(handle) && segment_.cell(handle).kind == RecordKind::kTask;
  return !is_task || post_.arguments().hold(handle, bytes, most);
}

// What the driver has in flight is what actors hold.
Status Peer::counts(Counts* out) {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return guard.status();
  const QueueState& state = segment_.queue();
  uint64_t waiting = 0;
  for (uint32_t kind = 0; kind < shm::kWorkerKinds; ++kind) {
    waiting += post_.shapes().queued(kind);
    if (kind < shm::kTaskKinds) out->queued = waiting;
  }
  out->finished = state.finished;
  out->failed = state.failed;
  out->retried = state.retried;
  out->bounced = state.bounced;
  out->running = state.submitted - waiting - state.answered - state.withdrawn;
  if (state.driver != kNone) out->running -= state.peers[state.driver].in_flight.count;
  for (uint32_t peer = 0; peer < state.peers_used; ++peer) {
    const PeerSlot& slot = state.peers[peer];
    if (slot.state == PeerState::kLive) out->workers += slot.is_worker;
  }
  out->actors = state.actors.used - state.actors.free_count;
  out->actors_restarting = state.actors_restarting;
  out->actors_ended = state.actors_ended;
  return Status::ok();
}

bool Peer::is_quiet() {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return false;
  for (uint32_t kind = 0; kind < shm::kTaskKinds; ++kind) {
    if (post_.shapes().queued(kind) > 0) return false;
  }
  const QueueState& state = segment_.queue();
  for (uint32_t peer = 0; peer < state.peers_used; ++peer) {
    if (peer == state.driver) continue;
    const List& in_flight = state.peers[peer].in_flight;
    for (uint32_t record = in_flight.head; record != kNone; record = segment_.cell(record).next) {
      if (segment_.cell(record).lent == 0) return false;
    }
  }
  return true;
}

// Looks for a while before it sleeps, if that has saved it the sleep of late: whoever sends
// meanwhile need not ring.
bool Peer::wait(uint32_t timeout_ms) {
  if (spin()) return true;
  if (!arm()) return true;
  if (!port::bell_wait(bell_read_, timeout_ms)) return false;
  port::bell_drain(bell_read_);
  return true;
}

bool Peer::has_mail() const { return port::load_word(own().mailbox.count) > 0; }

bool Peer::spin() {
  {
    LockGuard guard(lock_);
    if (!guard.status().is_ok()) return false;
    if (own().mailbox.count > 0) return true;
    lock_.set(own().armed, 0);
  }
  return spin_.until(std::max(spin_.budget_us(), kLeastBlockedSpinUs), [&] { return has_mail(); });
}

// True when another exchange is due: something has come, or nothing has and the peer is to be armed
// again.
bool Peer::spin_for_more(uint32_t kind, uint32_t max_tasks) {
  if (spin_.budget_us() == 0) return false;
  {
    LockGuard guard(lock_);
    if (!guard.status().is_ok()) return false;
    lock_.set(own().armed, 0);
    post_.clear_idle(slot_);
  }
  spin_.until(spin_.budget_us(),
              [&] { return has_mail() || (max_tasks > 0 && post_.shapes().queued(kind) > 0); });
  return true;
}

// False when there is something to receive already.
bool Peer::arm() {
  LockGuard guard(lock_);
  if (!guard.status().is_ok()) return true;
  if (own().mailbox.count > 0) return false;
  lock_.set(own().armed, 1);
  return true;
}

}  // namespace mobula::queue
