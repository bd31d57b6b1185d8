// Several processes on one store, and the death of one of them.

#include <string.h>

#include <atomic>

#include "port/port.h"
#include "test/support.h"

namespace mobula::test {
namespace {

constexpr uint64_t kGivenBackWithinMs = 1000;

// Waits for the keepers alone to give back what the dead held.
void expect_given_back_within_a_second(ObjectStore& store) {
  uint64_t start = port::monotonic_ms();
  EXPECT(eventually([&] { return stats_of(store).clients == 1; }));
  EXPECT(port::monotonic_ms() - start < kGivenBackWithinMs);
  StoreStats stats = stats_of(store);
  EXPECT_EQ(stats.reclaimed_clients, 1u);
  EXPECT_EQ(stats.pinned_objects, 0u);
  EXPECT_EQ(stats.unsealed, 0u);
  expect_sound(store);
}

ROLE(reader) {
  EXPECT(is_intact(self.store(), id_of(1)));
  REQUIRE_OK(put(self.store(), id_of(2), 300'000));
  expect_sound(self.store());
}

ROLE(writer_of_shared_bytes) {
  ObjectId id = id_of(1);
  Writing writing;
  REQUIRE_OK(self.store().create_object(&id, 1000, 0, &writing, nullptr));
  self.tell("created");
  self.hear();
  fill(id, writing.data, 1000);
  REQUIRE_OK(self.store().seal(writing.ref, {}));
}

ROLE(pinner) {
  EntryRef ref;
  for (uint32_t i = 1; i <= 3; ++i) REQUIRE_OK(self.store().pin(id_of(i), &ref));
  self.tell_and_linger("holding");
}

ROLE(unsealed_writer) {
  for (uint32_t i = 10; i < 1000; ++i) {
    ObjectId id = id_of(i);
    Writing writing;
    REQUIRE_OK(self.store().create_object(&id, 100, 0, &writing, nullptr));
  }
  self.tell_and_linger("holding");
}

ROLE(referrer) {
  EntryRef ref;
  REQUIRE_OK(self.store().add_ref(id_of(1), &ref));
  SealOptions options;
  ObjectId inner = id_of(2);
  options.add_ref = true;
  options.contained = &inner;
  options.contained_count = 1;
  REQUIRE_OK(put(self.store(), id_of(7), 100, options));
  self.tell_and_linger("holding");
}

ROLE(polite) {
  EntryRef ref;
  ObjectId id = id_of(5);
  Writing writing;
  REQUIRE_OK(self.store().pin(id_of(1), &ref));
  REQUIRE_OK(self.store().create_object(&id, 100, 0, &writing, nullptr));
  REQUIRE_OK(self.store().promise(id_of(6), &ref));
}

ROLE(sealer) {
  self.hear();
  REQUIRE_OK(put(self.store(), id_of(1), 100));
  self.hear();
}

ROLE(promise_breaker) {
  EntryRef ref;
  REQUIRE_OK(self.store().promise(id_of(1), &ref));
  self.tell_and_linger("promised");
}

ROLE(churner) {
  for (uint32_t i = 0;; ++i) {
    ObjectId id = id_of(100 + i % 50);
    if (!put(self.store(), id, 100 + i % 5000).is_ok()) (void)self.store().remove(id);
    Reading reading;
    if (self.store().get(id_of(100 + i * 7 % 50), &reading).is_ok() && i % 3 != 0) {
      REQUIRE_OK(self.store().unpin(reading.ref));
    }
    if (i == 100) self.tell("churning");
  }
}

}  // namespace

TEST("another process reads what this one has sealed, and the reverse") {
  auto store = new_store(store_options(4 * kMiB));
  REQUIRE_OK(put(*store, id_of(1), 300'000));
  Process other("reader", store->handle());
  other.finish();
  EXPECT(is_intact(*store, id_of(2)));
  expect_sound(*store);
}

TEST("bytes that another process writes into its object are read here without a copy") {
  auto store = new_store();
  Process writer("writer_of_shared_bytes", store->handle());
  EXPECT_EQ(writer.hear(), "created");
  const shm::Segment& segment = store->client()->segment();
  const uint8_t* data = segment.readable_data(segment.block(segment.entry(0).block).start);
  writer.tell("write");
  EXPECT(eventually([&] { return contains(*store, id_of(1)); }));
  uint8_t expected[1000];
  fill(id_of(1), expected, sizeof expected);
  EXPECT(memcmp(data, expected, sizeof expected) == 0);
  Reading reading;
  REQUIRE_OK(store->get(id_of(1), &reading));
  EXPECT(reading.data == data);
  writer.finish();
}

TEST("a handle of a store that is gone attaches to nothing") {
  auto store = new_store();
  StoreHandle handle = store->handle();
  handle.store_id = id_of(77);
  std::unique_ptr<ObjectStore> other;
  EXPECT_CODE(ObjectStore::attach(handle, &other), kNotFound);
  handle.fd = 999;
  EXPECT_CODE(ObjectStore::attach(handle, &other), kNotFound);
}

TEST("pins of a killed process are given back within a second") {
  auto store = new_store();
  for (uint32_t i = 1; i <= 3; ++i) REQUIRE_OK(put(*store, id_of(i), 100));
  Process other("pinner", store->handle());
  EXPECT_EQ(other.hear(), "holding");
  EXPECT_EQ(stats_of(*store).pinned_objects, 3u);
  other.kill();
  expect_given_back_within_a_second(*store);
  EXPECT(is_intact(*store, id_of(1)));
}

TEST("unsealed objects of a killed process are given back within a second") {
  auto store = new_store(store_options(kMiB, 1024));
  Process other("unsealed_writer", store->handle());
  EXPECT_EQ(other.hear(), "holding");
  EXPECT_EQ(stats_of(*store).unsealed, 990u);
  other.kill();
  expect_given_back_within_a_second(*store);
  EXPECT_EQ(stats_of(*store).used_bytes, 0u);
}

TEST("references of a killed process are given back within a second") {
  auto store = new_store();
  for (uint32_t i = 1; i <= 2; ++i) REQUIRE_OK(put(*store, id_of(i), 100));
  Process other("referrer", store->handle());
  EXPECT_EQ(other.hear(), "holding");
  other.kill();
  expect_given_back_within_a_second(*store);
  EXPECT_EQ(list(*store).size(), 0u);
}

TEST("a process that needs the space of a dead one gets it") {
  auto store = new_store(store_options(1024));
  for (uint32_t i = 1; i <= 3; ++i) REQUIRE_OK(put(*store, id_of(i), 300));
  Process other("pinner", store->handle());
  EXPECT_EQ(other.hear(), "holding");
  EXPECT_CODE(put(*store, id_of(9), 1000), kFull);
  other.kill();
  EXPECT(eventually([&] { return put(*store, id_of(9), 1000).is_ok(); }));
  expect_sound(*store);
}

TEST("a process that lets go of a store gives back all it holds") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  Process other("polite", store->handle());
  other.finish();
  EXPECT(eventually([&] { return stats_of(*store).clients == 1; }));
  EXPECT_EQ(stats_of(*store).pinned_objects, 0u);
  EXPECT_EQ(list(*store).size(), 1u);
  expect_sound(*store);
}

TEST("a reference for a process that has ended is not given") {
  auto store = new_store();
  SealOptions options;
  options.add_ref = true;
  options.ref_client = store->client()->slot() + 1;
  options.ref_client_generation = 1;
  REQUIRE_OK(put(*store, id_of(1), 100, options));
  expect_sound(*store);
}

TEST("a watcher hears of an object that another process seals") {
  auto store = new_store();
  std::atomic<bool> heard{false};
  Process sealer("sealer", store->handle());
  uint64_t watch = store->watch(id_of(1), [&] { heard = true; });
  sealer.tell("seal");
  EXPECT(eventually([&] { return contains(*store, id_of(1)); }));
  heard = false;
  EXPECT(eventually([&] { return heard.load(); }));
  store->unwatch(watch);
  expect_sound(*store);
}

TEST("a watcher hears of a removal, and nothing after it is cancelled") {
  auto store = new_store();
  std::atomic<int> calls{0};
  REQUIRE_OK(put(*store, id_of(1), 100));
  uint64_t watch = store->watch(id_of(1), [&] { ++calls; });
  int before = calls;
  REQUIRE_OK(store->remove(id_of(1)));
  EXPECT(eventually([&] { return calls > before; }));
  store->unwatch(watch);
  before = calls;
  std::atomic<int> others{0};
  uint64_t other = store->watch(id_of(2), [&] { ++others; });
  EXPECT(eventually([&] { return others > 1; }));
  EXPECT_EQ(calls.load(), before);
  store->unwatch(other);
}

TEST("a watcher hears of an object that a killed process had promised") {
  auto store = new_store();
  Process other("promise_breaker", store->handle());
  EXPECT_EQ(other.hear(), "promised");
  EntryRef ref;
  REQUIRE_OK(store->add_ref(id_of(1), &ref));
  std::atomic<bool> lost{false};
  store->watch(id_of(1), [&] { lost = true; });
  other.kill();
  EXPECT(eventually([&] { return availability(*store, id_of(1)) == Availability::kLost; }));
  lost = false;
  EXPECT(eventually([&] { return lost.load(); }));
}

TEST("processes killed at any time under load leave a sound store") {
  auto store = new_store(store_options(128 * kKiB));
  int rounds = long_run() ? 300 : 10;
  for (int i = 0; i < rounds; ++i) {
    Process a("churner", store->handle()), b("churner", store->handle());
    EXPECT_EQ(a.hear(), "churning");
    a.kill();
    expect_sound(*store);
    EXPECT_EQ(b.hear(), "churning");
    b.kill();
    reap_all(*store);
    EXPECT_EQ(stats_of(*store).pinned_objects, 0u);
    expect_sound(*store);
  }
}

TEST("a store takes as many processes as it has slots, one after the other") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  for (int i = 0; i < 20; ++i) {
    Process other("polite", store->handle());
    other.finish();
  }
  EXPECT(eventually([&] { return stats_of(*store).clients == 1; }));
  expect_sound(*store);
}

}  // namespace mobula::test
