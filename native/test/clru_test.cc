// What is evicted, in which order, and what a refusal leaves.

#include <algorithm>

#include "test/support.h"

namespace mobula::test {
namespace {

std::vector<ObjectId> ids(const std::vector<ObjectInfo>& infos) {
  std::vector<ObjectId> result;
  for (const ObjectInfo& info : infos) result.push_back(info.id);
  return result;
}

// What it evicts to put an object.
std::vector<ObjectId> evicted_by(ObjectStore& store, uint32_t number, uint64_t size) {
  std::vector<ObjectInfo> evicted;
  REQUIRE_OK(put(store, id_of(number), size, {}, &evicted));
  expect_sound(store);
  return ids(evicted);
}

std::vector<ObjectId> present(ObjectStore& store) {
  std::vector<ObjectId> all = ids(list(store));
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.bytes < b.bytes; });
  return all;
}

using Ids = std::vector<ObjectId>;

}  // namespace

TEST("a fresh store of 1 MiB holds sixteen objects of 64 KiB") {
  auto store = new_store(store_options(kMiB));
  for (uint32_t i = 0; i < 16; ++i) EXPECT_EQ(evicted_by(*store, i, 64 * kKiB), Ids{});
  EXPECT_EQ(stats_of(*store).used_bytes, kMiB);
  EXPECT_EQ(evicted_by(*store, 16, 64 * kKiB), Ids{id_of(0)});
}

TEST("edge 19: the least recently used objects go first, as many as the newcomer needs") {
  auto store = new_store(store_options(1024));
  for (uint32_t i = 1; i <= 4; ++i) REQUIRE_OK(put(*store, id_of(i), 256));
  EXPECT_EQ(evicted_by(*store, 5, 300), (Ids{id_of(1), id_of(2)}));
  StoreStats stats = stats_of(*store);
  EXPECT_EQ(stats.evictions, 2u);
  EXPECT_EQ(stats.evicted_bytes, 512u);
}

TEST("a get makes an object the most recently used, a peek does not") {
  auto store = new_store(store_options(1024));
  for (uint32_t i = 1; i <= 4; ++i) REQUIRE_OK(put(*store, id_of(i), 256));
  EXPECT(is_intact(*store, id_of(1)));
  ObjectInfo info;
  REQUIRE_OK(store->peek(id_of(2), &info));
  EXPECT_EQ(evicted_by(*store, 5, 256), Ids{id_of(2)});
  EXPECT_EQ(evicted_by(*store, 6, 256), Ids{id_of(3)});
}

TEST("a pinned object is passed over until its release makes it the youngest") {
  auto store = new_store(store_options(1024));
  for (uint32_t i = 1; i <= 4; ++i) REQUIRE_OK(put(*store, id_of(i), 256));
  EntryRef ref;
  REQUIRE_OK(store->pin(id_of(1), &ref));
  EXPECT_EQ(evicted_by(*store, 5, 256), Ids{id_of(2)});
  REQUIRE_OK(store->unpin(ref));
  EXPECT_EQ(evicted_by(*store, 6, 512), (Ids{id_of(3), id_of(4)}));
  EXPECT_EQ(evicted_by(*store, 7, 512), (Ids{id_of(5), id_of(1)}));
}

TEST("an object larger than the store is refused and changes nothing") {
  auto store = new_store(store_options(1024));
  for (uint32_t i = 1; i <= 4; ++i) REQUIRE_OK(put(*store, id_of(i), 256));
  Ids before = present(*store);
  std::vector<ObjectInfo> evicted;
  EXPECT_CODE(put(*store, id_of(5), 1025, {}, &evicted), kFull);
  EXPECT_EQ(present(*store), before);
  EXPECT_EQ(evicted.size(), 0u);
  expect_sound(*store);
}

TEST(
    "an object that does not fit beside what is pinned or written is refused and changes nothing") {
  auto store = new_store(store_options(1024));
  for (uint32_t i = 1; i <= 3; ++i) REQUIRE_OK(put(*store, id_of(i), 256));
  EntryRef ref;
  REQUIRE_OK(store->pin(id_of(1), &ref));
  ObjectId id = id_of(4);
  Writing writing;
  REQUIRE_OK(store->create_object(&id, 256, 0, &writing, nullptr));
  Ids before = present(*store);
  EXPECT_CODE(put(*store, id_of(5), 513), kFull);
  EXPECT_EQ(present(*store), before);
  EXPECT_EQ(evicted_by(*store, 5, 512), (Ids{id_of(2), id_of(3)}));
}

TEST("a store without eviction refuses what exceeds it") {
  StoreOptions options = store_options(1024);
  options.eviction = EvictionPolicy::kNone;
  auto store = new_store(options);
  for (uint32_t i = 1; i <= 4; ++i) REQUIRE_OK(put(*store, id_of(i), 256));
  EXPECT_CODE(put(*store, id_of(5), 1), kFull);
  EXPECT_EQ(stats_of(*store).evictions, 0u);
  uint64_t freed = 0;
  REQUIRE_OK(store->evict(1, &freed, nullptr));
  EXPECT_EQ(freed, 256u);
  expect_sound(*store);
}

TEST("a full object table evicts like full memory") {
  auto store = new_store(store_options(kMiB, 4));
  for (uint32_t i = 1; i <= 4; ++i) EXPECT_EQ(evicted_by(*store, i, 8), Ids{});
  EXPECT_EQ(evicted_by(*store, 5, 8), Ids{id_of(1)});
}

TEST("a referenced object outlives unreferenced ones where references bind") {
  StoreOptions options = store_options(1024);
  options.eviction = EvictionPolicy::kUnreferenced;
  auto store = new_store(options);
  SealOptions referred;
  referred.add_ref = true;
  REQUIRE_OK(put(*store, id_of(1), 256, referred));
  REQUIRE_OK(put(*store, id_of(2), 256));
  REQUIRE_OK(put(*store, id_of(3), 512, referred));
  EXPECT_EQ(evicted_by(*store, 4, 256), Ids{id_of(2)});
  EXPECT_CODE(put(*store, id_of(5), 512), kFull);
  EXPECT_EQ(present(*store).size(), 3u);
  expect_sound(*store);
}

TEST("evict frees at least the bytes that it is asked for, oldest first") {
  auto store = new_store(store_options(1024));
  for (uint32_t i = 1; i <= 4; ++i) REQUIRE_OK(put(*store, id_of(i), 256));
  uint64_t freed = 0;
  std::vector<ObjectInfo> evicted;
  REQUIRE_OK(store->evict(300, &freed, &evicted));
  EXPECT_EQ(freed, 512u);
  EXPECT_EQ(ids(evicted), (Ids{id_of(1), id_of(2)}));
  REQUIRE_OK(store->evict(10'000, &freed, &evicted));
  EXPECT_EQ(freed, 512u);
  EXPECT_EQ(list(*store).size(), 0u);
  expect_sound(*store);
}

TEST("the largest free block can be put without an eviction") {
  auto store = new_store(store_options(kMiB));
  for (uint32_t i = 1; i <= 50; ++i) REQUIRE_OK(put(*store, id_of(i), 10 * i));
  for (uint32_t i = 1; i <= 50; i += 2) REQUIRE_OK(store->remove(id_of(i)));
  EXPECT_EQ(evicted_by(*store, 99, stats_of(*store).largest_free_block), Ids{});
  EXPECT_EQ(stats_of(*store).largest_free_block, 0u);
}

}  // namespace mobula::test
