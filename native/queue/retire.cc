#include "queue/retire.h"

#include <algorithm>

#include "queue/post.h"
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

constexpr uint32_t kStep = 64;
constexpr uint32_t kActorsPerStep = 1024;

// The sender will want to know who has ended.
void name_ended(const shm::Segment& segment, shm::Lock& lock, uint32_t record, uint32_t uid) {
  lock.set(segment.cell(record).target, kNone);
  lock.set(segment.cell(record).target_uid, uid);
}

// The task or call that a peer took last, or was blamed for, has ended it. When that one was its
// own nobody can say so, and all may have been at it.
bool is_to_blame(const shm::Segment& segment, const PeerSlot& peer, uint32_t record) {
  if (record == peer.in_flight.tail) return true;
  if (peer.blamed != 0) return false;
  if (segment.cell(record).kind == RecordKind::kCall) return true;
  const Cell& last = segment.cell(peer.in_flight.tail);
  return last.sender_uid == peer.uid;
}

// Returns false once the list is empty.
bool bounce_in_flight(const shm::Segment& segment, shm::Lock& lock, PeerSlot& peer,
                      RingList* rings) {
  Post post(segment, lock);
  for (uint32_t i = 0; i < kStep && peer.in_flight.head != kNone; ++i) {
    uint32_t record = peer.in_flight.head;
    uint32_t blame = is_to_blame(segment, peer, record) ? kToBlame : 0;
    bool is_call = segment.cell(record).kind == RecordKind::kCall;
    // Somebody has ended the peer for the sake of it.
    bool is_unwanted = peer.blamed != 0 && blame != 0;
    post.put_down(record);
    if (!is_call || is_unwanted || !post.return_call(record, true, blame != 0, rings)) {
      name_ended(segment, lock, record, peer.uid);
      post.bounce(record, blame, rings);
    }
    lock.commit();
  }
  post.wake(rings);
  return peer.in_flight.head != kNone;
}

// Returns false once the mailbox is empty. Completions and messages die with their reader.
bool bounce_mail(const shm::Segment& segment, shm::Lock& lock, PeerSlot& peer, RingList* rings) {
  Post post(segment, lock);
  List& mailbox = peer.mailbox;
  for (uint32_t i = 0; i < kStep && mailbox.head != kNone; ++i) {
    uint32_t record = mailbox.head;
    post.records().remove(mailbox, record);
    if (segment.cell(record).kind != RecordKind::kCall) {
      post.records().free(record);
    } else if (!post.return_call(record, false, false, rings)) {
      name_ended(segment, lock, record, peer.uid);
      post.bounce(record, 0, rings);
    }
    lock.commit();
  }
  return mailbox.head != kNone;
}

// Returns false once no calls wait for the actor.
bool bounce_pending(const shm::Segment& segment, shm::Lock& lock, ActorSlot& actor,
                    RingList* rings) {
  Post post(segment, lock);
  for (uint32_t i = 0; i < kStep && actor.pending.head != kNone; ++i) {
    uint32_t record = actor.pending.head;
    post.remove_pending(actor, record);
    post.bounce(record, 0, rings);
    lock.commit();
  }
  return actor.pending.head != kNone;
}

template <class Step>
void repeat(const shm::Segment& segment, shm::Lock& lock, Bells& bells, const Step& step) {
  bool more = true;
  while (more) {
    RingList rings;
    {
      LockGuard guard(lock);
      if (!guard.status().is_ok()) return;
      more = step(&rings);
    }
    rings.ring_all(segment, &bells);
  }
}

bool is_owned_by(const ActorSlot& actor, uint32_t peer, uint32_t uid) {
  return actor.owner == peer && actor.owner_uid == uid;
}

bool is_hosted_by(const ActorSlot& actor, uint32_t peer, uint32_t uid) {
  return actor.state == ActorState::kAlive && actor.host == peer && actor.host_uid == uid;
}

// Whether the peer takes the actor along: it owned it, or hosted it and no restarts are left.
bool ends_with(const ActorSlot& actor, uint32_t peer, uint32_t uid) {
  return is_owned_by(actor, peer, uid) || (is_hosted_by(actor, peer, uid) && actor.restarts == 0);
}

// The first row from `*next` on of which `is_it` is true, or kNone when there is none or the lock
// cannot be had. `then` runs under the same lock.
template <class IsIt, class Then>
uint32_t next_actor(const shm::Segment& segment, shm::Lock& lock, uint32_t* next, const IsIt& is_it,
                    const Then& then) {
  const shm::Table& actors = segment.queue().actors;
  for (;;) {
    LockGuard guard(lock);
    if (!guard.status().is_ok() || *next >= actors.used) return kNone;
    uint32_t end = std::min(*next + kActorsPerStep, actors.used);
    for (; *next < end; ++*next) {
      ActorSlot& actor = segment.actor(*next);
      if (actor.state == ActorState::kFree || !is_it(actor)) continue;
      then(actor);
      return (*next)++;
    }
  }
}

void end_actors_of(const shm::Segment& segment, shm::Lock& lock, Bells& bells, uint32_t peer,
                   uint32_t uid) {
  uint32_t next = 0, generation = 0;
  auto is_it = [&](const ActorSlot& actor) { return ends_with(actor, peer, uid); };
  auto note = [&](const ActorSlot& actor) { generation = actor.generation; };
  for (;;) {
    uint32_t found = next_actor(segment, lock, &next, is_it, note);
    if (found == kNone) return;
    end_actor(segment, lock, bells, found, generation);
  }
}

// Those that the peer hosted and that have not ended with it.
void restart_actors_of(const shm::Segment& segment, shm::Lock& lock, uint32_t peer, uint32_t uid) {
  uint32_t next = 0;
  auto is_it = [&](const ActorSlot& actor) { return is_hosted_by(actor, peer, uid); };
  auto restart = [&](ActorSlot& actor) { restart_actor(lock, segment.queue(), actor); };
  while (next_actor(segment, lock, &next, is_it, restart) != kNone) continue;
}

}  // namespace

bool restart_actor(shm::Lock& lock, QueueState& queue, ActorSlot& actor) {
  if (actor.restarts == 0) return false;
  if (actor.restarts > 0) lock.set(actor.restarts, actor.restarts - 1);
  lock.set(actor.state, ActorState::kRestarting);
  lock.add(queue.actors_restarting, 1);
  return true;
}

void end_actor(const shm::Segment& segment, shm::Lock& lock, Bells& bells, uint32_t index,
               uint32_t generation) {
  ActorSlot& actor = segment.actor(index);
  repeat(segment, lock, bells, [&](RingList* rings) {
    if (actor.state == ActorState::kFree || actor.generation != generation) return false;
    if (bounce_pending(segment, lock, actor, rings)) return true;
    if (actor.state == ActorState::kRestarting) {
      lock.subtract(segment.queue().actors_restarting, 1);
    }
    lock.set(actor.state, ActorState::kFree);
    lock.add(segment.queue().actors_ended, 1);
    shm::table_give_back(lock, segment.actors(), index);
    return false;
  });
}

void retire_peer(const shm::Segment& segment, shm::Lock& lock, Bells& bells, uint32_t peer) {
  QueueState& queue = segment.queue();
  PeerSlot& slot = queue.peers[peer];
  uint32_t uid;
  RingList rings;
  {
    LockGuard guard(lock);
    if (!guard.status().is_ok() || slot.state == PeerState::kFree) return;
    uid = slot.uid;
    lock.set(slot.state, PeerState::kRetiring);
    Post post(segment, lock);
    post.clear_idle(peer);
    post.wake(&rings);
  }
  rings.ring_all(segment, &bells);
  // Before their calls come back: whose call does so can tell whether the actor has ended.
  end_actors_of(segment, lock, bells, peer, uid);
  repeat(segment, lock, bells,
         [&](RingList* more) { return bounce_in_flight(segment, lock, slot, more); });
  repeat(segment, lock, bells,
         [&](RingList* more) { return bounce_mail(segment, lock, slot, more); });
  restart_actors_of(segment, lock, peer, uid);
  LockGuard guard(lock);
  if (!guard.status().is_ok() || slot.uid != uid) return;
  lock.set(slot.armed, 0);
  lock.set(slot.blamed, 0);
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
    const QueueState& queue = segment.queue();
    Shapes shapes(segment, lock);
    bool startable[shm::kWorkerKinds];
    for (uint32_t kind = 0; kind < shm::kWorkerKinds; ++kind) {
      startable[kind] = shapes.affords_any(kind);
    }
    for (uint32_t peer = 0; peer < queue.peers_used; ++peer) {
      const PeerSlot& slot = queue.peers[peer];
      if (slot.state != PeerState::kLive) continue;
      bool awaited = slot.idle_kind != kNone && startable[slot.idle_kind];
      if (slot.mailbox.count > 0 || awaited || slot.waiting != kNone) rings.add(peer);
    }
  }
  rings.ring_all(segment, &bells);
}

}  // namespace mobula::queue
