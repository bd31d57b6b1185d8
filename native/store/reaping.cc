// What a client does about others: it gives back what the dead held, and says who holds what.

#include <algorithm>

#include "queue/retire.h"
#include "store/client.h"
#include "store/entry.h"

namespace mobula::store {

using shm::ClientSlot;
using shm::ClientState;

void Client::reap() {
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    bool taken = port::load_word(segment_->client(slot).state) != ClientState::kFree;
    if (taken && slot != slot_ && !reap_slot(slot)) return;
  }
}

// Whoever gets the dead owner's mutex is the only reaper; if it dies too, the next one finds the
// mutex in the same state and goes through the same steps again. The mutex is always handed back
// consistent: unlocking it otherwise would break it for good.
// False when the store's lock or tables do not allow it: they will not for the next slot either.
bool Client::reap_slot(uint32_t slot) {
  ClientSlot& client = segment_->client(slot);
  port::LockResult result = port::mutex_try_lock(&client.liveness);
  if (result == port::LockResult::kBusy || result == port::LockResult::kBroken) return true;
  uint32_t pid = port::load_word(client.pid);
  uint64_t start_time = port::load_word(client.start_time);
  bool gone = port::load_word(client.state) != ClientState::kFree &&
              port::process_is_gone(pid, start_time, segment_->header().mapping_name);
  bool done = !gone || give_back(slot);
  if (result == port::LockResult::kOwnerDied) port::mutex_make_consistent(&client.liveness);
  port::mutex_unlock(&client.liveness);
  return done;
}

bool Client::give_back(uint32_t slot) {
  if (segment_->header().has_queue) queue::retire_client(*segment_, queue_lock_, bells_, slot);
  if (!forget_in_store(slot)) return false;
  Status status = store_lock_.run([&] {
    store_lock_.add(segment_->store().reclaimed_clients, 1);
    store_lock_.set(segment_->client(slot).state, ClientState::kFree);
    return Status::ok();
  });
  return status.is_ok();
}

bool Client::expects_room() const {
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    const ClientSlot& client = segment_->client(slot);
    ClientState state = port::load_word(client.state);
    if (slot == slot_ || state == ClientState::kFree) continue;
    if (state == ClientState::kEnding) return true;
    if (port::process_is_ending(port::load_word(client.pid), port::load_word(client.start_time))) {
      return true;
    }
  }
  return false;
}

bool Client::is_spilling() const { return port::load_word(segment_->store().files_in_writing) > 0; }

std::string Client::describe_pins() {
  constexpr size_t kClientsNamed = 4;
  std::vector<Pinned> pinned(shm::kMaxClients);
  if (!count_pins(&pinned)) return {};
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    pinned[slot].pid = port::load_word(segment_->client(slot).pid);
  }
  std::erase_if(pinned, [](const Pinned& one) { return one.objects == 0; });
  std::ranges::sort(pinned, std::greater(), &Pinned::bytes);
  std::string text;
  for (size_t i = 0; i < pinned.size() && i < kClientsNamed; ++i) {
    const Pinned& one = pinned[i];
    text += (text.empty() ? "; pinned by process " : ", by process ") + std::to_string(one.pid) +
            ": " + std::to_string(one.bytes) + " bytes in " + std::to_string(one.objects) +
            " objects";
  }
  return text;
}

// In batches, as a table may be long.
bool Client::count_pins(std::vector<Pinned>* out) {
  constexpr uint32_t kBatch = 4096;
  uint64_t left = port::load_word(segment_->store().pinned_objects);
  Status status;
  for (uint32_t start = 0, end = 1; status.is_ok() && left > 0 && start < end; start += kBatch) {
    status = store_lock_.run([&] {
      end = segment_->entries().used();
      for (uint32_t i = start; left > 0 && i < end && i < start + kBatch; ++i) {
        const shm::ObjectEntry& entry = segment_->entry(i);
        if (!is_pinned(entry)) continue;
        --left;
        for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
          if (!shm::test_bit(entry.pins, slot)) continue;
          (*out)[slot].bytes += weight(entry);
          ++(*out)[slot].objects;
        }
      }
      return Status::ok();
    });
  }
  return status.is_ok();
}

// After the entries, which know by then which copies there are.
bool Client::finish_files_of(uint32_t slot) {
  if (!is_spilling()) return true;
  WaitingClients waiting;
  Status status = store_lock_.run([&] {
    Objects objects(*segment_, store_lock_, slot_, holds_);
    for (uint32_t i = 0; i < segment_->files().used(); ++i) {
      const shm::SpillFile& file = segment_->file(i);
      if (file.state != shm::SpillState::kWriting || file.writer != slot) continue;
      objects.finish_file(i);
      store_lock_.commit();
    }
    waiting = objects.take_waiting();
    return Status::ok();
  });
  notify(waiting);
  return status.is_ok();
}

bool Client::forget_in_store(uint32_t slot) {
  constexpr uint32_t kBatch = 256;
  uint32_t used = 0;
  Status status = store_lock_.run([&] {
    store_lock_.set(segment_->client(slot).state, ClientState::kEnding);
    used = segment_->entries().used();
    return Status::ok();
  });
  for (uint32_t start = 0; status.is_ok() && start < used; start += kBatch) {
    WaitingClients waiting;
    status = store_lock_.run([&] {
      Objects objects(*segment_, store_lock_, slot_, holds_);
      objects.finish_freeing();
      for (uint32_t i = start; i < used && i < start + kBatch; ++i) {
        objects.forget_client(i, slot);
        store_lock_.commit();
        objects.finish_freeing();
        port::fail_point(port::FailPoint::kReaping);
      }
      waiting = objects.take_waiting();
      return Status::ok();
    });
    notify(waiting);
  }
  if (!status.is_ok() || !finish_files_of(slot)) return false;
  return store_lock_
      .run([&] {
        for (auto& bucket : segment_->store().waiters) store_lock_.clear_bit(bucket, slot);
        Pages(*segment_, store_lock_, slot).forget_client(slot);
        return Status::ok();
      })
      .is_ok();
}

}  // namespace mobula::store
