// When memory of the system is taken for the data area, and when it is handed back.

#include <sys/stat.h>

#include "test/support.h"

namespace mobula::test {
namespace {

// Bytes of memory behind the segment.
uint64_t resident(ObjectStore& store) {
  struct stat status;
  REQUIRE(fstat(store.client()->segment().fd(), &status) == 0);
  return static_cast<uint64_t>(status.st_blocks) * 512;
}

uint64_t committed(ObjectStore& store) {
  return port::load_word(store.client()->segment().store().committed_chunks) * shm::kChunk;
}

}  // namespace

TEST("an idle store hands the memory of removed objects back, and keeps that of the others") {
  auto store = new_store(store_options(64 * kMiB));
  uint64_t empty = resident(*store);
  REQUIRE_OK(put(*store, id_of(1), 30 * kMiB));
  REQUIRE_OK(put(*store, id_of(2), 2 * kMiB));
  REQUIRE_OK(store->remove(id_of(1)));
  EXPECT(resident(*store) >= empty + 32 * kMiB);
  EXPECT(eventually([&] { return resident(*store) < empty + 8 * kMiB; }));
  EXPECT(is_intact(*store, id_of(2)));
  expect_sound(*store);
}

TEST("memory that was handed back can be used again") {
  auto store = new_store(store_options(16 * kMiB));
  store::Pages& pages = store->client()->pages();
  for (uint32_t i = 0; i < 4; ++i) {
    REQUIRE_OK(put(*store, id_of(i), (i + 1) * kMiB));
    EXPECT(is_intact(*store, id_of(i)));
    REQUIRE_OK(store->remove(id_of(i)));
    EXPECT(pages.hand_back(1000) > 0);
    EXPECT_EQ(pages.hand_back(1000), 0u);
    expect_sound(*store);
  }
}

TEST("a hand-back takes no more than it was asked for") {
  auto store = new_store(store_options(64 * kMiB));
  REQUIRE_OK(put(*store, id_of(1), 8 * kMiB));
  REQUIRE_OK(store->remove(id_of(1)));
  uint64_t before = committed(*store);
  EXPECT_EQ(store->client()->pages().hand_back(5), 5u);
  EXPECT_EQ(committed(*store), before - 5 * shm::kChunk);
  expect_sound(*store);
}

TEST("free memory goes before objects take more than `memory` and its slack") {
  auto store = new_store(store_options(32 * kMiB));
  REQUIRE_OK(put(*store, id_of(1), 15 * kMiB));
  REQUIRE_OK(put(*store, id_of(2), 15 * kMiB));
  for (uint32_t i = 3; i < 40; ++i) {
    REQUIRE_OK(put(*store, id_of(i), 15 * kMiB + i * 64 * kKiB));
    EXPECT(committed(*store) <= 37 * kMiB);
    EXPECT(is_intact(*store, id_of(i)));
  }
  expect_sound(*store);
}

TEST("a store commits as much memory ahead of use as it was asked to, and keeps it") {
  StoreOptions options = store_options(64 * kMiB);
  options.prefault = 8 * kMiB;
  auto store = new_store(options);
  EXPECT(eventually([&] { return committed(*store) >= 8 * kMiB; }));
  REQUIRE_OK(put(*store, id_of(1), 4 * kMiB));
  EXPECT(eventually([&] { return committed(*store) >= 12 * kMiB; }));
  EXPECT_EQ(store->client()->pages().free_warm(), 0u);
  expect_sound(*store);
}

}  // namespace mobula::test
