// Random operations on a store and on a plain model of it: equal results, equal evictions in equal
// order, equal states.

#include <random>

#include "test/support.h"
#include "test/undo_watch.h"
#include "test/walk.h"

namespace mobula::test {
namespace {

Walk::Pick random_picks(uint64_t seed) {
  return [random = std::mt19937_64(seed)](uint64_t below) mutable { return random() % below; };
}

void walk_alone(EvictionPolicy policy) {
  StoreOptions options = store_options(64 * kKiB, 4096);
  options.eviction = policy;
  uint64_t first_seed = seed();
  for (uint64_t i = 0; i < (long_run() ? 200 : 4); ++i) {
    auto store = new_store(options);
    UndoWatch watch(*store);
    Walk walk(*store, policy, random_picks(first_seed + i), 0, 40);
    walk.run(3000);
    EXPECT_EQ(describe_totals(stats_of(*store)), walk.model().describe_totals());
    expect_sound(*store);
  }
}

ROLE(walker) {
  auto number = static_cast<uint32_t>(std::stoul(self.argument(0)));
  Walk walk(self.store(), EvictionPolicy::kNone, random_picks(std::stoull(self.argument(1))),
            number * 1000, 40);
  self.tell("ready");
  self.hear();
  walk.run(long_run() ? 100'000 : 5000);
}

}  // namespace

TEST("a random walk agrees with the model where all may be evicted") {
  walk_alone(EvictionPolicy::kClru);
}
TEST("a random walk agrees with the model where references bind") {
  walk_alone(EvictionPolicy::kUnreferenced);
}
TEST("a random walk agrees with the model where nothing is evicted") {
  walk_alone(EvictionPolicy::kNone);
}

TEST("a model makes anew what only an object contained that it evicts for it") {
  Model model(1024, EvictionPolicy::kClru);
  Model::Handle inner, outer, again;
  std::vector<ObjectId> evicted;
  EXPECT_EQ(model.promise(id_of(1), &inner), Code::kOk);
  EXPECT_EQ(model.create(id_of(2), 100, 0, &outer, &evicted), Code::kOk);
  model.seal(outer, false, {id_of(1)});
  model.drop_ref(inner);
  EXPECT_EQ(model.create(id_of(1), 1000, 0, &again, &evicted), Code::kOk);
  EXPECT_EQ(evicted, std::vector<ObjectId>{id_of(2)});
  EXPECT(model.find(id_of(1)) == again);
  EXPECT(!again->managed);
}

TEST("random walks of several processes agree each with its model") {
  StoreOptions options = store_options(16 * kMiB, 4096);
  options.eviction = EvictionPolicy::kNone;
  auto store = new_store(options);
  uint64_t first_seed = seed();
  std::vector<std::unique_ptr<Process>> walkers;
  for (uint64_t i = 0; i < 4; ++i) {
    std::vector<std::string> arguments = {std::to_string(i), std::to_string(first_seed + i)};
    walkers.push_back(std::make_unique<Process>("walker", store->handle(), arguments));
    EXPECT_EQ(walkers.back()->hear(), "ready");
  }
  for (auto& walker : walkers) walker->tell("go");
  for (auto& walker : walkers) walker->finish();
  EXPECT(eventually([&] { return stats_of(*store).clients == 1; }));
  expect_sound(*store);
}

}  // namespace mobula::test
