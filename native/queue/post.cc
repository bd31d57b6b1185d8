#include "queue/post.h"

#include <bit>

namespace mobula::queue {

using shm::ActorSlot;
using shm::ActorState;
using shm::Cell;
using shm::kNone;
using shm::PeerSlot;
using shm::PeerState;
using shm::QueueState;
using shm::RecordKind;
using shm::Shape;

bool Post::is_live(uint32_t peer, uint32_t uid) const {
  if (peer >= shm::kMaxPeers) return false;
  const PeerSlot& slot = segment_.queue().peers[peer];
  return slot.state == PeerState::kLive && slot.uid == uid;
}

void Post::to_mailbox(uint32_t peer, uint32_t record, RingList* rings) {
  records_.push(segment_.queue().peers[peer].mailbox, record);
  announce(peer, rings);
}

void Post::new_to_mailbox(uint32_t peer, uint32_t record, RingList* rings) {
  records_.push_new(segment_.queue().peers[peer].mailbox, record);
  announce(peer, rings);
}

void Post::announce(uint32_t peer, RingList* rings) {
  PeerSlot& slot = segment_.queue().peers[peer];
  if (slot.armed == 0) return;
  lock_.set(slot.armed, 0);
  rings->add(peer);
}

void Post::submit(uint32_t task, RingList* rings) {
  QueueState& state = segment_.queue();
  Cell& cell = segment_.cell(task);
  cell.order = state.submitted;
  lock_.add(state.submitted, 1);
  if (cell.target >= state.shapes_used) return bounce(task, 0, rings);
  shapes_.push(task);
  const Shape& shape = state.shapes[cell.target];
  uint32_t peer = first_idle(shape.kind);
  if (peer != kNone && resources_.affords(shape)) summon(shape.kind, peer, rings);
}

// Null when it has ended.
ActorSlot* Post::actor_of(const Cell& call) const {
  if (call.target >= segment_.queue().actors.used) return nullptr;
  ActorSlot& actor = segment_.actor(call.target);
  bool is_it = actor.state != ActorState::kFree && actor.generation == call.target_uid;
  return is_it ? &actor : nullptr;
}

void Post::to_actor(uint32_t record, RingList* rings) {
  ActorSlot* actor = actor_of(segment_.cell(record));
  if (actor == nullptr) return bounce(record, 0, rings);
  if (actor->state != ActorState::kAlive) return records_.push(actor->pending, record);
  if (is_live(actor->host, actor->host_uid)) return to_mailbox(actor->host, record, rings);
  if (actor->restarts == 0) return bounce(record, 0, rings);
  records_.push(actor->pending, record);
}

bool Post::return_call(uint32_t record, bool begun, bool to_blame, RingList* rings) {
  Cell& cell = segment_.cell(record);
  ActorSlot* actor = actor_of(cell);
  if (actor == nullptr || !is_live(cell.sender, cell.sender_uid)) return false;
  bool is_hosted = actor->state == ActorState::kAlive;
  bool is_served = is_hosted && is_live(actor->host, actor->host_uid);
  if (is_hosted && !is_served && actor->restarts == 0) return false;
  int32_t retries = static_cast<int32_t>(cell.flags);
  begun = begun && actor->made == actor->attempt;
  if (begun && retries == 0) return false;
  if (begun && to_blame && retries > 0) lock_.set(cell.flags, cell.flags - 1);
  if (begun) lock_.add(cell.devices, 1);
  lock_.set(cell.holder, kNone);
  if (is_served) {
    to_mailbox(actor->host, record, rings);
    return true;
  }
  records_.insert(actor->pending, actor->returned, record);
  lock_.set(actor->returned, record);
  return true;
}

void Post::remove_pending(ActorSlot& actor, uint32_t record) {
  if (actor.returned == record) lock_.set(actor.returned, segment_.cell(record).prev);
  records_.remove(actor.pending, record);
}

bool Post::is_in_flight(uint32_t record) const {
  const Cell& cell = segment_.cell(record);
  bool is_request = cell.kind == RecordKind::kTask || cell.kind == RecordKind::kCall;
  return is_request && cell.holder < shm::kMaxPeers &&
         records_.is_on(segment_.queue().peers[cell.holder].in_flight, record);
}

void Post::take(uint32_t record, uint32_t peer) {
  Cell& cell = segment_.cell(record);
  records_.push(segment_.queue().peers[peer].in_flight, record);
  lock_.set(cell.holder, peer);
  if (cell.kind != RecordKind::kTask) return;
  resources_.take(record);
  arguments_.begin(record);
}

void Post::put_down(uint32_t record) {
  const Cell& cell = segment_.cell(record);
  records_.remove(segment_.queue().peers[cell.holder].in_flight, record);
  if (cell.kind != RecordKind::kTask) return;
  resources_.give_back(record);
  arguments_.end(record);
}

void Post::lend(uint32_t task) {
  arguments_.lend(task);
  resources_.lend(task);
}

void Post::resume(uint32_t task) {
  arguments_.resume(task);
  resources_.resume(task);
}

void Post::bounce(uint32_t record, uint32_t flags, RingList* rings) {
  QueueState& state = segment_.queue();
  Cell& cell = segment_.cell(record);
  if (!is_live(cell.sender, cell.sender_uid)) return drop(record);
  if (cell.kind == RecordKind::kTask) lock_.add(state.withdrawn, 1);
  lock_.set(cell.kind, RecordKind::kBounced);
  lock_.set(cell.flags, flags);
  lock_.add(state.bounced, 1);
  to_mailbox(cell.sender, record, rings);
}

void Post::drop(uint32_t record) {
  if (segment_.cell(record).kind == RecordKind::kTask) lock_.add(segment_.queue().withdrawn, 1);
  records_.free(record);
}

void Post::set_idle(uint32_t peer, uint32_t kind) {
  QueueState& state = segment_.queue();
  PeerSlot& slot = state.peers[peer];
  if (slot.idle_kind == kind && shm::test_bit(state.idle[kind], peer)) return;
  clear_idle(peer);
  lock_.set(slot.idle_kind, kind);
  lock_.set_bit(state.idle[kind], peer);
}

void Post::clear_idle(uint32_t peer) {
  QueueState& state = segment_.queue();
  PeerSlot& slot = state.peers[peer];
  uint32_t kind = slot.idle_kind;
  if (kind == kNone) return;
  if (shm::test_bit(state.idle[kind], peer)) {
    lock_.clear_bit(state.idle[kind], peer);
  } else {
    lock_.subtract(state.summoned[kind], 1);
  }
  lock_.set(slot.idle_kind, kNone);
}

void Post::wake(RingList* rings) {
  for (uint32_t kind = 0; kind < shm::kWorkerKinds; ++kind) {
    uint32_t peer = first_idle(kind);
    if (peer == kNone || shapes_.queued(kind) <= segment_.queue().summoned[kind]) continue;
    if (shapes_.affords_any(kind)) summon(kind, peer, rings);
  }
  arguments_.wake(rings);
}

uint32_t Post::first_idle(uint32_t kind) const {
  const QueueState& state = segment_.queue();
  for (uint32_t word = 0; word * 64 < state.peers_used; ++word) {
    uint64_t bits = state.idle[kind][word];
    if (bits != 0) return word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
  }
  return kNone;
}

void Post::summon(uint32_t kind, uint32_t peer, RingList* rings) {
  QueueState& state = segment_.queue();
  lock_.clear_bit(state.idle[kind], peer);
  lock_.add(state.summoned[kind], 1);
  rings->add(peer);
}

}  // namespace mobula::queue
