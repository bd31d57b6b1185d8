// Random operations on a store and on a plain model of it: equal results, equal evictions in equal
// order, equal states.

#include "test/model.h"

#include <algorithm>
#include <random>

#include "test/support.h"

namespace mobula::test {
namespace {

constexpr size_t kHeldAtMost = 12;

class Walk {
 public:
  // The walk uses ids first_id to first_id + ids - 1.
  Walk(ObjectStore& store, EvictionPolicy policy, uint64_t seed, uint32_t first_id, uint32_t ids)
      : store_(store),
        model_(stats_of(store).memory, policy),
        random_(seed),
        first_id_(first_id),
        ids_(ids) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      EXPECT_EQ(seen_, expected_);
      if (i % 20 == 0) compare();
    }
    compare();
  }

  // Of other walks on the same store nothing is known but that they keep off these ids.
  void compare() {
    EXPECT_EQ(describe(), model_.describe());
    for (uint32_t i = 0; i < ids_; ++i) {
      ObjectId id = id_of(first_id_ + i);
      EXPECT_EQ(availability(store_, id), model_.availability(id));
    }
  }

  uint64_t used() const { return model_.used(); }

 private:
  struct Held {
    EntryRef ref;
    Model::Handle object;
  };

  uint64_t pick(uint64_t below) { return random_() % below; }
  ObjectId any_id() { return id_of(first_id_ + static_cast<uint32_t>(pick(ids_))); }
  uint64_t any_size() { return pick(uint64_t{1} << pick(15)); }

  Held take(std::vector<Held>& from) {
    std::swap(from[pick(from.size())], from.back());
    Held held = from.back();
    from.pop_back();
    return held;
  }

  void step() {
    seen_.clear();
    expected_.clear();
    switch (pick(10)) {
      case 0:
        return create();
      case 1:
        return seal_or_abort();
      case 2:
      case 3:
        return pin();
      case 4:
        return unpin();
      case 5:
        return remove();
      case 6:
        return promise();
      case 7:
        return add_ref();
      case 8:
        return drop_ref();
      default:
        return evict_or_create();
    }
  }

  void create() {
    ObjectId id = any_id();
    uint64_t size = any_size();
    Writing writing;
    Held held;
    std::vector<ObjectInfo> evicted;
    Code code = store_.create_object(&id, size, 0, &writing, &evicted).code();
    for (const ObjectInfo& info : evicted) seen_.push_back(info.id);
    EXPECT_EQ(code, model_.create(id, size, &held.object, &expected_));
    if (code != Code::kOk) return;
    fill(id, writing.data, size);
    held.ref = writing.ref;
    written_.push_back(held);
    if (written_.size() > kHeldAtMost / 2) seal_or_abort();
  }

  void seal_or_abort() {
    if (written_.empty()) return;
    Held held = take(written_);
    if (pick(5) == 0) {
      EXPECT_CODE(store_.abort(held.ref), kOk);
      return model_.abort(held.object);
    }
    // An object that once was lost holds on to what it contained then.
    std::vector<ObjectId> contained;
    if (held.object->contains.empty() && !held.object->promised && held.object->refs == 0) {
      for (uint64_t i = pick(4); i > 0; --i) contained.push_back(older_id(held.object->id));
    }
    SealOptions options;
    options.contained = contained.data();
    options.contained_count = contained.size();
    options.add_ref = pick(3) == 0;
    EXPECT_CODE(store_.seal(held.ref, options), kOk);
    model_.seal(held.object, options.add_ref, contained);
    if (options.add_ref) referred_.push_back(held);
  }

  // Containers contain lower ids only, so that there are no cycles.
  ObjectId older_id(const ObjectId& id) {
    uint32_t number = first_id_;
    while (id_of(number) != id) ++number;
    uint32_t below = number - first_id_;
    return below == 0 ? id : id_of(first_id_ + static_cast<uint32_t>(pick(below)));
  }

  void pin() {
    ObjectId id = any_id();
    Reading reading;
    Held held;
    Code code = store_.get(id, &reading).code();
    EXPECT_EQ(code, model_.pin(id, &held.object));
    if (code != Code::kOk) return;
    std::vector<uint8_t> bytes(reading.size);
    fill(id, bytes.data(), reading.size);
    EXPECT_EQ(reading.size, held.object->size);
    EXPECT(std::equal(bytes.begin(), bytes.end(), reading.data));
    held.ref = reading.ref;
    pinned_.push_back(held);
    if (pinned_.size() > kHeldAtMost) unpin();
  }

  void unpin() {
    if (pinned_.empty()) return;
    Held held = take(pinned_);
    EXPECT_CODE(store_.unpin(held.ref), kOk);
    model_.unpin(held.object);
  }

  void remove() {
    ObjectId id = any_id();
    EXPECT_EQ(store_.remove(id).code(), model_.remove(id));
  }

  void promise() {
    ObjectId id = any_id();
    Held held;
    Code code = store_.promise(id, &held.ref).code();
    EXPECT_EQ(code, model_.promise(id, &held.object));
    if (code == Code::kOk) refer(held);
  }

  void add_ref() {
    ObjectId id = any_id();
    Held held;
    Code code = store_.add_ref(id, &held.ref).code();
    EXPECT_EQ(code, model_.add_ref(id, &held.object));
    if (code == Code::kOk) refer(held);
  }

  void refer(const Held& held) {
    referred_.push_back(held);
    if (referred_.size() > kHeldAtMost) drop_ref();
  }

  void drop_ref() {
    if (referred_.empty()) return;
    Held held = take(referred_);
    EXPECT_CODE(store_.drop_ref(held.ref), kOk);
    model_.drop_ref(held.object);
  }

  void evict_or_create() {
    if (pick(10) != 0 || stats_of(store_).clients > 1) return create();
    uint64_t freed = 0, bytes = any_size();
    std::vector<ObjectInfo> evicted;
    EXPECT_CODE(store_.evict(bytes, &freed, &evicted), kOk);
    for (const ObjectInfo& info : evicted) seen_.push_back(info.id);
    EXPECT_EQ(freed, model_.evict(bytes, &expected_));
  }

  std::vector<std::string> describe() {
    std::vector<std::string> lines;
    for (const ObjectInfo& info : list(store_)) {
      if (!is_mine(info.id)) continue;
      lines.push_back(info.id.hex() + " " + std::to_string(info.size) +
                      (info.state == InfoState::kSealed ? " sealed" : " created") +
                      (info.pins > 0 ? " pinned" : ""));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  bool is_mine(const ObjectId& id) const {
    for (uint32_t i = 0; i < ids_; ++i) {
      if (id_of(first_id_ + i) == id) return true;
    }
    return false;
  }

  ObjectStore& store_;
  Model model_;
  std::mt19937_64 random_;
  const uint32_t first_id_;
  const uint32_t ids_;
  std::vector<Held> written_, pinned_, referred_;
  std::vector<ObjectId> seen_, expected_;
};

void walk_alone(EvictionPolicy policy) {
  StoreOptions options = store_options(64 * kKiB, 4096);
  options.eviction = policy;
  uint64_t first_seed = seed();
  for (uint64_t i = 0; i < (long_run() ? 200 : 4); ++i) {
    auto store = new_store(options);
    Walk walk(*store, policy, first_seed + i, 0, 40);
    walk.run(3000);
    EXPECT_EQ(stats_of(*store).used_bytes, walk.used());
    expect_sound(*store);
  }
}

ROLE(walker) {
  auto number = static_cast<uint32_t>(std::stoul(self.argument(0)));
  Walk walk(self.store(), EvictionPolicy::kNone, std::stoull(self.argument(1)), number * 1000, 40);
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
