#ifndef MOBULA_SHM_LOCK_H_
#define MOBULA_SHM_LOCK_H_

#include <atomic>
#include <cstring>
#include <functional>
#include <type_traits>

#include "mobula/status.h"
#include "shm/segment.h"

namespace mobula::shm {

// A robust lock over part of the control region, with the undo log that makes what happens under
// it atomic against the death of its holder (the idea: Zhuo et al., "Lightning", VLDB 2022).
//
// Thread-safe. Every store to memory that the lock protects goes through set() between acquire()
// and release(); commit() makes the stores so far permanent, so a long operation commits between
// steps that each leave a consistent state. A holder that dies is undone to its last commit by
// whoever acquires next.
//
// Under the lock nothing may block, call out, or touch memory that may not be there.
class Lock {
 public:
  Lock(LockArea* area, const Segment& segment)
      : area_(area), base_(segment.base()), header_(segment.header()) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // Waits while the holder lives and runs. kStalled when it has been stopped for over a second, at
  // once if that was so a second ago, or has held the lock for thirty; kCorrupt when mutex or log
  // is beyond repair, or when the mutex names a holder that is no thread of a process on this
  // segment.
  Status acquire();
  void release();
  // Does `work`, which returns a Status, under the lock. All code that reads what other processes
  // may have damaged runs in here: where it meets damage it is undone to its last commit, and the
  // result is kCorrupt.
  template <class Work>
  Status run(const Work& work);
  void commit();
  // Takes back everything since the last commit.
  void rollback();

  // `field` must lie in the segment. Logs its old value first.
  template <class T>
  void set(T& field, std::type_identity_t<T> value) {
    static_assert(std::is_trivially_copyable_v<T>);
    static_assert(sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8);
    if (field == value) return;
    log(field);
    port::store_word<T>(field, value);
    port::compiler_barrier();
  }
  // Two words that are neighbours, the first on a multiple of eight, with one entry of the log.
  void set_both(uint32_t& first, uint32_t& second, uint32_t first_value, uint32_t second_value) {
    log(reinterpret_cast<const uint64_t&>(first));
    port::store_word(first, first_value);
    port::store_word(second, second_value);
    port::compiler_barrier();
  }
  template <class T>
  void add(T& field, std::type_identity_t<T> amount) {
    set(field, static_cast<T>(field + amount));
  }
  template <class T>
  void subtract(T& field, std::type_identity_t<T> amount) {
    set(field, static_cast<T>(field - amount));
  }
  void set_bit(uint64_t* words, uint32_t bit) {
    set(words[bit / 64], words[bit / 64] | uint64_t{1} << (bit % 64));
  }
  void clear_bit(uint64_t* words, uint32_t bit) {
    set(words[bit / 64], words[bit / 64] & ~(uint64_t{1} << (bit % 64)));
  }

  bool log_is_empty() const { return area_->count == 0; }

  // For tests: `probe(n)` runs before each store that n logged ones precede since the last commit,
  // with memory as it would be left by a holder that is killed there. None ends it.
  using Probe = std::function<void(uint64_t)>;
  void set_probe(Probe probe);

 private:
  template <class T>
  void log(const T& field) {
    uint64_t count = area_->count;
    if (count >= watched_from_) [[unlikely]] {
      watch(count);
    }
    UndoEntry& entry = area_->entries[count];
    auto offset = static_cast<uint64_t>(reinterpret_cast<const uint8_t*>(&field) - base_);
    uint64_t old_value = 0;
    std::memcpy(&old_value, &field, sizeof(T));
    entry.where = offset << 4 | sizeof(T);
    entry.old_value = old_value;
    port::compiler_barrier();
    area_->count = count + 1;
    port::compiler_barrier();
  }
  void empty_log();
  void watch(uint64_t count);
  bool is_held_by_nobody() const;
  bool holder_is_stopped() const;
  bool log_is_sound() const;
  void undo();
  Status acquire_slowly();
  Status owned(port::LockResult result);
  Status stalled(const char* why) const;

  LockArea* const area_;
  uint8_t* const base_;
  const Header& header_;
  std::atomic<uint64_t> stalled_until_{
      0};  // ms; who finds the holder stopped until then need not wait
  uint64_t watched_from_ = kUndoEntries;
  Probe probe_;
};

template <class Work>
Status Lock::run(const Work& work) {
  Status acquired = acquire();
  if (!acquired.is_ok()) return acquired;
  try {
    Status done = work();
    release();
    return done;
  } catch (const Corrupt& damage) {
    rollback();
    release();
    return corrupt_status(damage.what);
  }
}

// Holds a lock for a scope; commits at its end. Check status() before anything else. For code that
// meets no damage; the rest uses Lock::run().
class LockGuard {
 public:
  explicit LockGuard(Lock& lock) : lock_(lock), status_(lock.acquire()) {}
  ~LockGuard() {
    if (status_.is_ok()) lock_.release();
  }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

  const Status& status() const { return status_; }

 private:
  Lock& lock_;
  const Status status_;
};

}  // namespace mobula::shm

#endif  // MOBULA_SHM_LOCK_H_
