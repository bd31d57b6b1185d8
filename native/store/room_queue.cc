#include "store/room_queue.h"

namespace mobula::store {

uint64_t RoomQueue::enter() {
  std::lock_guard lock(mutex_);
  uint64_t place = port::monotonic_ms();
  places_.insert(place);
  publish();
  return place;
}

void RoomQueue::leave(uint64_t place) {
  std::lock_guard lock(mutex_);
  auto found = places_.find(place);
  if (found == places_.end()) return;
  places_.erase(found);
  publish();
}

void RoomQueue::publish() {
  segment_.client(client_).room_place.store(places_.empty() ? 0 : *places_.begin());
}

// What is read here may be old by the time it counts: then somebody goes out of turn.
bool RoomQueue::is_first(uint64_t place) const {
  const uint64_t* waiting = segment_.store().waiters[shm::kRoomBucket];
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    if ((port::load_word(waiting[slot / 64]) >> (slot % 64) & 1) == 0) continue;
    const shm::ClientSlot& client = segment_.client(slot);
    if (port::load_word(client.state) != shm::ClientState::kLive) continue;
    uint64_t first = client.room_place.load();
    if (first != 0 && first < place) return false;
  }
  return true;
}

}  // namespace mobula::store
