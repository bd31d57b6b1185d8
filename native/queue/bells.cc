#include "queue/bells.h"

#include <algorithm>

namespace mobula::queue {

void Bells::add_own(uint32_t slot, uint32_t uid, std::shared_ptr<const BellEnd> end) {
  std::lock_guard lock(mutex_);
  if (bells_.size() <= slot) bells_.resize(slot + 1);
  bells_[slot] = {uid, std::move(end)};
}

void Bells::remove_own(uint32_t slot, uint32_t uid) {
  std::lock_guard lock(mutex_);
  if (bells_[slot].uid == uid) bells_[slot] = {};
}

// The write comes after the mutex: whoever it wakes may want to ring at once.
void Bells::ring(const shm::Segment& segment, uint32_t slot) {
  if (auto end = find(segment, slot)) end->ring();
}

// The slot may change hands at any time. At worst an event loop wakes for nothing, or a peer that
// has just ended is not woken.
std::shared_ptr<const BellEnd> Bells::find(const shm::Segment& segment, uint32_t slot) {
  const shm::PeerSlot& peer = segment.queue().peers[slot];
  uint32_t uid = port::load_word(peer.uid);
  std::lock_guard lock(mutex_);
  if (bells_.size() <= slot) bells_.resize(slot + 1);
  Bell& bell = bells_[slot];
  if (bell.end && bell.uid == uid) return bell.end;
  int fd = -1;
  bool opened = port::bell_open(port::load_word(peer.pid), port::load_word(peer.bell_fd),
                                port::load_word(peer.bell_device), port::load_word(peer.bell_inode),
                                &fd) == 0;
  bell = {uid, opened ? std::make_shared<const BellEnd>(fd) : nullptr};
  return bell.end;
}

void RingList::add(uint32_t slot) {
  if (std::find(slots_.begin(), slots_.end(), slot) == slots_.end()) slots_.push_back(slot);
}

void RingList::ring_all(const shm::Segment& segment, Bells* bells) {
  for (uint32_t slot : slots_) bells->ring(segment, slot);
  slots_.clear();
}

}  // namespace mobula::queue
