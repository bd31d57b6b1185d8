#include <optional>

#include "test/choices.h"
#include "test/fuzz.h"
#include "test/segment_image.h"
#include "test/support.h"
#include "test/walk.h"

namespace mobula::test {
namespace {

constexpr uint64_t kMemory = 64 * kKiB;
constexpr uint32_t kObjects = 128;
constexpr uint32_t kIds = 24;
constexpr int kStepsAtMost = 64;
constexpr int kCrashesAtMost = 4;
constexpr uint64_t kStoresAtMost = 128;  // to shared memory, before the crash

std::vector<std::string> after_death(const Walk& walk, const Model& model) {
  Model copy(model);
  copy.end_process();
  return walk.describe(copy);
}

// An operation may have ended after any of its evictions too.
bool is_reachable(const std::vector<std::string>& seen, const Model& before, const Walk& walk) {
  if (walk.has_contained()) return true;
  if (seen == after_death(walk, before) || seen == after_death(walk, walk.model())) return true;
  for (bool forced : {false, true}) {
    Model model(before);
    std::vector<ObjectId> evicted;
    while (model.evict_one(forced, &evicted) > 0) {
      if (seen == after_death(walk, model)) return true;
    }
  }
  return false;
}

void recover(SegmentImage& image, const Model& before, const Walk& walk) {
  image.kill_clients();
  std::unique_ptr<ObjectStore> store;
  REQUIRE_OK(image.attach(&store));
  expect_sound(*store);
  EXPECT_EQ(stats_of(*store).clients, 1u);
  std::vector<std::string> seen = walk.describe(*store);
  if (!is_reachable(seen, before, walk)) EXPECT_EQ(seen, after_death(walk, before));
  detach(std::move(store));
}

// One step, with an image of the segment from before its `at`-th store to shared memory.
void step_and_crash(Walk& walk, ObjectStore& store, uint64_t at) {
  Model before(walk.model());
  std::optional<SegmentImage> image;
  uint64_t stores = 0;
  uint32_t self = port::thread_id();
  shm::Lock& lock = store.client()->store_lock();
  lock.set_probe([&](uint64_t) {
    if (port::thread_id() == self && stores++ == at) image.emplace(store.client()->segment());
  });
  walk.step();
  lock.set_probe(nullptr);
  if (image) recover(*image, before, walk);
}

}  // namespace

void fuzz_operations(const uint8_t* bytes, size_t size) {
  Choices choices(bytes, size);
  StoreOptions options = store_options(kMemory, kObjects);
  options.eviction = static_cast<EvictionPolicy>(choices(3));
  auto store = new_store(options);
  {
    Walk walk(*store, options.eviction, std::ref(choices), 0, kIds);
    int crashes = 0;
    for (int i = 0; i < kStepsAtMost && !choices.exhausted(); ++i) {
      if (crashes < kCrashesAtMost && choices(4) == 0) {
        step_and_crash(walk, *store, choices(kStoresAtMost));
        ++crashes;
      } else {
        walk.step();
      }
    }
    walk.compare();
    EXPECT_EQ(describe_totals(stats_of(*store)), walk.model().describe_totals());
  }
  expect_sound(*store);
  detach(std::move(store));
}

}  // namespace mobula::test
