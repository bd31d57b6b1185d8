#ifndef MOBULA_STORE_PAGES_H_
#define MOBULA_STORE_PAGES_H_

#include <atomic>

#include "shm/allocator.h"
#include "shm/lock.h"
#include "shm/segment.h"

namespace mobula::store {

// A stretch of the data area, in units.
struct Extent {
  uint64_t start;
  uint64_t units;
};

// Which chunks of the data area have memory behind them; the taking of that memory and the handing
// back of it. Thread-safe as said at each function.
//
//   1. A set bit in the chunk map: the chunk's pages are there. A clear one: they may not be. So a
//      bit is set after the pages were committed, and cleared before they are handed back.
//   2. Pages of a used block are committed by who writes it. Pages of a free block change while the
//      block is taken for it: used, without an owner, named by paging_block. There is one such
//      block at a time, and paging_client is at work on it; when that process has died, whoever
//      reaps it frees the block.
//   3. Before new chunks are committed, free ones go until there are no more than `memory` and its
//      slack, or none is free as a whole.
class Pages {
 public:
  Pages(const shm::Segment& segment, shm::Lock& lock, uint32_t client)
      : segment_(segment), lock_(lock), allocator_(segment, lock), client_(client) {}

  // Store lock held.
  bool is_warm(const Extent& extent) const;
  void forget_client(uint32_t client);

  // --- No lock held. ---
  // Chunks that have memory although no object needs them, more or less: those that are partly in
  // use are not told apart, those that are kept ahead of use are not counted.
  uint64_t free_warm() const;
  // Refuses an object for which the mount has no memory, before anything makes room for it. An
  // estimate: commit() may still fail.
  Status has_memory_for(uint64_t weight) const;
  // Commits the pages under an object that the caller is writing. kFull when the system
  // has no memory left.
  Status commit(const Extent& extent);
  // As commit(), and writes `bytes` to its start: cheaper through the file than through the mapping
  // when there is much to write.
  Status write(const Extent& extent, const void* bytes, uint64_t size);
  // Hands pages of free blocks back to the system, `chunks` at most; returns how many it was. 0
  // when there are none, or another process is at it.
  uint64_t hand_back(uint64_t chunks);
  // Commits a few chunks of free blocks ahead of use, if the segment wants more of them. False when
  // there is nothing to do.
  bool prefault();

 private:
  struct Chunks {
    uint64_t first = 0;
    uint64_t end = 0;
    uint64_t count() const { return end - first; }
  };
  static Chunks under(const Extent& extent);
  static Chunks within(const Extent& extent);

  uint64_t next(bool warm, const Chunks& among) const;
  template <class Provide>
  Status provide(const Extent& extent, const Provide& provide);
  bool find_run(const Extent& extent, bool warm, uint64_t limit, Chunks* out) const;
  bool take_free(bool warm, uint64_t limit, Chunks* out);
  Status mark_warm(const Chunks& chunks);
  void release_taken();
  void set_bits(const Chunks& chunks, bool warm);
  uint64_t limit_chunks() const;
  uint64_t needed_chunks() const;
  uint64_t step_chunks() const;
  bool wants_prefault() const;

  const shm::Segment& segment_;
  shm::Lock& lock_;
  shm::Allocator allocator_;
  const uint32_t client_;
  std::atomic<bool> overdue_{false};  // a block was not released: the lock's holder was stopped
};

}  // namespace mobula::store

#endif  // MOBULA_STORE_PAGES_H_
