#include "shm/lock.h"

#include <string.h>

namespace mobula::shm {
namespace {

constexpr int kSpins = 200;
constexpr uint32_t kSliceMs = 50;
constexpr uint64_t kStoppedLimitMs = 1000;
constexpr const char* kStopped = "is stopped while it holds its lock";
// What the system tells of a process that is ending may be cut short, so one look is not enough.
constexpr int kLooksAtNobody = 2;
constexpr uint64_t kHeldLimitMs = 30'000;

}  // namespace

Status Lock::acquire() {
  port::LockResult result = port::mutex_try_lock(&area_->mutex);
  for (int spin = 0; result == port::LockResult::kBusy && spin < kSpins; ++spin) {
    port::cpu_relax();
    result = port::mutex_try_lock(&area_->mutex);
  }
  return result == port::LockResult::kBusy ? acquire_slowly() : owned(result);
}

Status Lock::acquire_slowly() {
  uint64_t since = port::monotonic_ms();
  if (since < stalled_until_ && holder_is_stopped()) {
    stalled_until_ = since + kStoppedLimitMs;
    return stalled(kStopped);
  }
  uint64_t stopped_since = 0;
  int looks_at_nobody = 0;
  for (;;) {
    port::LockResult result = port::mutex_lock_for(&area_->mutex, kSliceMs);
    if (result != port::LockResult::kBusy) return owned(result);
    looks_at_nobody = is_held_by_nobody() ? looks_at_nobody + 1 : 0;
    if (looks_at_nobody == kLooksAtNobody) return corrupt_status("its lock is held by nobody");
    uint64_t now = port::monotonic_ms();
    if (now - since > kHeldLimitMs) return stalled("holds its lock for over 30 s");
    if (!holder_is_stopped()) {
      stopped_since = 0;
      continue;
    }
    if (stopped_since == 0) stopped_since = now;
    if (now - stopped_since <= kStoppedLimitMs) continue;
    stalled_until_ = now + kStoppedLimitMs;
    return stalled(kStopped);
  }
}

bool Lock::holder_is_stopped() const {
  return port::thread_is_stopped(area_->holder_pid, area_->holder_tid);
}

// A thread that ends gives up its mutexes before its memory, so an owner without the segment in its
// memory never took this one. Where that may not be seen, it is one that has signed.
bool Lock::is_held_by_nobody() const {
  uint32_t owner = port::mutex_owner(area_->mutex);
  bool signed_by = owner == area_->holder_tid.load(std::memory_order_relaxed);
  if (owner != port::thread_id() &&
      port::thread_maps(owner, header_.mapping_name).value_or(signed_by)) {
    return false;
  }
  return port::mutex_owner(area_->mutex) == owner && port::mutex_is_locked(area_->mutex) &&
         !port::mutex_is_abandoned(area_->mutex);
}

Status Lock::stalled(const char* why) const {
  return {Code::kStalled, "the process " + std::to_string(area_->holder_pid) + " " + why +
                              ": continue it (kill -CONT) or end it (kill -KILL)"};
}

Status Lock::owned(port::LockResult result) {
  if (result == port::LockResult::kBroken) return corrupt_status("its lock is beyond repair");
  if (result == port::LockResult::kAcquired ? !log_is_empty() : !log_is_sound()) {
    port::mutex_unlock(&area_->mutex);
    return corrupt_status("its undo log is no log");
  }
  area_->holder_pid.store(port::process_id(), std::memory_order_relaxed);
  area_->holder_tid.store(port::thread_id(), std::memory_order_relaxed);
  if (result == port::LockResult::kAcquired) return Status::ok();
  undo();
  port::mutex_make_consistent(&area_->mutex);
  ++area_->recoveries;
  return Status::ok();
}

void Lock::release() {
  commit();
  port::mutex_unlock(&area_->mutex);
}

void Lock::commit() {
  port::fail_point(port::FailPoint::kCommitting, area_);
  empty_log();
}

void Lock::empty_log() {
  port::compiler_barrier();
  area_->count = 0;
  port::compiler_barrier();
}

void Lock::rollback() {
  if (log_is_sound()) undo();
}

void Lock::set_probe(Probe probe) {
  watched_from_ = probe ? 0 : kUndoEntries;
  probe_ = std::move(probe);
}

void Lock::watch(uint64_t count) {
  require(count < kUndoEntries, "the undo log is full");
  probe_(count);
}

// Every entry names a word between the header and the objects.
bool Lock::log_is_sound() const {
  if (area_->count > kUndoEntries) return false;
  for (uint64_t i = 0; i < area_->count; ++i) {
    uint64_t offset = area_->entries[i].where >> 4;
    uint64_t size = area_->entries[i].where & 15;
    if (size == 0 || size > 8 || (size & (size - 1)) != 0 || offset % size != 0) return false;
    if (offset < header_.store_offset || offset >= header_.data_offset) return false;
  }
  return true;
}

// Entries may be undone twice if the undoer dies too: each puts back an absolute value.
void Lock::undo() {
  for (uint64_t left = area_->count; left > 0; --left) {
    const UndoEntry& entry = area_->entries[left - 1];
    memcpy(base_ + (entry.where >> 4), &entry.old_value, entry.where & 15);
    port::compiler_barrier();
  }
  port::fail_point(port::FailPoint::kUndoing);
  empty_log();
}

}  // namespace mobula::shm
