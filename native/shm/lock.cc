#include "shm/lock.h"

#include <string.h>

namespace mobula::shm {
namespace {

constexpr int kSpins = 200;
constexpr uint32_t kSliceMs = 50;
constexpr uint64_t kStoppedLimitMs = 1000;
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
  uint64_t stopped_since = 0;
  for (;;) {
    port::LockResult result = port::mutex_lock_for(&area_->mutex, kSliceMs);
    if (result != port::LockResult::kBusy) return owned(result);
    uint64_t now = port::monotonic_ms();
    if (now - since > kHeldLimitMs) return stalled("holds its lock for over 30 s");
    if (!port::thread_is_stopped(area_->holder_pid, area_->holder_tid)) {
      stopped_since = 0;
      continue;
    }
    if (stopped_since == 0) stopped_since = now;
    if (now - stopped_since > kStoppedLimitMs) return stalled("is stopped while it holds its lock");
  }
}

Status Lock::stalled(const char* why) const {
  return {Code::kStalled, "the process " + std::to_string(area_->holder_pid) + " " + why +
                              ": continue it (kill -CONT) or end it (kill -KILL)"};
}

Status Lock::owned(port::LockResult result) {
  if (result == port::LockResult::kBroken) {
    return {Code::kCorrupt, "the store's lock is beyond repair: create a new store"};
  }
  area_->holder_pid.store(port::process_id(), std::memory_order_relaxed);
  area_->holder_tid.store(port::thread_id(), std::memory_order_relaxed);
  if (result == port::LockResult::kAcquired) return Status::ok();
  if (area_->count > kUndoEntries) {
    port::mutex_unlock(&area_->mutex);
    return {Code::kCorrupt, "the store's undo log is damaged: create a new store"};
  }
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

void Lock::rollback() { undo(); }

// Entries may be undone twice if the undoer dies too: each puts back an absolute value.
void Lock::undo() {
  for (uint64_t left = area_->count; left > 0; --left) {
    const UndoEntry& entry = area_->entries[left - 1];
    uint64_t offset = entry.where >> 4;
    uint64_t size = entry.where & 15;
    if (size > 8 || offset > header_->total_size - size) continue;
    memcpy(base_ + offset, &entry.old_value, size);
    port::compiler_barrier();
  }
  port::fail_point(port::FailPoint::kUndoing);
  empty_log();
}

}  // namespace mobula::shm
