// Promises, references and containers. The numbers in names are the edges of doc/object_states.md.

#include <atomic>

#include "shm/table.h"
#include "test/support.h"

namespace mobula::test {
namespace {

EntryRef add_ref(ObjectStore& store, const ObjectId& id) {
  EntryRef ref;
  REQUIRE_OK(store.add_ref(id, &ref));
  return ref;
}

EntryRef promise(ObjectStore& store, const ObjectId& id) {
  EntryRef ref;
  REQUIRE_OK(store.promise(id, &ref));
  return ref;
}

// A sealed object with one ref of this process, and what it contains.
EntryRef put_referred(ObjectStore& store, const ObjectId& id,
                      const std::vector<ObjectId>& contained = {}) {
  EntryRef ref;
  SealOptions options;
  options.contained = contained.data();
  options.contained_count = contained.size();
  options.add_ref = true;
  REQUIRE_OK(put(store, id, 100, options));
  REQUIRE_OK(store.add_ref(id, &ref));
  REQUIRE_OK(store.drop_ref(ref));
  return ref;
}

size_t edges_in_use(ObjectStore& store) {
  const shm::Table& edges = store.client()->segment().store().edges;
  return edges.used - edges.free_count;
}

size_t entries_in_use(ObjectStore& store) {
  const shm::Table& entries = store.client()->segment().store().entries;
  return entries.used - entries.free_count;
}

ROLE(promiser) {
  promise(self.store(), id_of(1));
  self.tell_and_linger("promised");
}

// Reads and refers to a container that is removed.
ROLE(reader_of_a_removed_container) {
  put_referred(self.store(), id_of(1));
  put_referred(self.store(), id_of(2), {id_of(1)});
  EntryRef pinned;
  REQUIRE_OK(self.store().pin(id_of(2), &pinned));
  REQUIRE_OK(self.store().remove(id_of(2)));
  self.tell_and_linger("removed");
}

ObjectId system_id(uint32_t number) {
  ObjectId id = id_of(number);
  id.bytes[6] = id.bytes[7] = 0xff;
  return id;
}

}  // namespace

TEST("an object that never had a reference needs none") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  EXPECT(is_intact(*store, id_of(1)));
}

TEST("an object of the runtime's own is not evicted while it is referred to") {
  auto store = new_store(store_options(1024));
  EntryRef ref = put_referred(*store, system_id(1));
  REQUIRE_OK(put(*store, system_id(2), 100));
  REQUIRE_OK(put(*store, id_of(3), 100));
  uint64_t freed = 0;
  std::vector<ObjectInfo> evicted;
  REQUIRE_OK(store->evict(1024, &freed, &evicted));
  EXPECT_EQ(evicted.size(), 2u);
  EXPECT(is_intact(*store, system_id(1)));
  expect_sound(*store);
  REQUIRE_OK(store->drop_ref(ref));
  EXPECT_EQ(entries_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("a watch on an object of the runtime's own tells of the end of any, and of nothing else") {
  auto store = new_store();
  std::atomic<int> calls = 0;
  uint64_t watch = store->watch(system_id(1), [&] { ++calls; });
  EntryRef ref = put_referred(*store, system_id(2));
  REQUIRE_OK(put(*store, id_of(3), 100));
  REQUIRE_OK(store->remove(id_of(3)));
  EXPECT_EQ(calls.load(), 0);
  REQUIRE_OK(store->drop_ref(ref));
  EXPECT(eventually([&] { return calls.load() > 0; }));
  store->unwatch(watch);
}

TEST("edge 9: an object goes with its last reference") {
  auto store = new_store();
  EntryRef ref = put_referred(*store, id_of(1));
  EntryRef second = add_ref(*store, id_of(1));
  EXPECT_EQ(second.entry, ref.entry);
  REQUIRE_OK(store->drop_ref(ref));
  EXPECT(is_intact(*store, id_of(1)));
  REQUIRE_OK(store->drop_ref(second));
  EXPECT_EQ(entries_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("edge 10: an object without references goes with its last pin") {
  auto store = new_store();
  EntryRef ref = put_referred(*store, id_of(1)), pin;
  REQUIRE_OK(store->pin(id_of(1), &pin));
  REQUIRE_OK(store->drop_ref(ref));
  expect_sound(*store);
  EXPECT(contains(*store, id_of(1)));
  REQUIRE_OK(store->unpin(pin));
  EXPECT_EQ(entries_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("edge 8: an object whose references went while it was written goes when it is sealed") {
  auto store = new_store();
  EntryRef ref = promise(*store, id_of(1));
  ObjectId id = id_of(1);
  Writing writing;
  REQUIRE_OK(store->create_object(&id, 100, 0, &writing, nullptr));
  REQUIRE_OK(store->drop_ref(ref));
  expect_sound(*store);
  REQUIRE_OK(store->seal(writing.ref, {}));
  EXPECT_EQ(entries_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("edges 2 and 11: a promised object is pending until it is created and sealed") {
  auto store = new_store();
  EntryRef ref = promise(*store, id_of(1)), again;
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kPending);
  EXPECT_CODE(store->promise(id_of(1), &again), kExists);
  expect_sound(*store);
  REQUIRE_OK(put(*store, id_of(1), 100));
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kReady);
  REQUIRE_OK(store->drop_ref(ref));
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kAbsent);
  expect_sound(*store);
}

TEST("edge 23: a lost object is promised again, and lost again with its promiser") {
  auto store = new_store();
  EntryRef ref = put_referred(*store, id_of(1)), again;
  EXPECT_CODE(store->promise(id_of(1), &again), kExists);
  std::vector<ObjectInfo> evicted;
  REQUIRE_OK(store->evict(id_of(1), &evicted));
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kLost);
  Process promiser("promiser", store->handle());
  EXPECT_EQ(promiser.hear(), "promised");
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kPending);
  expect_sound(*store);
  promiser.kill();
  EXPECT(eventually([&] { return availability(*store, id_of(1)) == Availability::kLost; }));
  again = promise(*store, id_of(1));
  EXPECT_EQ(again.entry, ref.entry);
  EXPECT_EQ(again.generation, ref.generation);
  REQUIRE_OK(put(*store, id_of(1), 200));
  EXPECT(is_intact(*store, id_of(1)));
  REQUIRE_OK(store->drop_ref(ref));
  REQUIRE_OK(store->drop_ref(again));
  EXPECT_EQ(entries_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("a lost object that is freed is not promised again") {
  auto store = new_store();
  EntryRef ref = put_referred(*store, id_of(1)), again;
  REQUIRE_OK(store->evict(id_of(1), nullptr));
  REQUIRE_OK(store->free(id_of(1)));
  EXPECT_CODE(store->promise(id_of(1), &again), kExists);
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kFreed);
  REQUIRE_OK(store->drop_ref(ref));
  expect_sound(*store);
}

TEST("an object is evicted by its id unless somebody pins it") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  REQUIRE_OK(put(*store, id_of(2), 100));
  EntryRef pinned;
  REQUIRE_OK(store->pin(id_of(2), &pinned));
  std::vector<ObjectInfo> evicted;
  EXPECT_CODE(store->evict(id_of(2), &evicted), kNotFound);
  EXPECT_CODE(store->evict(id_of(3), &evicted), kNotFound);
  REQUIRE_OK(store->evict(id_of(1), &evicted));
  REQUIRE(evicted.size() == 1);
  EXPECT_EQ(evicted[0].id, id_of(1));
  REQUIRE_OK(store->unpin(pinned));
  expect_sound(*store);
}

TEST("edge 16: a promised object whose writer aborts is pending again") {
  auto store = new_store();
  promise(*store, id_of(1));
  ObjectId id = id_of(1);
  Writing writing;
  REQUIRE_OK(store->create_object(&id, 100, 0, &writing, nullptr));
  REQUIRE_OK(store->abort(writing.ref));
  EXPECT_EQ(availability(*store, id), Availability::kPending);
  EXPECT_CODE(put(*store, id, 100), kOk);
  expect_sound(*store);
}

TEST("edge 12: a promise that nobody refers to any more is forgotten") {
  auto store = new_store();
  REQUIRE_OK(store->drop_ref(promise(*store, id_of(1))));
  EXPECT_EQ(entries_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("edges 13 and 18: what a killed process has promised is lost to those who refer to it") {
  auto store = new_store();
  Process promiser("promiser", store->handle());
  EXPECT_EQ(promiser.hear(), "promised");
  EntryRef ref = add_ref(*store, id_of(1));
  promiser.kill();
  EXPECT(eventually([&] { return availability(*store, id_of(1)) == Availability::kLost; }));
  expect_sound(*store);
  REQUIRE_OK(store->drop_ref(ref));
  EXPECT_EQ(entries_in_use(*store), 0u);
}

TEST("a killed process gives back a removed container that it both read and referred to") {
  auto store = new_store();
  Process reader("reader_of_a_removed_container", store->handle());
  EXPECT_EQ(reader.hear(), "removed");
  reader.kill();
  reap_all(*store);
  EXPECT_EQ(entries_in_use(*store), 0u);
  EXPECT_EQ(edges_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("edge 17: a promise of a killed process is lost when its writer aborts") {
  auto store = new_store();
  Process promiser("promiser", store->handle());
  EXPECT_EQ(promiser.hear(), "promised");
  add_ref(*store, id_of(1));
  ObjectId id = id_of(1);
  Writing writing;
  REQUIRE_OK(store->create_object(&id, 100, 0, &writing, nullptr));
  promiser.kill();
  EXPECT(eventually([&] { return stats_of(*store).clients == 1; }));
  REQUIRE_OK(store->abort(writing.ref));
  EXPECT_EQ(availability(*store, id), Availability::kLost);
  expect_sound(*store);
}

TEST(
    "edge 14: a removed object is lost to nobody by its id, and its row waits for the last "
    "reference") {
  auto store = new_store();
  EntryRef ref = put_referred(*store, id_of(1));
  REQUIRE_OK(store->remove(id_of(1)));
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kAbsent);
  EXPECT_EQ(stats_of(*store).used_bytes, 0u);
  EXPECT_EQ(entries_in_use(*store), 1u);
  expect_sound(*store);
  REQUIRE_OK(store->drop_ref(ref));
  EXPECT_EQ(entries_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("edges 5 and 15: an evicted object that is referred to is lost and can be made again") {
  auto store = new_store(store_options(1024));
  EntryRef ref = put_referred(*store, id_of(1));
  REQUIRE_OK(put(*store, id_of(2), 1000));
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kLost);
  expect_sound(*store);
  REQUIRE_OK(put(*store, id_of(1), 100));
  EXPECT(is_intact(*store, id_of(1)));
  REQUIRE_OK(store->drop_ref(ref));
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kAbsent);
  expect_sound(*store);
}

TEST(
    "edge 5: what is lost lets go of what it contained, and holds what it contains when made "
    "again") {
  auto store = new_store();
  for (uint32_t i = 1; i <= 2; ++i) put_referred(*store, id_of(i));
  EntryRef outer = put_referred(*store, id_of(3), {id_of(1)});
  for (uint32_t i = 1; i <= 2; ++i) REQUIRE_OK(store->drop_ref(add_ref(*store, id_of(i))));
  EXPECT_EQ(edges_in_use(*store), 1u);
  uint64_t freed = 0;
  REQUIRE_OK(store->evict(kMiB, &freed, nullptr));
  EXPECT_EQ(availability(*store, id_of(3)), Availability::kLost);
  EXPECT_EQ(edges_in_use(*store), 0u);
  expect_sound(*store);
  put_referred(*store, id_of(4));
  ObjectId contained = id_of(4);
  SealOptions options;
  options.contained = &contained;
  options.contained_count = 1;
  REQUIRE_OK(put(*store, id_of(3), 100, options));
  EXPECT_EQ(edges_in_use(*store), 1u);
  REQUIRE_OK(store->drop_ref(outer));
  expect_sound(*store);
}

TEST(
    "edges 12 and 1: creating what only an object contains that is evicted for it makes it anew, "
    "even in a full table") {
  auto store = new_store(store_options(1024, 2));
  EntryRef ref = promise(*store, id_of(1));
  ObjectId contained = id_of(1);
  SealOptions options;
  options.contained = &contained;
  options.contained_count = 1;
  REQUIRE_OK(put(*store, id_of(2), 100, options));
  REQUIRE_OK(store->drop_ref(ref));
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kPending);
  REQUIRE_OK(put(*store, id_of(1), 1000));
  EXPECT(is_intact(*store, id_of(1)));
  EXPECT_EQ(availability(*store, id_of(2)), Availability::kAbsent);
  EXPECT_EQ(entries_in_use(*store), 1u);
  EXPECT_EQ(edges_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("promises can be fulfilled when the object table is full of them") {
  auto store = new_store(store_options(kMiB, 4));
  EntryRef ref;
  for (uint32_t i = 0; i < 4; ++i) promise(*store, id_of(i));
  EXPECT_CODE(store->promise(id_of(4), &ref), kFull);
  for (uint32_t i = 0; i < 4; ++i) EXPECT_CODE(put(*store, id_of(i), 100), kOk);
  expect_sound(*store);
}

TEST("edge 20: what an object contains lives as long as it") {
  auto store = new_store();
  EntryRef inner = put_referred(*store, id_of(1));
  EntryRef outer = put_referred(*store, id_of(2), {id_of(1)});
  REQUIRE_OK(store->drop_ref(inner));
  EXPECT(contains(*store, id_of(1)));
  expect_sound(*store);
  REQUIRE_OK(store->drop_ref(outer));
  EXPECT_EQ(entries_in_use(*store), 0u);
  EXPECT_EQ(edges_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("what is contained and referred to outlives its container") {
  auto store = new_store();
  EntryRef inner = put_referred(*store, id_of(1));
  REQUIRE_OK(store->drop_ref(put_referred(*store, id_of(2), {id_of(1)})));
  EXPECT(is_intact(*store, id_of(1)));
  REQUIRE_OK(store->drop_ref(inner));
  EXPECT_EQ(entries_in_use(*store), 0u);
}

TEST("a chain of ten thousand containers goes with its head") {
  auto store = new_store(store_options(16 * kMiB, 20'000));
  EntryRef head = put_referred(*store, id_of(0));
  for (uint32_t i = 1; i < 10'000; ++i) {
    EntryRef next = put_referred(*store, id_of(i), {id_of(i - 1)});
    REQUIRE_OK(store->drop_ref(head));
    head = next;
  }
  EXPECT_EQ(entries_in_use(*store), 10'000u);
  expect_sound(*store);
  REQUIRE_OK(store->drop_ref(head));
  EXPECT_EQ(entries_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("what several containers share goes with the last of them") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  EntryRef left = put_referred(*store, id_of(2), {id_of(1)});
  EntryRef right = put_referred(*store, id_of(3), {id_of(1)});
  EntryRef top = put_referred(*store, id_of(4), {id_of(2), id_of(3), id_of(1), id_of(1)});
  for (EntryRef ref : {left, right}) REQUIRE_OK(store->drop_ref(ref));
  expect_sound(*store);
  EXPECT_EQ(entries_in_use(*store), 4u);
  REQUIRE_OK(store->drop_ref(top));
  EXPECT_EQ(entries_in_use(*store), 0u);
  EXPECT_EQ(edges_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("a container of thousands is sealed and freed whole") {
  auto store = new_store(store_options(4 * kMiB, 8000));
  std::vector<ObjectId> inner;
  for (uint32_t i = 0; i < 5000; ++i) {
    inner.push_back(id_of(i));
    REQUIRE_OK(put(*store, inner.back(), 8));
  }
  EntryRef outer = put_referred(*store, id_of(9999), inner);
  EXPECT_EQ(edges_in_use(*store), 5000u);
  expect_sound(*store);
  REQUIRE_OK(store->drop_ref(outer));
  EXPECT_EQ(entries_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("the last edge can be used, one more is refused, and the store goes on") {
  auto store = new_store(store_options(kMiB, 4));
  REQUIRE_OK(put(*store, id_of(1), 8));
  uint32_t capacity = store->client()->segment().store().edges.capacity;
  std::vector<ObjectId> inner(capacity, id_of(1));
  EntryRef outer = put_referred(*store, id_of(2), inner);
  expect_sound(*store);
  SealOptions options;
  options.contained = inner.data();
  options.contained_count = 1;
  EXPECT_CODE(put(*store, id_of(3), 8, options), kFull);
  EXPECT_EQ(stats_of(*store).unsealed, 0u);
  EXPECT_CODE(put(*store, id_of(3), 8), kOk);
  REQUIRE_OK(store->drop_ref(outer));
  EXPECT_EQ(edges_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("an aborted container holds nothing") {
  auto store = new_store(store_options(kMiB, 4));
  REQUIRE_OK(put(*store, id_of(1), 8));
  std::vector<ObjectId> inner(1000, id_of(1));
  SealOptions options;
  options.contained = inner.data();
  options.contained_count = inner.size();
  EXPECT_CODE(put(*store, id_of(2), 8, options), kFull);
  EXPECT_EQ(edges_in_use(*store), 0u);
  expect_sound(*store);
}

}  // namespace mobula::test
