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

bool Post::is_live(uint32_t peer, uint32_t uid) const {
  if (peer >= shm::kMaxPeers) return false;
  const PeerSlot& slot = segment_.queue().peers[peer];
  return slot.state == PeerState::kLive && slot.uid == uid;
}

void Post::to_mailbox(uint32_t peer, uint32_t record, RingList* rings) {
  PeerSlot& slot = segment_.queue().peers[peer];
  records_.push(slot.mailbox, record);
  if (slot.armed == 0) return;
  lock_.set(slot.armed, 0);
  rings->add(peer);
}

void Post::to_run_queue(uint32_t queue, uint32_t record, RingList* rings) {
  QueueState& state = segment_.queue();
  records_.push(state.run[queue], record);
  for (uint32_t word = 0; word < shm::kMaxPeers / 64; ++word) {
    if (state.idle[queue][word] == 0) continue;
    uint32_t peer = word * 64 + static_cast<uint32_t>(std::countr_zero(state.idle[queue][word]));
    lock_.clear_bit(state.idle[queue], peer);
    rings->add(peer);
    return;
  }
}

void Post::to_actor(uint32_t record, RingList* rings) {
  const Cell& cell = segment_.cell(record);
  if (cell.target >= segment_.queue().actors.used) return bounce(record, rings);
  ActorSlot& actor = segment_.actor(cell.target);
  if (actor.state == ActorState::kFree || actor.generation != cell.target_uid) {
    return bounce(record, rings);
  }
  if (actor.state == ActorState::kPending) return records_.push(actor.pending, record);
  if (!is_live(actor.host, actor.host_uid)) return bounce(record, rings);
  to_mailbox(actor.host, record, rings);
}

void Post::bounce(uint32_t record, RingList* rings) {
  Cell& cell = segment_.cell(record);
  if (!is_live(cell.sender, cell.sender_uid)) return records_.free(record);
  lock_.set(cell.kind, RecordKind::kBounced);
  lock_.add(segment_.queue().bounced, 1);
  to_mailbox(cell.sender, record, rings);
}

void Post::set_idle(uint32_t peer, uint32_t queue) {
  QueueState& state = segment_.queue();
  PeerSlot& slot = state.peers[peer];
  if (slot.idle_queue != queue) clear_idle(peer);
  lock_.set(slot.idle_queue, queue);
  lock_.set_bit(state.idle[queue], peer);
}

void Post::clear_idle(uint32_t peer) {
  QueueState& state = segment_.queue();
  PeerSlot& slot = state.peers[peer];
  if (slot.idle_queue == kNone) return;
  lock_.clear_bit(state.idle[slot.idle_queue], peer);
  lock_.set(slot.idle_queue, kNone);
}

}  // namespace mobula::queue
