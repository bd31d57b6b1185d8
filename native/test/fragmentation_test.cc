// What happens when there are bytes enough but no hole.

#include "test/support.h"

namespace mobula::test {
namespace {

constexpr uint64_t kWanted = 1900 * kKiB;
constexpr uint64_t kSeparator = 4 * kKiB;

// A data area of 5 MiB, of which objects 1 and 2 are in use. They cut it into holes of 1800, 1850
// and 1462 KiB; object 3 lies next to object 2 and has been used before it.
std::unique_ptr<ObjectStore> cut_up_store() {
  auto store = new_store(store_options(2 * kMiB));
  REQUIRE_OK(put(*store, id_of(10), 1800 * kKiB));
  REQUIRE_OK(put(*store, id_of(1), kSeparator));
  REQUIRE_OK(store->remove(id_of(10)));
  REQUIRE_OK(put(*store, id_of(11), 1850 * kKiB));
  REQUIRE_OK(put(*store, id_of(2), kSeparator));
  REQUIRE_OK(store->remove(id_of(11)));
  REQUIRE_OK(put(*store, id_of(3), kSeparator));
  EXPECT(is_intact(*store, id_of(2)));
  EXPECT(stats_of(*store).largest_free_block < kWanted);
  return store;
}

std::vector<ObjectId> evicted_by_put(ObjectStore& store) {
  std::vector<ObjectInfo> evicted;
  REQUIRE_OK(put(store, id_of(50), kWanted, {}, &evicted));
  EXPECT(is_intact(store, id_of(50)));
  expect_sound(store);
  std::vector<ObjectId> ids;
  for (const ObjectInfo& info : evicted) ids.push_back(info.id);
  return ids;
}

EntryRef pin(ObjectStore& store, uint32_t number) {
  EntryRef ref;
  REQUIRE_OK(store.pin(id_of(number), &ref));
  return ref;
}

}  // namespace

TEST("without a hole the oldest objects go until there is one, and no more") {
  auto store = cut_up_store();
  EXPECT_EQ(evicted_by_put(*store), std::vector{id_of(1)});
}

TEST("an older object that leaves no hole goes before one that does") {
  auto store = cut_up_store();
  pin(*store, 1);
  EXPECT_EQ(evicted_by_put(*store), (std::vector{id_of(3), id_of(2)}));
}

TEST("a refusal for want of a hole evicts nothing") {
  auto store = cut_up_store();
  pin(*store, 1);
  EntryRef ref = pin(*store, 2);
  StoreStats before = stats_of(*store);
  EXPECT_CODE(put(*store, id_of(50), kWanted), kFull);
  StoreStats after = stats_of(*store);
  EXPECT_EQ(after.evictions, 0u);
  EXPECT_EQ(after.used_bytes, before.used_bytes);
  EXPECT(is_intact(*store, id_of(3)));
  REQUIRE_OK(store->unpin(ref));
  evicted_by_put(*store);
}

TEST("a full object table whose rows are all referred to refuses and evicts nothing") {
  auto store = new_store(store_options(kMiB, 4));
  SealOptions referred;
  referred.add_ref = true;
  for (uint32_t i = 1; i <= 4; ++i) REQUIRE_OK(put(*store, id_of(i), 8, referred));
  EXPECT_CODE(put(*store, id_of(5), 8), kFull);
  EntryRef promised;
  EXPECT_CODE(store->promise(id_of(5), &promised), kFull);
  EXPECT_EQ(stats_of(*store).evictions, 0u);
  EXPECT_EQ(stats_of(*store).sealed, 4u);
  expect_sound(*store);
}

}  // namespace mobula::test
