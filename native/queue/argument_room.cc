#include "queue/argument_room.h"

#include <algorithm>

namespace mobula::queue {

using shm::Cell;
using shm::kArgumentUnit;
using shm::kNone;
using shm::PeerSlot;
using shm::QueueState;

namespace {

uint32_t units_of(uint64_t bytes) {
  return static_cast<uint32_t>(std::min<uint64_t>(bytes / kArgumentUnit, UINT32_MAX));
}

}  // namespace

// The field was the heap's.
void ArgumentRoom::begin(uint32_t task) {
  Cell& cell = segment_.cell(task);
  if (cell.right != 0) lock_.set(cell.right, 0);
}

void ArgumentRoom::end(uint32_t task) {
  if (segment_.cell(task).lent == 0) give_back(task);
  stop_waiting(task);
}

bool ArgumentRoom::hold(uint32_t task, uint64_t bytes, uint64_t most) {
  QueueState& state = segment_.queue();
  Cell& cell = segment_.cell(task);
  uint64_t units = units_of(bytes);
  if (units == 0) return true;
  uint64_t others = state.argument_units - (cell.lent == 0 ? cell.right : 0);
  bool fits = others == 0 || others + units <= units_of(most);
  if (fits && is_next(task)) {
    stop_waiting(task);
    if (cell.lent == 0) give_back(task);
    lock_.set(cell.right, static_cast<uint32_t>(units));
    if (cell.lent == 0) lock_.add(state.argument_units, units);
    return true;
  }
  PeerSlot& peer = state.peers[cell.holder];
  if (peer.waiting == kNone) lock_.add(state.argument_waiters, 1);
  lock_.set(peer.waiting, task);
  return false;
}

void ArgumentRoom::lend(uint32_t task) {
  if (segment_.cell(task).lent == 0) give_back(task);
}

void ArgumentRoom::resume(uint32_t task) {
  const Cell& cell = segment_.cell(task);
  if (cell.lent != 0 && cell.right > 0) lock_.add(segment_.queue().argument_units, cell.right);
}

void ArgumentRoom::wake(RingList* rings) {
  QueueState& state = segment_.queue();
  if (state.arguments_freed == 0) return;
  lock_.set(state.arguments_freed, 0);
  for (uint32_t peer = 0; peer < state.peers_used; ++peer) {
    if (state.peers[peer].waiting != kNone) rings->add(peer);
  }
}

bool ArgumentRoom::is_next(uint32_t task) const {
  const QueueState& state = segment_.queue();
  if (state.argument_waiters == 0) return true;
  for (uint32_t peer = 0; peer < state.peers_used; ++peer) {
    uint32_t other = state.peers[peer].waiting;
    if (other != kNone && segment_.cell(other).order < segment_.cell(task).order) return false;
  }
  return true;
}

void ArgumentRoom::give_back(uint32_t task) {
  QueueState& state = segment_.queue();
  uint32_t units = segment_.cell(task).right;
  if (units == 0) return;
  lock_.subtract(state.argument_units, units);
  if (state.argument_waiters > 0) lock_.set(state.arguments_freed, 1);
}

void ArgumentRoom::stop_waiting(uint32_t task) {
  QueueState& state = segment_.queue();
  PeerSlot& peer = state.peers[segment_.cell(task).holder];
  if (peer.waiting != task) return;
  lock_.set(peer.waiting, kNone);
  lock_.subtract(state.argument_waiters, 1);
  // The next may fit, too.
  if (state.argument_waiters > 0) lock_.set(state.arguments_freed, 1);
}

}  // namespace mobula::queue
