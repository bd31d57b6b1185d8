#include "shm/allocator.h"

#include <map>
#include <random>

#include "shm/table.h"
#include "test/support.h"

namespace mobula::test {
namespace {

// The allocator of a store without objects. Its blocks have no owning entry, which check() would
// report, so the facts are verified here until all is freed.
class Arena {
 public:
  explicit Arena(uint64_t memory) : store_(new_store(store_options(memory, 4096))) {}
  ~Arena() {
    while (!used_.empty()) free(used_.begin()->first);
    expect_sound(*store_);
  }

  // The first unit, or none.
  bool allocate(uint64_t units, uint64_t align, uint64_t* start) {
    REQUIRE_OK(shm::table_grow(segment(), lock(), segment().blocks(), 2));
    shm::LockGuard guard(lock());
    uint32_t block = shm::Allocator(segment(), lock()).allocate(units, align, 0);
    if (block == shm::kNone) return false;
    *start = segment().block(block).start;
    EXPECT_EQ(segment().block(block).units, units);
    used_[*start] = {block, units};
    return true;
  }

  void free(uint64_t start) {
    shm::LockGuard guard(lock());
    shm::Allocator(segment(), lock()).free(used_.at(start).block);
    used_.erase(start);
  }

  uint64_t largest() {
    shm::LockGuard guard(lock());
    return shm::Allocator(segment(), lock()).largest_free_units();
  }

  uint64_t units() { return segment().header().data_size / shm::kUnit; }

  // Blocks tile the area, no two free ones touch, used ones are ours and do not overlap.
  void expect_sound_blocks() {
    shm::LockGuard guard(lock());
    uint64_t position = 0, used = 0;
    bool was_free = false;
    for (uint32_t i = 0; i != shm::kNone; i = segment().block(i).next) {
      const shm::Block& block = segment().block(i);
      EXPECT_EQ(block.start, position);
      bool is_free = block.state == shm::BlockState::kFree;
      EXPECT(!(is_free && was_free));
      if (!is_free) {
        ++used;
        EXPECT(used_.count(block.start) == 1 && used_[block.start].units == block.units);
      }
      was_free = is_free;
      position += block.units;
    }
    EXPECT_EQ(position, units());
    EXPECT_EQ(used, used_.size());
  }

  struct Used {
    uint32_t block;
    uint64_t units;
  };
  std::map<uint64_t, Used>& used() { return used_; }

 private:
  const shm::Segment& segment() { return store_->client()->segment(); }
  shm::Lock& lock() { return store_->client()->store_lock(); }

  std::unique_ptr<ObjectStore> store_;
  std::map<uint64_t, Used> used_;
};

}  // namespace

TEST("a random mix of allocations keeps the blocks tiled, merged and apart") {
  Arena arena(kMiB);
  std::mt19937_64 random(seed());
  int rounds = long_run() ? 200'000 : 20'000;
  for (int i = 0; i < rounds; ++i) {
    if (random() % 2 == 0 && !arena.used().empty()) {
      auto victim = arena.used().lower_bound(random() % arena.units());
      if (victim == arena.used().end()) victim = arena.used().begin();
      arena.free(victim->first);
    } else {
      uint64_t start;
      uint64_t align = random() % 4 == 0 ? 64 : 1;
      uint64_t units = 1 + random() % (uint64_t{1} << random() % 12);
      if (arena.allocate(units, align, &start)) EXPECT_EQ(start % align, 0u);
    }
    if (i % 100 == 0) arena.expect_sound_blocks();
  }
  arena.expect_sound_blocks();
}

TEST("all that is freed is one block again") {
  Arena arena(kMiB);
  uint64_t start;
  std::vector<uint64_t> starts;
  while (starts.size() < 1000 && arena.allocate(1 + starts.size() % 50, 1, &start)) {
    starts.push_back(start);
  }
  for (size_t i = 0; i < starts.size(); i += 2) arena.free(starts[i]);
  for (size_t i = 1; i < starts.size(); i += 2) arena.free(starts[i]);
  EXPECT_EQ(arena.largest(), arena.units());
}

TEST("the area can be allocated to its last unit and no further") {
  Arena arena(kMiB);
  uint64_t start;
  REQUIRE(arena.allocate(arena.units(), 1, &start));
  EXPECT_EQ(arena.largest(), 0u);
  EXPECT(!arena.allocate(1, 1, &start));
  arena.free(0);
  for (uint64_t i = 0; i < arena.units() / 64; ++i) REQUIRE(arena.allocate(64, 64, &start));
  EXPECT(!arena.allocate(1, 1, &start));
}

TEST("memory freed last is allocated first") {
  Arena arena(kMiB);
  uint64_t first, between, second, start;
  REQUIRE(arena.allocate(100, 1, &first));
  REQUIRE(arena.allocate(1, 1, &between));
  REQUIRE(arena.allocate(100, 1, &second));
  REQUIRE(arena.allocate(1, 1, &between));
  arena.free(second);
  arena.free(first);
  REQUIRE(arena.allocate(100, 1, &start));
  EXPECT_EQ(start, first);
}

TEST("every size falls into the bin whose bounds enclose it") {
  uint32_t last_first = 0, last_second = 1;
  for (uint64_t units = 1; units < 5000; ++units) {
    uint32_t first, second;
    shm::Allocator::bin_of(units, &first, &second);
    bool ascends = first > last_first || (first == last_first && second >= last_second);
    EXPECT(ascends && second < shm::kSecondLevels);
    if (units < shm::kSecondLevels) EXPECT_EQ(second, units);
    last_first = first;
    last_second = second;
  }
  uint32_t first, second;
  shm::Allocator::bin_of(uint64_t{1} << 39, &first, &second);
  EXPECT(first < shm::kFirstLevels);
}

}  // namespace mobula::test
