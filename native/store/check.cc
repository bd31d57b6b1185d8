#include "store/check.h"

#include <algorithm>
#include <bit>

#include "shm/allocator.h"

namespace mobula::store {

using shm::Block;
using shm::BlockState;
using shm::kNone;
using shm::ObjectEntry;
using shm::ObjectState;
using shm::SpillState;
using shm::StoreState;

namespace {

// Not to be evicted (ObjectId::is_system).
bool is_kept(const ObjectEntry& entry) {
  return (entry.flags & shm::kManaged) != 0 && entry.id.is_system();
}

bool any_bit(const uint64_t* words) {
  uint64_t any = 0;
  for (uint32_t i = 0; i < shm::kHolderWords; ++i) any |= words[i];
  return any != 0;
}

bool owns_block(const ObjectEntry& entry) {
  return entry.state == ObjectState::kCreated || entry.state == ObjectState::kSealed ||
         entry.state == ObjectState::kRestoring;
}

bool is_linked_state(ObjectState state) {
  return state != ObjectState::kFree && state != ObjectState::kFreeing;
}

// A walk that meets damage it cannot step over ends there, with the damage as its problem.
class Checker {
 public:
  explicit Checker(const shm::Segment& segment) : segment_(segment), state_(segment.store()) {}

  std::vector<std::string> run() {
    expect(state_.lock.count == 0, "the undo log is not empty");
    for (auto walk : {&Checker::walk_blocks, &Checker::walk_bins, &Checker::walk_entries,
                      &Checker::walk_ids, &Checker::walk_lru, &Checker::walk_edges,
                      &Checker::walk_freeing, &Checker::walk_free_rows, &Checker::walk_files,
                      &Checker::check_paging, &Checker::check_holders}) {
      try {
        (this->*walk)();
      } catch (const shm::Corrupt& damage) {
        expect(false, damage.what);
      }
    }
    return std::move(problems_);
  }

 private:
  void expect(bool holds, const std::string& problem) {
    if (!holds && problems_.size() < 100) problems_.push_back(problem);
  }

  void expect_equal(uint64_t actual, uint64_t expected, const char* what) {
    expect(actual == expected, std::string(what) + " is " + std::to_string(actual) +
                                   " but sums to " + std::to_string(expected));
  }

  bool valid(const shm::RowTable& rows, uint32_t index, const char* what) {
    if (index < rows.used()) return true;
    expect(false, std::string(what) + " " + std::to_string(index) + " does not exist");
    return false;
  }

  void walk_blocks() {
    uint64_t position = 0;
    uint32_t prev = kNone, steps = 0;
    bool prev_free = false;
    for (uint32_t i = 0; i != kNone && steps <= segment_.blocks().used(); ++steps) {
      if (!valid(segment_.blocks(), i, "block")) return;
      const Block& block = segment_.block(i);
      std::string name = "block " + std::to_string(i);
      expect(block.start == position, name + " does not start where its neighbour ends");
      expect(block.prev == prev, name + " has a wrong back link");
      expect(block.state != BlockState::kUnused, name + " is in the chain but unused");
      bool is_free = block.state == BlockState::kFree;
      expect(!(is_free && prev_free), name + " and its neighbour are both free");
      free_blocks_ += is_free;
      if (block.state == BlockState::kUsed) check_owner(i, block);
      prev_free = is_free;
      position += block.units;
      prev = i;
      i = block.next;
    }
    expect(steps <= segment_.blocks().used(), "the block chain has a cycle");
    expect_equal(position * shm::kUnit, segment_.header().data_size, "the tiled data area");
  }

  void check_owner(uint32_t index, const Block& block) {
    std::string name = "block " + std::to_string(index);
    if (index == state_.paging_block) {
      expect(block.owner == kNone, name + " is being paged but has an owner");
      return;
    }
    if (block.owner >= segment_.entries().used()) {
      expect(false, name + " is used by no entry");
      return;
    }
    const ObjectEntry& entry = segment_.entry(block.owner);
    expect(owns_block(entry) && entry.block == index, name + " is not its owner's block");
    expect(block.units * shm::kUnit == shm::weight_of(entry.size, entry.metadata_size),
           name + " has not its owner's weight");
  }

  void walk_bins() {
    uint64_t found = 0;
    for (uint32_t first = 0; first < shm::kFirstLevels; ++first) {
      const shm::Bins& bins = state_.bins;
      expect((bins.first_level >> first & 1) == (bins.second_level[first] != 0),
             "first-level bit " + std::to_string(first) + " is wrong");
      for (uint32_t second = 0; second < shm::kSecondLevels; ++second) {
        uint32_t head = bins.heads[first][second];
        expect((bins.second_level[first] >> second & 1) == (head != kNone), "a bin bit is wrong");
        found += walk_bin(first, second, head);
      }
    }
    expect_equal(found, free_blocks_, "the number of blocks in bins");
  }

  uint64_t walk_bin(uint32_t first, uint32_t second, uint32_t head) {
    uint64_t found = 0;
    for (uint32_t i = head; i != kNone && found <= segment_.blocks().used(); ++found) {
      if (!valid(segment_.blocks(), i, "binned block")) break;
      const Block& block = segment_.block(i);
      uint32_t own_first, own_second;
      shm::Allocator::bin_of(block.units, &own_first, &own_second);
      expect(block.state == BlockState::kFree && own_first == first && own_second == second,
             "block " + std::to_string(i) + " is in the wrong bin");
      i = block.bin_next;
    }
    return found;
  }

  void walk_entries() {
    uint64_t charged = 0, sealed = 0, unsealed = 0, spilled = 0, pinned = 0, pinned_bytes = 0;
    for (uint32_t i = 0; i < segment_.entries().used(); ++i) {
      const ObjectEntry& entry = segment_.entry(i);
      uint64_t weight = shm::weight_of(entry.size, entry.metadata_size);
      if (owns_block(entry)) charged += weight;
      if (any_bit(entry.pins)) {
        ++pinned;
        pinned_bytes += weight;
        expect(entry.state == ObjectState::kSealed,
               "entry " + std::to_string(i) + " is pinned but not sealed");
      }
      bool is_live = entry.state != ObjectState::kFree && entry.state != ObjectState::kFreeing;
      if (is_live && (entry.flags & shm::kFreed) != 0) {
        expect(entry.state == ObjectState::kLost || entry.state == ObjectState::kCreated ||
                   entry.state == ObjectState::kRestoring || any_bit(entry.pins),
               "entry " + std::to_string(i) + " is freed, but nobody keeps it from going");
      }
      sealed += entry.state == ObjectState::kSealed;
      unsealed += entry.state == ObjectState::kCreated;
      bool is_spilled =
          entry.state == ObjectState::kSpilled || entry.state == ObjectState::kRestoring;
      spilled += is_spilled;
      bool may_have_copy = is_spilled || entry.state == ObjectState::kSealed;
      bool has_copy = is_live && entry.copy_file != kNone;
      expect(
          has_copy ? may_have_copy : !is_spilled,
          "entry " + std::to_string(i) + " has a copy on disk that it cannot have, or lacks one");
    }
    expect_equal(state_.charged_bytes, charged, "charged_bytes");
    expect(charged <= segment_.header().memory_limit, "more bytes are charged than `memory`");
    expect_equal(state_.sealed, sealed, "sealed");
    expect_equal(state_.unsealed, unsealed, "unsealed");
    expect_equal(state_.spilled, spilled, "spilled");
    expect_equal(state_.pinned_objects, pinned, "pinned_objects");
    expect_equal(state_.pinned_bytes, pinned_bytes, "pinned_bytes");
  }

  void walk_ids() {
    uint64_t linked = 0, expected = 0;
    for (uint32_t bucket = 0; bucket < segment_.header().hash_heads; ++bucket) {
      uint32_t i = segment_.hash_head_at(bucket);
      for (; i != kNone && linked <= segment_.entries().used(); ++linked) {
        if (!valid(segment_.entries(), i, "indexed entry")) return;
        const ObjectEntry& entry = segment_.entry(i);
        uint32_t own = static_cast<uint32_t>(entry.id.hash()) & (segment_.header().hash_heads - 1);
        expect(own == bucket && is_linked_state(entry.state),
               "entry " + std::to_string(i) + " is indexed wrongly");
        i = entry.hash_next;
      }
    }
    for (uint32_t i = 0; i < segment_.entries().used(); ++i) {
      const ObjectEntry& entry = segment_.entry(i);
      expected += is_linked_state(entry.state) && (entry.flags & shm::kDeleted) == 0;
    }
    expect_equal(linked, expected, "the number of indexed ids");
  }

  void walk_lru() {
    uint64_t found = 0, evictable = 0, listed = 0, expected = 0;
    uint32_t prev = kNone;
    bool copied = state_.lru_copied != kNone;
    for (uint32_t i = state_.lru_oldest; i != kNone && found <= segment_.entries().used();
         ++found) {
      if (!valid(segment_.entries(), i, "listed entry")) return;
      const ObjectEntry& entry = segment_.entry(i);
      expect(entry.lru_prev == prev, "the LRU list has a wrong back link");
      expect(entry.state == ObjectState::kSealed && !any_bit(entry.pins) && !is_kept(entry),
             "entry " + std::to_string(i) + " is on the LRU list but not evictable");
      uint64_t weight = shm::weight_of(entry.size, entry.metadata_size);
      listed += weight;
      if (may_evict(entry)) evictable += weight;
      expect(!copied || entry.copy_file != kNone, "what goes first has no copy");
      if (i == state_.lru_copied) copied = false;
      prev = i;
      i = entry.lru_next;
    }
    for (uint32_t i = 0; i < segment_.entries().used(); ++i) {
      const ObjectEntry& entry = segment_.entry(i);
      expected += entry.state == ObjectState::kSealed && !any_bit(entry.pins) && !is_kept(entry);
    }
    expect(state_.lru_youngest == prev, "the LRU list has a wrong end");
    expect(!copied, "the last copied entry is not on the LRU list");
    expect_equal(found, expected, "the length of the LRU list");
    expect_equal(state_.evictable_bytes, evictable, "evictable_bytes");
    expect_equal(state_.listed_bytes, listed, "listed_bytes");
  }

  bool may_evict(const ObjectEntry& entry) const {
    switch (segment_.header().eviction) {
      case EvictionPolicy::kNone:
        return false;
      case EvictionPolicy::kClru:
        return true;
      case EvictionPolicy::kUnreferenced:
        return (entry.contained_by == 0 && !any_bit(entry.refs)) || entry.copy_file != kNone;
    }
    return false;
  }

  void walk_edges() {
    std::vector<uint32_t> contained_by(segment_.entries().used(), 0);
    for (uint32_t i = 0; i < segment_.entries().used(); ++i) {
      if (segment_.entry(i).state == ObjectState::kFree) continue;
      uint32_t steps = 0;
      for (uint32_t e = segment_.entry(i).edges; e != kNone && steps <= segment_.edges().used();
           ++steps) {
        if (!valid(segment_.edges(), e, "edge")) break;
        uint32_t target = segment_.edge(e).contained;
        if (valid(segment_.entries(), target, "contained entry")) ++contained_by[target];
        e = segment_.edge(e).next;
      }
    }
    for (uint32_t i = 0; i < segment_.entries().used(); ++i) {
      const ObjectEntry& entry = segment_.entry(i);
      if (entry.state == ObjectState::kFree) continue;
      expect_equal(entry.contained_by, contained_by[i], "contained_by");
    }
  }

  void walk_freeing() {
    uint64_t found = 0, expected = 0;
    uint32_t steps = 0;
    for (uint32_t i = state_.freeing_head; i != kNone && steps <= segment_.entries().used();
         ++steps) {
      if (!valid(segment_.entries(), i, "freeing entry")) return;
      const ObjectEntry& entry = segment_.entry(i);
      expect(entry.state == ObjectState::kFreeing || entry.state == ObjectState::kLost ||
                 entry.state == ObjectState::kPromised,
             "entry " + std::to_string(i) + " lets go of what it contains but is in use");
      found += entry.state == ObjectState::kFreeing;
      i = entry.lru_prev;
    }
    for (uint32_t i = 0; i < segment_.entries().used(); ++i) {
      expected += segment_.entry(i).state == ObjectState::kFreeing;
    }
    expect_equal(found, expected, "the number of freeing entries");
  }

  void walk_files() {
    std::vector<uint32_t> copies(segment_.files().used(), 0);
    uint64_t largest = 0;
    for (uint32_t i = 0; i < segment_.entries().used(); ++i) {
      const ObjectEntry& entry = segment_.entry(i);
      bool is_live = entry.state != ObjectState::kFree && entry.state != ObjectState::kFreeing;
      if (!is_live || entry.copy_file == kNone) continue;
      if (valid(segment_.files(), entry.copy_file, "spill file")) ++copies[entry.copy_file];
      largest = std::max(largest, shm::weight_of(entry.size, entry.metadata_size));
    }
    uint64_t bytes = 0, in_writing = 0, doomed = 0, listed = 0;
    for (uint32_t i = 0; i < segment_.files().used(); ++i) {
      const shm::SpillFile& file = segment_.file(i);
      std::string name = "spill file " + std::to_string(i);
      if (file.state == SpillState::kFree) {
        expect(copies[i] == 0, name + " has copies but is free");
        continue;
      }
      bytes += file.bytes;
      in_writing += file.state == SpillState::kWriting;
      doomed += file.state == SpillState::kDoomed;
      expect(file.objects == copies[i], name + " has other copies than it counts");
      expect(file.state == SpillState::kReady ? copies[i] > 0 : true, name + " is of no use");
      expect(file.state == SpillState::kDoomed ? copies[i] == 0 : true,
             name + " is doomed but needed");
      expect(file.state != SpillState::kWriting ||
                 segment_.client(file.writer).state != shm::ClientState::kFree,
             name + " is written by a process that has ended");
    }
    for (uint32_t i = state_.doomed_file; i != kNone && listed <= segment_.files().used();
         ++listed) {
      if (!valid(segment_.files(), i, "doomed file")) return;
      i = segment_.file(i).free_next;
    }
    expect_equal(listed, doomed, "the number of doomed files");
    expect_equal(state_.spill_bytes, bytes, "spill_bytes");
    expect_equal(state_.files_in_writing, in_writing, "files_in_writing");
    expect(state_.largest_copy >= largest, "largest_copy is less than that");
    expect(bytes > 0 || state_.largest_copy == 0, "largest_copy is of no file");
  }

  void check_paging() {
    uint64_t committed = 0;
    uint64_t words = shm::round_up(segment_.header().data_size / shm::kChunk, 64) / 64;
    for (uint64_t i = 0; i < words; ++i) committed += std::popcount(segment_.chunk_bits()[i]);
    expect_equal(state_.committed_chunks, committed, "committed_chunks");
    if (state_.paging_block == kNone) return;
    if (!valid(segment_.blocks(), state_.paging_block, "paged block")) return;
    expect(segment_.block(state_.paging_block).state == BlockState::kUsed,
           "the paged block is not taken");
    expect(state_.paging_client < shm::kMaxClients &&
               segment_.client(state_.paging_client).state != shm::ClientState::kFree,
           "a block is being paged by a process that has ended");
  }

  void walk_free_rows() {
    walk_free(segment_.entries(), "entry");
    walk_free(segment_.blocks(), "block");
    walk_free(segment_.edges(), "edge");
    walk_free(segment_.files(), "spill file");
  }

  template <class Row>
  void walk_free(const shm::Rows<Row>& rows, const char* what) {
    const shm::Table& table = rows.counters();
    expect(table.used <= table.committed && table.committed <= rows.capacity(),
           std::string("the rows of the ") + what + " table are miscounted");
    uint32_t found = 0;
    for (uint32_t i = table.free_head; i != kNone && found <= rows.used(); ++found) {
      if (!valid(rows, i, what)) return;
      i = rows[i].free_next;
    }
    expect_equal(table.free_count, found, "free_count");
  }

  void check_holders() {
    uint64_t live[shm::kHolderWords] = {};
    for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
      if (segment_.client(slot).state != shm::ClientState::kFree) {
        live[slot / 64] |= uint64_t{1} << (slot % 64);
      }
    }
    for (uint32_t i = 0; i < segment_.entries().used(); ++i) {
      const ObjectEntry& entry = segment_.entry(i);
      if (entry.state == ObjectState::kFree) continue;
      for (uint32_t word = 0; word < shm::kHolderWords; ++word) {
        expect(((entry.pins[word] | entry.refs[word]) & ~live[word]) == 0,
               "entry " + std::to_string(i) + " is held by a process that has ended");
      }
    }
  }

  const shm::Segment& segment_;
  const StoreState& state_;
  uint64_t free_blocks_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> check_store(const shm::Segment& segment) { return Checker(segment).run(); }

}  // namespace mobula::store
