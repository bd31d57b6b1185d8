#include "queue/bells.h"

#include <algorithm>

namespace mobula::queue {

Bells::~Bells() {
  for (Bell& bell : bells_) forget(&bell);
}

void Bells::forget(Bell* bell) {
  if (bell->fd >= 0 && !bell->own) port::file_close(bell->fd);
  *bell = {};
}

void Bells::add_own(uint32_t slot, uint32_t uid, int write_fd) {
  std::lock_guard lock(mutex_);
  if (bells_.size() <= slot) bells_.resize(slot + 1);
  forget(&bells_[slot]);
  bells_[slot] = {uid, write_fd, true};
}

void Bells::remove_own(uint32_t slot, uint32_t uid) {
  std::lock_guard lock(mutex_);
  if (bells_[slot].own && bells_[slot].uid == uid) bells_[slot] = {};
}

// The slot may change hands at any time. At worst an event loop wakes for nothing, or a peer that
// has just ended is not woken.
void Bells::ring(const shm::Segment& segment, uint32_t slot) {
  const shm::PeerSlot& peer = segment.queue().peers[slot];
  uint32_t uid = port::load_word(peer.uid);
  std::lock_guard lock(mutex_);
  if (bells_.size() <= slot) bells_.resize(slot + 1);
  Bell& bell = bells_[slot];
  if (bell.fd < 0 || bell.uid != uid) {
    forget(&bell);
    int fd = -1;
    if (port::bell_open(port::load_word(peer.pid), port::load_word(peer.bell_fd),
                        port::load_word(peer.bell_device), port::load_word(peer.bell_inode),
                        &fd) != 0) {
      return;
    }
    bell = {uid, fd, false};
  }
  port::bell_ring(bell.fd);
}

void RingList::add(uint32_t slot) {
  if (std::find(slots_.begin(), slots_.end(), slot) == slots_.end()) slots_.push_back(slot);
}

void RingList::ring_all(const shm::Segment& segment, Bells* bells) {
  for (uint32_t slot : slots_) bells->ring(segment, slot);
  slots_.clear();
}

}  // namespace mobula::queue
