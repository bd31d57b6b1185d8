#ifndef MOBULA_SHM_SEGMENT_H_
#define MOBULA_SHM_SEGMENT_H_

#include <memory>
#include <string>

#include "mobula/options.h"
#include "mobula/status.h"
#include "shm/layout.h"

namespace mobula::shm {

// A process's mapping of one segment. Thread-safe after construction: it only translates offsets.
// The mapping lives as long as the object; nothing may touch shared memory after it.
//
// Two mappings of the same pages: `at`-style accessors give the writable one, for bookkeeping and
// unsealed objects; readable_data() gives the read-only one (guard) that views stand on.
class Segment {
 public:
  static Status create(const StoreOptions& options, std::unique_ptr<Segment>* out);
  static Status open_named(const std::string& name, std::unique_ptr<Segment>* out);
  // What descriptor `fd` of process `pid` refers to; refused unless its store id is `expected`.
  static Status open_remote(uint32_t pid, int fd, const ObjectId& expected,
                            std::unique_ptr<Segment>* out);
  static Status unlink(const std::string& name);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  const Header& header() const { return *reinterpret_cast<const Header*>(base_); }
  StoreState& store() const { return *at<StoreState>(header().store_offset); }
  QueueState& queue() const { return *at<QueueState>(header().queue_offset); }
  ClientSlot& client(uint32_t index) const {
    return at<ClientSlot>(header().clients_offset)[index];
  }
  uint32_t* hash_heads() const { return at<uint32_t>(header().heads_offset); }
  uint64_t* chunk_bits() const { return at<uint64_t>(header().chunks_offset); }

  ObjectEntry& entry(uint32_t index) const { return row<ObjectEntry>(store().entries, index); }
  Block& block(uint32_t index) const { return row<Block>(store().blocks, index); }
  Edge& edge(uint32_t index) const { return row<Edge>(store().edges, index); }
  Cell& cell(uint32_t index) const { return row<Cell>(queue().cells, index); }
  ActorSlot& actor(uint32_t index) const { return row<ActorSlot>(queue().actors, index); }

  uint8_t* writable_data(uint64_t unit) const {
    return base_ + header().data_offset + unit * kUnit;
  }
  const uint8_t* readable_data(uint64_t unit) const {
    return views_ + header().data_offset + unit * kUnit;
  }

  // Cold memory is faster through the mapping than through the file.
  bool has_huge_pages() const { return huge_pages_; }

  uint8_t* base() const { return base_; }
  uint64_t size() const { return size_; }
  int fd() const { return fd_; }

  // Commits another step of a table's rows in the file, with no lock held. On success
  // `*committed` is the new number of committed rows, to be recorded in a transaction.
  Status commit_rows(const Table& table, uint32_t committed_now, uint32_t* committed) const;
  Status commit_data(uint64_t first_chunk, uint64_t chunks) const;
  // As commit_data, for chunks that this process is about to write through its mapping.
  Status map_data(uint64_t first_chunk, uint64_t chunks) const;
  // Gives the memory of these chunks back to the system.
  Status punch_data(uint64_t first_chunk, uint64_t chunks) const;
  Status write_data(uint64_t unit, const void* bytes, uint64_t length) const;

 private:
  Segment(int fd, uint64_t size, uint8_t* base, const uint8_t* views, bool huge_pages)
      : fd_(fd), size_(size), base_(base), views_(views), huge_pages_(huge_pages) {}

  static Status map(int fd, uint64_t size, bool guard, std::unique_ptr<Segment>* out);
  static Status adopt(int fd, std::unique_ptr<Segment>* out);
  Status commit(uint64_t offset, uint64_t length, const char* what) const;

  template <class T>
  T* at(uint64_t offset) const {
    return reinterpret_cast<T*>(base_ + offset);
  }
  template <class T>
  T& row(const Table& table, uint32_t index) const {
    return at<T>(table.offset)[index];
  }

  const int fd_;
  const uint64_t size_;
  uint8_t* const base_;
  const uint8_t* const views_;
  const bool huge_pages_;
};

}  // namespace mobula::shm

#endif  // MOBULA_SHM_SEGMENT_H_
