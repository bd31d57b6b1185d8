// What the keeper does in a client's life: it calls who waits, and looks after the store.

#include <algorithm>

#include "queue/retire.h"
#include "store/client.h"

namespace mobula::store {

using shm::ClientSlot;
using shm::ClientState;

namespace {

constexpr uint32_t kTickMs = 250;
// A store without a put for this long is idle: memory of free blocks goes back to the system.
constexpr uint64_t kIdleMs = 3000;
constexpr uint64_t kChunksPerTurn = 16;

}  // namespace

void Client::run_keeper() {
  std::atomic<uint32_t>& word = segment_->client(slot_).notify;
  uint64_t next_tick = port::monotonic_ms() + kTickMs;
  while (!stop_) {
    uint32_t seen = word.load();
    remove_doomed_files(*segment_, store_lock_);
    run_watches();
    run_collectors();
    uint64_t now = port::monotonic_ms();
    if (now >= next_tick) {
      reap();
      run_later();
      if (segment_->header().has_queue) queue::ring_overdue(*segment_, queue_lock_, bells_);
      std::lock_guard lock(watches_mutex_);
      for (auto& tick : ticks_) tick();
      next_tick = now + kTickMs;
    }
    if (!stop_ && !look_after_pages(now)) port::futex_wait(&word, seen, kTickMs);
  }
}

// A little at a time, as watches may be waiting. False when there is nothing to do now.
bool Client::look_after_pages(uint64_t now) {
  if (pages_->prefault()) return true;
  uint64_t puts = port::load_word(segment_->store().puts);
  if (puts != puts_seen_ || last_put_ms_ == 0) {
    puts_seen_ = puts;
    last_put_ms_ = now;
  }
  if (now - last_put_ms_ < kIdleMs || pages_->free_warm() == 0) return false;
  return pages_->hand_back(std::min(pages_->free_warm(), kChunksPerTurn)) > 0;
}

void Client::notify(const WaitingClients& waiting) {
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    if (shm::test_bit(waiting.words, slot)) wake(slot);
  }
}

void Client::wake(uint32_t slot) {
  std::atomic<uint32_t>& word = segment_->client(slot).notify;
  word.fetch_add(1);
  port::futex_wake_all(&word);
}

uint64_t Client::watch(uint32_t bucket, std::function<void()> changed) {
  std::lock_guard lock(watches_mutex_);
  uint64_t number = next_watch_++;
  watches_.emplace(number, Watch{bucket, std::move(changed)});
  if (watched_buckets_[bucket]++ == 0) {
    (void)store_lock_.run([&] {
      objects_->watch(bucket);
      return Status::ok();
    });
  }
  return number;
}

void Client::unwatch(uint64_t number) {
  std::lock_guard lock(watches_mutex_);
  auto found = watches_.find(number);
  if (found == watches_.end()) return;
  uint32_t bucket = found->second.bucket;
  watches_.erase(found);
  if (--watched_buckets_[bucket] != 0) return;
  (void)store_lock_.run([&] {
    objects_->unwatch(bucket);
    return Status::ok();
  });
}

uint64_t Client::on_collect(std::function<void()> collect) {
  std::lock_guard lock(watches_mutex_);
  uint64_t number = next_watch_++;
  collectors_.emplace(number, std::move(collect));
  return number;
}

void Client::forget_collect(uint64_t number) {
  std::lock_guard lock(watches_mutex_);
  collectors_.erase(number);
}

size_t Client::ask_to_collect() {
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    ClientSlot& client = segment_->client(slot);
    if (port::load_word(client.state) != ClientState::kLive) continue;
    client.collect.fetch_add(1);
    wake(slot);
  }
  return collectors();
}

size_t Client::collectors() {
  size_t count = 0;
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    bool is_live = port::load_word(segment_->client(slot).state) == ClientState::kLive;
    count += is_live && slot != slot_;
  }
  std::lock_guard lock(watches_mutex_);
  return count + collectors_.size();
}

void Client::run_collectors() {
  uint32_t requests = segment_->client(slot_).collect.load();
  if (requests == collects_seen_) return;
  collects_seen_ = requests;
  std::lock_guard lock(watches_mutex_);
  for (auto& [number, collect] : collectors_) collect();
}

void Client::later(std::function<void(ObjectStore&)> work) {
  std::lock_guard lock(watches_mutex_);
  later_.push_back(std::move(work));
}

void Client::run_later() {
  std::vector<std::function<void(ObjectStore&)>> works;
  {
    std::lock_guard lock(watches_mutex_);
    works.swap(later_);
  }
  std::shared_ptr<Client> self = works.empty() ? nullptr : weak_from_this().lock();
  if (self == nullptr) return;
  ObjectStore store(std::move(self));
  for (auto& work : works) work(store);
}

void Client::add_tick(std::function<void()> tick) {
  std::lock_guard lock(watches_mutex_);
  ticks_.push_back(std::move(tick));
}

void Client::run_watches() {
  std::lock_guard lock(watches_mutex_);
  for (auto& [number, watch] : watches_) watch.changed();
}

}  // namespace mobula::store
