#ifndef MOBULA_QUEUE_RETIRE_H_
#define MOBULA_QUEUE_RETIRE_H_

#include "queue/bells.h"
#include "shm/lock.h"
#include "shm/segment.h"

namespace mobula::queue {

// Whether the peer has not ended, from any thread and as a look without the lock tells.
bool peer_is_live(const shm::Segment& segment, uint32_t peer, uint32_t uid);

// All that follow take the queue lock themselves, in bounded steps, and may be repeated by anyone
// after the death of whoever was at it.

// Flags of a kBounced record: the task or call has, as far as one can tell, ended its peer. Others
// were only there. Of calls that is so for all that were in flight, unless one was blamed: what an
// actor's host has begun of them nobody can tell.
inline constexpr uint32_t kToBlame = 1;

// Ends a peer: what it was running or had yet to run goes back to its senders as kBounced records,
// or to the rows of actors that have restarts left; of those that it hosted the others end, as do
// those that it owned; its slot is free. To blame is the last of what it has in flight, or all of
// it when the peer had sent that one itself.
void retire_peer(const shm::Segment& segment, shm::Lock& lock, Bells& bells, uint32_t peer);

// Ends all peers of a process.
void retire_client(const shm::Segment& segment, shm::Lock& lock, Bells& bells, uint32_t client);

// Takes an actor that is to have another host from the one it has, and counts that as a restart.
// False, with nothing done, when none are left. In a transaction of the caller's.
bool restart_actor(shm::Lock& lock, shm::QueueState& queue, shm::ActorSlot& actor);

// Ends an actor: calls that wait for a host go back to their callers. Does nothing when it has
// ended already.
void end_actor(const shm::Segment& segment, shm::Lock& lock, Bells& bells, uint32_t actor,
               uint32_t generation);

// Rings every peer that has records waiting or waits for room for arguments, and every idle peer
// for which there is a task that can start: the safety net under wake-ups that were lost because
// their sender died before it could ring.
void ring_overdue(const shm::Segment& segment, shm::Lock& lock, Bells& bells);

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_RETIRE_H_
