// What free() gives up, and who is told. The numbers in names are the edges of
// doc/object_states.md.

#include <atomic>

#include "test/support.h"

namespace mobula::test {
namespace {

EntryRef put_referred(ObjectStore& store, const ObjectId& id, SealOptions options = {}) {
  options.add_ref = true;
  REQUIRE_OK(put(store, id, 100, options));
  EntryRef ref;
  REQUIRE_OK(store.add_ref(id, &ref));
  REQUIRE_OK(store.drop_ref(ref));
  return ref;
}

size_t entries_in_use(ObjectStore& store) {
  const shm::Table& entries = store.client()->segment().store().entries;
  return entries.used - entries.free_count;
}

ROLE(borrower_of_1) {
  EntryRef ref;
  REQUIRE_OK(self.store().add_ref(id_of(1), &ref));
  self.tell("borrowed");
  EXPECT_EQ(self.hear(), "freed");
  EXPECT_EQ(availability(self.store(), id_of(1)), Availability::kFreed);
  REQUIRE_OK(self.store().drop_ref(ref));
}

ROLE(waiter_for_room) {
  self.store().watch_room([] {});
  self.store().enter_room_queue();
  self.tell_and_linger("waiting");
}

ROLE(collector) {
  std::atomic<int> asked{0};
  uint64_t number = self.store().on_collect([&] { ++asked; });
  self.tell("ready");
  EXPECT(eventually([&] { return asked > 0; }));
  self.store().forget_collect(number);
}

}  // namespace

TEST("edge 21: a freed object's bytes go at once, and every process that refers to it is told") {
  auto store = new_store();
  EntryRef ref = put_referred(*store, id_of(1));
  Process borrower("borrower_of_1", store->handle());
  EXPECT_EQ(borrower.hear(), "borrowed");
  REQUIRE_OK(store->free(id_of(1)));
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kFreed);
  EXPECT_EQ(stats_of(*store).used_bytes, 0u);
  expect_sound(*store);
  borrower.tell("freed");
  borrower.finish();
  REQUIRE_OK(store->drop_ref(ref));
  EXPECT_EQ(entries_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("an object can be freed twice, and one that is not there is not found") {
  auto store = new_store();
  put_referred(*store, id_of(1));
  REQUIRE_OK(store->free(id_of(1)));
  REQUIRE_OK(store->free(id_of(1)));
  EXPECT_CODE(store->free(id_of(2)), kNotFound);
  expect_sound(*store);
}

TEST("edge 22: an object that nobody refers to leaves nothing when it is freed") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  REQUIRE_OK(store->free(id_of(1)));
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kAbsent);
  EXPECT_EQ(entries_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("a freed object stays readable to who reads it, and to nobody else") {
  auto store = new_store();
  EntryRef ref = put_referred(*store, id_of(1)), again;
  Reading reading, other;
  REQUIRE_OK(store->get(id_of(1), &reading));
  REQUIRE_OK(store->free(id_of(1)));
  expect_sound(*store);
  EXPECT_EQ(reading.size, 100u);
  EXPECT_EQ(stats_of(*store).pinned_objects, 1u);
  EXPECT_CODE(store->get(id_of(1), &other), kNotFound);
  EXPECT_CODE(store->pin(id_of(1), &again), kNotFound);
  EXPECT(list(*store).empty());
  REQUIRE_OK(store->unpin(reading.ref));
  EXPECT_EQ(stats_of(*store).used_bytes, 0u);
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kFreed);
  expect_sound(*store);
  REQUIRE_OK(store->drop_ref(ref));
  EXPECT_EQ(entries_in_use(*store), 0u);
}

TEST("a promised object that is freed can be made no more") {
  auto store = new_store();
  EntryRef ref;
  REQUIRE_OK(store->promise(id_of(1), &ref));
  REQUIRE_OK(store->free(id_of(1)));
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kFreed);
  EXPECT_CODE(put(*store, id_of(1), 100), kFreed);
  expect_sound(*store);
  REQUIRE_OK(store->drop_ref(ref));
  EXPECT_CODE(put(*store, id_of(1), 100), kOk);
}

TEST("an object freed while it is written goes when it is sealed or aborted") {
  for (bool seals : {true, false}) {
    auto store = new_store();
    EntryRef ref;
    REQUIRE_OK(store->promise(id_of(1), &ref));
    ObjectId id = id_of(1);
    Writing writing;
    REQUIRE_OK(store->create_object(&id, 100, 0, &writing, nullptr));
    REQUIRE_OK(store->free(id));
    EXPECT_EQ(availability(*store, id), Availability::kFreed);
    expect_sound(*store);
    REQUIRE_OK(seals ? store->seal(writing.ref, {}) : store->abort(writing.ref));
    EXPECT_EQ(stats_of(*store).used_bytes, 0u);
    EXPECT_EQ(availability(*store, id), Availability::kFreed);
    expect_sound(*store);
    REQUIRE_OK(store->drop_ref(ref));
    EXPECT_EQ(entries_in_use(*store), 0u);
  }
}

TEST("a freed container lets go of what it contains") {
  auto store = new_store();
  EntryRef inner = put_referred(*store, id_of(1));
  ObjectId contained = id_of(1);
  SealOptions options;
  options.contained = &contained;
  options.contained_count = 1;
  put_referred(*store, id_of(2), options);
  REQUIRE_OK(store->drop_ref(inner));
  EXPECT(contains(*store, id_of(1)));
  REQUIRE_OK(store->free(id_of(2)));
  EXPECT_EQ(availability(*store, id_of(1)), Availability::kAbsent);
  EXPECT_EQ(availability(*store, id_of(2)), Availability::kFreed);
  expect_sound(*store);
}

TEST("who waits for an object that is freed is woken") {
  auto store = new_store();
  EntryRef ref;
  REQUIRE_OK(store->promise(id_of(1), &ref));
  std::atomic<int> woken{0};
  uint64_t watch = store->watch(id_of(1), [&] { ++woken; });
  REQUIRE_OK(store->free(id_of(1)));
  EXPECT(eventually([&] { return woken > 0; }));
  store->unwatch(watch);
}

TEST("an object that is pinned as it is sealed cannot be evicted in between") {
  auto store = new_store();
  SealOptions options;
  options.pin = true;
  EntryRef ref = put_referred(*store, id_of(1), options);
  EXPECT_EQ(stats_of(*store).pinned_objects, 1u);
  expect_sound(*store);
  uint64_t freed = 0;
  REQUIRE_OK(store->evict(kMiB, &freed, nullptr));
  EXPECT_EQ(freed, 0u);
  REQUIRE_OK(store->unpin(ref));
  REQUIRE_OK(store->drop_ref(ref));
  EXPECT_EQ(entries_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("what processes refer to is listed in steps, with its state and its holders") {
  auto store = new_store(store_options(4 * kMiB, 8000));
  for (uint32_t i = 1; i <= 3000; ++i) REQUIRE_OK(put(*store, id_of(i), 8));
  put_referred(*store, id_of(4001));
  Reading reading;
  REQUIRE_OK(store->get(id_of(4001), &reading));
  EntryRef ref;
  REQUIRE_OK(store->promise(id_of(4002), &ref));
  put_referred(*store, id_of(4003));
  REQUIRE_OK(store->free(id_of(4003)));
  std::vector<ReferredInfo> found;
  uint32_t next = 0, steps = 0;
  do {
    REQUIRE_OK(store->list_referred(&next, &found));
    ++steps;
  } while (next != 0);
  EXPECT(steps > 1);
  REQUIRE(found.size() == 3);
  EXPECT(found[0].state == ReferredState::kSealed);
  EXPECT_EQ(found[0].refs, 1u);
  EXPECT_EQ(found[0].pins, 1u);
  EXPECT_EQ(found[0].size, 100u);
  EXPECT(found[1].state == ReferredState::kPending);
  EXPECT(found[2].state == ReferredState::kFreed);
  REQUIRE_OK(store->unpin(reading.ref));
}

TEST("who waits for room is woken when bytes are given back or may be evicted") {
  auto store = new_store(store_options(kMiB));
  const shm::ClientSlot& client = store->client()->segment().client(store->client()->slot());
  auto wakes = [&](const std::function<void()>& change) {
    uint32_t before = client.notify.load();
    change();
    return client.notify.load() != before;
  };
  REQUIRE_OK(put(*store, id_of(1), 900 * kKiB));
  Reading reading;
  REQUIRE_OK(store->get(id_of(1), &reading));
  uint64_t watch = store->watch_room([] {});
  EXPECT(wakes([&] { REQUIRE_OK(store->unpin(reading.ref)); }));
  EXPECT(wakes([&] { REQUIRE_OK(store->remove(id_of(1))); }));
  store->unwatch(watch);
  REQUIRE_OK(put(*store, id_of(2), 100));
  EXPECT(!wakes([&] { REQUIRE_OK(store->remove(id_of(2))); }));
}

TEST("there is room for what is free or may be evicted, and never for more than `memory`") {
  auto store = new_store(store_options(kMiB));
  Room room{};
  REQUIRE_OK(put(*store, id_of(1), 900 * kKiB));
  REQUIRE_OK(store->room_for(kMiB / 2, &room));
  EXPECT(room == Room::kSome);
  Reading reading;
  REQUIRE_OK(store->get(id_of(1), &reading));
  REQUIRE_OK(store->room_for(kMiB / 2, &room));
  EXPECT(room == Room::kNone);
  REQUIRE_OK(store->room_for(2 * kMiB, &room));
  EXPECT(room == Room::kNever);
  REQUIRE_OK(store->unpin(reading.ref));
}

TEST("who waits for room goes in the order of coming, over all processes, whoever dies meanwhile") {
  auto store = new_store();
  EXPECT(store->is_first_for_room(UINT64_MAX));
  Process waiter("waiter_for_room", store->handle());
  EXPECT_EQ(waiter.hear(), "waiting");
  EXPECT(!store->is_first_for_room(UINT64_MAX));
  uint64_t watch = store->watch_room([] {});
  uint64_t before = port::monotonic_ms();
  EXPECT(eventually([&] { return port::monotonic_ms() > before; }));
  uint64_t place = store->enter_room_queue();
  EXPECT(!store->is_first_for_room(place));
  waiter.kill();
  reap_all(*store);
  EXPECT(store->is_first_for_room(place));
  store->leave_room_queue(place);
  EXPECT(store->is_first_for_room(UINT64_MAX));
  store->unwatch(watch);
}

TEST("a request to collect reaches every process of the store, this one too") {
  auto store = new_store();
  std::atomic<int> asked{0};
  uint64_t number = store->on_collect([&] { ++asked; });
  Process collector("collector", store->handle());
  EXPECT_EQ(collector.hear(), "ready");
  EXPECT_EQ(store->ask_to_collect(), 2u);
  collector.finish();
  EXPECT(eventually([&] { return asked > 0; }));
  store->forget_collect(number);
}

}  // namespace mobula::test
