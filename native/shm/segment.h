#ifndef MOBULA_SHM_SEGMENT_H_
#define MOBULA_SHM_SEGMENT_H_

#include <memory>
#include <string>

#include "mobula/options.h"
#include "mobula/status.h"
#include "shm/layout.h"
#include "shm/plan.h"
#include "shm/rows.h"

namespace mobula::shm {

// A process's mapping of one segment. Thread-safe after construction: it only translates offsets.
// The mapping lives as long as the object; nothing may touch shared memory after it.
//
// What never changes (the header, where each table lies) was validated when the segment was opened
// and is this process's own copy: it is never read from shared memory again. What changes is read
// through accessors that throw Corrupt (corrupt.h) rather than leave a table or the data area.
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

  const Header& header() const { return header_; }
  void set_ready() const;
  StoreState& store() const { return *store_; }
  QueueState& queue() const { return *queue_; }
  ClientSlot& client(uint32_t index) const {
    require(index < kMaxClients, "a client number leads outside the client table");
    return clients_[index];
  }
  uint32_t& hash_head(const ObjectId& id) const {
    return heads_[static_cast<uint32_t>(id.hash()) & (header_.hash_heads - 1)];
  }
  uint32_t hash_head_at(uint32_t bucket) const { return heads_[bucket]; }  // < hash_heads
  // One bit for each chunk of the data area.
  uint64_t* chunk_bits() const { return at<uint64_t>(header_.chunks_offset); }

  const Rows<ObjectEntry>& entries() const { return entries_; }
  const Rows<Block>& blocks() const { return blocks_; }
  const Rows<Edge>& edges() const { return edges_; }
  const Rows<SpillFile>& files() const { return files_; }
  const Rows<Cell>& cells() const { return cells_; }
  const Rows<ActorSlot>& actors() const { return actors_; }

  ObjectEntry& entry(uint32_t index) const { return entries_[index]; }
  // Lies in the data area.
  Block& block(uint32_t index) const {
    Block& block = blocks_[index];
    require(block.units <= data_units_ && block.start <= data_units_ - block.units,
            "a block leads outside the data area");
    return block;
  }
  Edge& edge(uint32_t index) const { return edges_[index]; }
  SpillFile& file(uint32_t index) const { return files_[index]; }
  Cell& cell(uint32_t index) const { return cells_[index]; }
  ActorSlot& actor(uint32_t index) const { return actors_[index]; }

  uint8_t* writable_data(uint64_t unit) const { return base_ + header_.data_offset + unit * kUnit; }
  const uint8_t* readable_data(uint64_t unit) const {
    return views_ + header_.data_offset + unit * kUnit;
  }

  // The refusal of memory for an object, if the mount that the file is on cannot have that much
  // more; ok where there is no such limit.
  Status has_space(uint64_t bytes) const;
  // Cold memory is faster through the mapping than through the file.
  bool has_huge_pages() const { return huge_pages_; }

  uint8_t* base() const { return base_; }
  uint64_t size() const { return header_.total_size; }
  int fd() const { return fd_; }

  // Commits another step of a table's rows in the file, with no lock held. On success
  // `*committed` is the new number of committed rows, to be recorded in a transaction.
  Status commit_rows(const RowTable& table, uint32_t committed_now, uint32_t* committed) const;
  Status commit_data(uint64_t first_chunk, uint64_t chunks) const;
  // As commit_data, for chunks that this process is about to write through its mapping.
  Status map_data(uint64_t first_chunk, uint64_t chunks) const;
  // Gives the memory of these chunks back to the system.
  Status punch_data(uint64_t first_chunk, uint64_t chunks) const;
  Status write_data(uint64_t unit, const void* bytes, uint64_t length) const;

 private:
  Segment(int fd, const Plan& plan, uint8_t* base, const uint8_t* views, bool huge_pages);

  static Status map(int fd, const Plan& plan, std::unique_ptr<Segment>* out);
  static Status adopt(int fd, std::unique_ptr<Segment>* out);
  Status commit(uint64_t offset, uint64_t length, const char* what) const;

  template <class T>
  T* at(uint64_t offset) const {
    return reinterpret_cast<T*>(base_ + offset);
  }

  const Header header_;
  const uint64_t data_units_;
  const int fd_;
  uint8_t* const base_;
  const uint8_t* const views_;
  const bool huge_pages_;
  const bool is_limited_;  // the mount has a size
  StoreState* const store_;
  QueueState* const queue_;
  ClientSlot* const clients_;
  uint32_t* const heads_;
  const Rows<ObjectEntry> entries_;
  const Rows<Block> blocks_;
  const Rows<Edge> edges_;
  const Rows<SpillFile> files_;
  const Rows<Cell> cells_;
  const Rows<ActorSlot> actors_;
};

}  // namespace mobula::shm

#endif  // MOBULA_SHM_SEGMENT_H_
