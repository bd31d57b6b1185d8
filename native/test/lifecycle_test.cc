// States of objects without references. The numbers in names are the edges of doc/object_states.md.

#include <string.h>

#include "port/port.h"
#include "test/support.h"

namespace mobula::test {
namespace {

Writing create(ObjectStore& store, const ObjectId& id, uint64_t size, uint32_t metadata_size = 0) {
  Writing writing;
  REQUIRE_OK(store.create_object(&id, size, metadata_size, &writing, nullptr));
  return writing;
}

EntryRef get(ObjectStore& store, const ObjectId& id) {
  Reading reading;
  REQUIRE_OK(store.get(id, &reading));
  return reading.ref;
}

}  // namespace

TEST("edges 1 and 3: an object is seen by readers once it is sealed") {
  auto store = new_store();
  Writing writing = create(*store, id_of(1), 1000, 3);
  fill(id_of(1), writing.data, 1000);
  memcpy(writing.metadata, "abc", 3);
  Reading reading;
  EXPECT(!contains(*store, id_of(1)));
  EXPECT_CODE(store->get(id_of(1), &reading), kNotFound);
  REQUIRE_OK(store->seal(writing.ref, {}));
  EXPECT(contains(*store, id_of(1)));
  EXPECT(is_intact(*store, id_of(1)));
  REQUIRE_OK(store->get(id_of(1), &reading));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(reading.metadata), reading.metadata_size),
            "abc");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(reading.data) % 64, 0u);
  expect_sound(*store);
}

TEST("edge 4: an aborted object is gone and its id free") {
  auto store = new_store();
  Writing writing = create(*store, id_of(1), 1000);
  REQUIRE_OK(store->abort(writing.ref));
  EXPECT_EQ(stats_of(*store).used_bytes, 0u);
  EXPECT_EQ(list(*store).size(), 0u);
  EXPECT_CODE(put(*store, id_of(1), 10), kOk);
  expect_sound(*store);
}

TEST("seal and abort refuse what is no longer written") {
  auto store = new_store();
  ObjectId inner = id_of(9);
  REQUIRE_OK(put(*store, inner, 10));
  SealOptions containing;
  containing.contained = &inner;
  containing.contained_count = 1;
  Writing sealed = create(*store, id_of(1), 10);
  REQUIRE_OK(store->seal(sealed.ref, {}));
  EXPECT_CODE(store->seal(sealed.ref, containing), kNotFound);
  EXPECT_CODE(store->abort(sealed.ref), kNotFound);
  Writing aborted = create(*store, id_of(2), 10);
  REQUIRE_OK(store->abort(aborted.ref));
  EXPECT_CODE(store->seal(aborted.ref, containing), kNotFound);
  EXPECT_CODE(store->abort(aborted.ref), kNotFound);
  Writing reused = create(*store, id_of(2), 10);
  EXPECT_CODE(store->abort(aborted.ref), kNotFound);
  EXPECT_CODE(store->seal(reused.ref, {}), kOk);
  expect_sound(*store);
}

TEST("an id exists once, written or sealed") {
  auto store = new_store();
  Writing writing = create(*store, id_of(1), 10);
  EXPECT_CODE(put(*store, id_of(1), 10), kExists);
  REQUIRE_OK(store->seal(writing.ref, {}));
  EXPECT_CODE(put(*store, id_of(1), 10), kExists);
  expect_sound(*store);
}

TEST("a put without an id gets a fresh one every time") {
  auto store = new_store();
  ObjectId a, b;
  REQUIRE_OK(store->put(nullptr, "x", 1, nullptr, 0, {}, &a, nullptr));
  REQUIRE_OK(store->put(nullptr, "y", 1, nullptr, 0, {}, &b, nullptr));
  EXPECT(a != b);
  EXPECT_EQ(list(*store).size(), 2u);
}

TEST("an empty object can be put, got and weighs 64 bytes") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 0));
  EXPECT(is_intact(*store, id_of(1)));
  EXPECT_EQ(stats_of(*store).used_bytes, 64u);
  expect_sound(*store);
}

TEST("objects of every size around units, pages and chunks come back whole") {
  auto store = new_store(store_options(16 * kMiB));
  uint32_t number = 0;
  for (uint64_t base :
       {uint64_t{64}, uint64_t{4096}, shm::kPageAlignedFrom, shm::kChunk, kMiB, 3 * kMiB}) {
    for (uint64_t size : {base - 1, base, base + 1}) {
      REQUIRE_OK(put(*store, id_of(++number), size));
      Reading reading;
      REQUIRE_OK(store->get(id_of(number), &reading));
      bool aligned = reinterpret_cast<uintptr_t>(reading.data) % port::page_size() == 0;
      EXPECT(size < shm::kPageAlignedFrom || aligned);
    }
  }
  for (uint32_t i = 1; i <= number; ++i) EXPECT(is_intact(*store, id_of(i)));
  expect_sound(*store);
}

TEST("edge 6: a removed object that nobody reads is gone") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 1000));
  REQUIRE_OK(store->remove(id_of(1)));
  EXPECT_CODE(store->remove(id_of(1)), kNotFound);
  EXPECT_EQ(stats_of(*store).used_bytes, 0u);
  expect_sound(*store);
}

TEST("edge 7: a removed object stays readable until its last release while its id is used anew") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 1000));
  Reading old;
  REQUIRE_OK(store->get(id_of(1), &old));
  std::vector<uint8_t> bytes(old.data, old.data + old.size);
  REQUIRE_OK(store->remove(id_of(1)));
  EXPECT(!contains(*store, id_of(1)));
  REQUIRE_OK(put(*store, id_of(1), 10));
  EXPECT_EQ(stats_of(*store).used_bytes, 1024u + 64u);
  expect_sound(*store);
  EXPECT(memcmp(bytes.data(), old.data, old.size) == 0);
  REQUIRE_OK(store->unpin(old.ref));
  EXPECT_EQ(stats_of(*store).used_bytes, 64u);
  EXPECT(is_intact(*store, id_of(1)));
  expect_sound(*store);
}

TEST("edge 8: an object removed while it is written goes when it is sealed") {
  auto store = new_store();
  Writing writing = create(*store, id_of(1), 1000);
  REQUIRE_OK(store->remove(id_of(1)));
  EXPECT_EQ(list(*store).size(), 0u);
  expect_sound(*store);
  REQUIRE_OK(store->seal(writing.ref, {}));
  EXPECT_EQ(stats_of(*store).used_bytes, 0u);
  expect_sound(*store);
}

TEST("edge 4: an object removed while it is written goes when it is aborted") {
  auto store = new_store();
  Writing writing = create(*store, id_of(1), 1000);
  REQUIRE_OK(store->remove(id_of(1)));
  REQUIRE_OK(store->abort(writing.ref));
  EXPECT_EQ(stats_of(*store).used_bytes, 0u);
  expect_sound(*store);
}

TEST("n pins need n unpins") {
  auto store = new_store(store_options(1024));
  REQUIRE_OK(put(*store, id_of(1), 1024));
  EntryRef a = get(*store, id_of(1)), b;
  REQUIRE_OK(store->pin(id_of(1), &b));
  EXPECT_EQ(stats_of(*store).pinned_bytes, 1024u);
  REQUIRE_OK(store->unpin(a));
  EXPECT_CODE(put(*store, id_of(2), 10), kFull);
  REQUIRE_OK(store->unpin(b));
  EXPECT_EQ(stats_of(*store).pinned_objects, 0u);
  EXPECT_CODE(put(*store, id_of(2), 10), kOk);
  expect_sound(*store);
}

TEST("several pins are given back in one call") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 10));
  EntryRef ref = get(*store, id_of(1));
  get(*store, id_of(1)), get(*store, id_of(1));
  REQUIRE_OK(store->unpin(ref, 3));
  EXPECT_EQ(stats_of(*store).pinned_objects, 0u);
  expect_sound(*store);
}

TEST("get counts hits and misses, peek, contains and pin count neither") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 10));
  Reading reading;
  ObjectInfo info;
  EntryRef ref;
  REQUIRE_OK(store->get(id_of(1), &reading));
  (void)store->get(id_of(2), &reading);
  REQUIRE_OK(store->peek(id_of(1), &info));
  EXPECT_CODE(store->peek(id_of(2), &info), kNotFound);
  contains(*store, id_of(1));
  REQUIRE_OK(store->pin(id_of(1), &ref));
  StoreStats stats = stats_of(*store);
  EXPECT_EQ(stats.hits, 1u);
  EXPECT_EQ(stats.misses, 1u);
  EXPECT_EQ(stats.puts, 1u);
}

TEST("peek and list show size, state and pinning processes") {
  auto store = new_store();
  Writing writing = create(*store, id_of(1), 1000);
  ObjectInfo info;
  REQUIRE_OK(store->peek(id_of(1), &info));
  EXPECT_EQ(info.state, InfoState::kCreated);
  REQUIRE_OK(store->seal(writing.ref, {}));
  get(*store, id_of(1)), get(*store, id_of(1));
  std::vector<ObjectInfo> all = list(*store);
  REQUIRE(all.size() == 1);
  EXPECT_EQ(all[0].id, id_of(1));
  EXPECT_EQ(all[0].size, 1000u);
  EXPECT_EQ(all[0].state, InfoState::kSealed);
  EXPECT_EQ(all[0].pins, 1u);
  EXPECT(all[0].created_at > 1'500'000'000'000u);
}

TEST("tables grow with the number of objects, up to max_objects") {
  StoreOptions options = store_options(4 * kMiB, 10'000);
  options.eviction = EvictionPolicy::kNone;
  auto store = new_store(options);
  for (uint32_t i = 0; i < 10'000; ++i) REQUIRE_OK(put(*store, id_of(i), 8));
  EXPECT_CODE(put(*store, id_of(10'000), 8), kFull);
  for (uint32_t i = 0; i < 10'000; i += 99) EXPECT(is_intact(*store, id_of(i)));
  expect_sound(*store);
  for (uint32_t i = 0; i < 10'000; ++i) REQUIRE_OK(store->remove(id_of(i)));
  EXPECT_EQ(stats_of(*store).used_bytes, 0u);
  expect_sound(*store);
}

TEST("a store lets go of its slot when its last user does") {
  auto store = new_store();
  StoreHandle handle = store->handle();
  for (int i = 0; i < 50; ++i) {
    std::unique_ptr<ObjectStore> other;
    REQUIRE_OK(ObjectStore::attach(handle, &other));
    EXPECT(other->client() == store->client());
  }
  EXPECT_EQ(stats_of(*store).clients, 1u);
}

TEST("stores come and go without an accident") {
  for (int i = 0; i < 200; ++i) {
    auto store = new_store();
    REQUIRE_OK(put(*store, id_of(1), 10));
  }
}

TEST("a named store can be attached to until it is unlinked") {
  StoreOptions options = store_options();
  options.name = "core-test-" + std::to_string(port::process_id());
  auto store = new_store(options);
  std::unique_ptr<ObjectStore> other;
  EXPECT_CODE(ObjectStore::create(options, &other), kExists);
  EXPECT_CODE(ObjectStore::attach(options.name, &other), kOk);
  EXPECT_CODE(ObjectStore::unlink(options.name), kOk);
  EXPECT_CODE(ObjectStore::unlink(options.name), kNotFound);
  EXPECT_CODE(ObjectStore::attach(options.name, &other), kNotFound);
  EXPECT_CODE(put(*store, id_of(1), 10), kOk);
}

}  // namespace mobula::test
