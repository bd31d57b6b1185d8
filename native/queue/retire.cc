#include "queue/retire.h"

#include <algorithm>

#include "queue/post.h"
#include "shm/table.h"

namespace mobula::queue {

using shm::ActorSlot;
using shm::ActorState;
using shm::kNone;
using shm::List;
using shm::LockGuard;
using shm::PeerSlot;
using shm::PeerState;
using shm::QueueState;
using shm::RecordKind;

namespace {

constexpr uint32_t kStep = 64;
constexpr uint32_t kActorsPerStep = 1024;

// The sender will want to know who has ended.
void name_ended(const shm::Segment& segment, shm::Lock& lock, uint32_t record, uint32_t uid) {
  lock.set(segment.cell(record).target, kNone);
  lock.set(segment.cell(record).target_uid, uid);
}

// Returns false once the list is empty. Completions and messages die with their reader. `uid` is
// that of the peer that has ended, 0 when an actor has.
bool bounce_some(const shm::Segment& segment, shm::Lock& lock, List& list, uint32_t uid,
                 RingList* rings) {
  Post post(segment, lock);
  for (uint32_t i = 0; i < kStep && list.head != kNone; ++i) {
    uint32_t record = list.head;
    RecordKind kind = segment.cell(record).kind;
    post.records().remove(list, record);
    if (kind == RecordKind::kTask || kind == RecordKind::kCall) {
      if (uid != 0) name_ended(segment, lock, record, uid);
      post.bounce(record, rings);
    } else {
      post.records().free(record);
    }
    lock.commit();
  }
  return list.head != kNone;
}

void bounce_all(const shm::Segment& segment, shm::Lock& lock, Bells& bells, List& list,
                uint32_t uid) {
  bool more = true;
  while (more) {
    RingList rings;
    {
      LockGuard guard(lock);
      if (!guard.status().is_ok()) return;
      more = bounce_some(segment, lock, list, uid, &rings);
    }
    rings.ring_all(segment, &bells);
  }
}

bool belongs_to(const ActorSlot& actor, uint32_t peer, uint32_t uid) {
  if (actor.owner == peer && actor.owner_uid == uid) return true;
  return actor.state == ActorState::kAlive && actor.host == peer && actor.host_uid == uid;
}

// Ends the actors that the peer owned or hosted.
void end_actors_of(const shm::Segment& segment, shm::Lock& lock, Bells& bells, uint32_t peer,
                   uint32_t uid) {
  const shm::Table& actors = segment.queue().actors;
  for (uint32_t next = 0;;) {
    uint32_t found = kNone, generation = 0;
    {
      LockGuard guard(lock);
      if (!guard.status().is_ok() || next >= actors.used) return;
      uint32_t end = std::min(next + kActorsPerStep, actors.used);
      for (; found == kNone && next < end; ++next) {
        const ActorSlot& actor = segment.actor(next);
        if (actor.state == ActorState::kFree || !belongs_to(actor, peer, uid)) continue;
        found = next;
        generation = actor.generation;
      }
    }
    if (found != kNone) end_actor(segment, lock, bells, found, generation);
  }
}

}  // namespace

void end_actor(const shm::Segment& segment, shm::Lock& lock, Bells& bells, uint32_t index,
               uint32_t generation) {
  ActorSlot& actor = segment.actor(index);
  bool more = true;
  while (more) {
    RingList rings;
    {
      LockGuard guard(lock);
      if (!guard.status().is_ok()) return;
      if (actor.state == ActorState::kFree || actor.generation != generation) return;
      more = bounce_some(segment, lock, actor.pending, 0, &rings);
      if (!more) {
        lock.set(actor.state, ActorState::kFree);
        shm::table_give_back(lock, segment.actors(), index);
      }
    }
    rings.ring_all(segment, &bells);
  }
}

void retire_peer(const shm::Segment& segment, shm::Lock& lock, Bells& bells, uint32_t peer) {
  QueueState& queue = segment.queue();
  PeerSlot& slot = queue.peers[peer];
  uint32_t uid;
  {
    LockGuard guard(lock);
    if (!guard.status().is_ok() || slot.state == PeerState::kFree) return;
    uid = slot.uid;
    lock.set(slot.state, PeerState::kRetiring);
    Post(segment, lock).clear_idle(peer);
  }
  bounce_all(segment, lock, bells, slot.in_flight, uid);
  bounce_all(segment, lock, bells, slot.mailbox, uid);
  end_actors_of(segment, lock, bells, peer, uid);
  LockGuard guard(lock);
  if (!guard.status().is_ok() || slot.uid != uid) return;
  lock.set(slot.armed, 0);
  lock.set(slot.state, PeerState::kFree);
}

void retire_client(const shm::Segment& segment, shm::Lock& lock, Bells& bells, uint32_t client) {
  const QueueState& queue = segment.queue();
  uint64_t own[shm::kMaxPeers / 64] = {};
  {
    LockGuard guard(lock);
    if (!guard.status().is_ok()) return;
    for (uint32_t peer = 0; peer < queue.peers_used; ++peer) {
      const PeerSlot& slot = queue.peers[peer];
      bool mine = slot.state != PeerState::kFree && slot.client == client;
      own[peer / 64] |= uint64_t{mine} << (peer % 64);
    }
  }
  for (uint32_t peer = 0; peer < shm::kMaxPeers; ++peer) {
    if (shm::test_bit(own, peer)) retire_peer(segment, lock, bells, peer);
  }
}

bool peer_is_live(const shm::Segment& segment, uint32_t peer, uint32_t uid) {
  const PeerSlot& slot = segment.queue().peers[peer];
  return port::load_word(slot.uid) == uid && port::load_word(slot.state) == PeerState::kLive;
}

void ring_overdue(const shm::Segment& segment, shm::Lock& lock, Bells& bells) {
  RingList rings;
  {
    LockGuard guard(lock);
    if (!guard.status().is_ok()) return;
    QueueState& queue = segment.queue();
    for (uint32_t peer = 0; peer < queue.peers_used; ++peer) {
      const PeerSlot& slot = queue.peers[peer];
      if (slot.state != PeerState::kLive) continue;
      bool overdue = slot.mailbox.count > 0 ||
                     (slot.idle_queue != kNone && queue.run[slot.idle_queue].count > 0);
      if (overdue) rings.add(peer);
    }
  }
  rings.ring_all(segment, &bells);
}

}  // namespace mobula::queue
