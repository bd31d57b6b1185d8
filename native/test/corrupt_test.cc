// Segments with one thing wrong.

#include <functional>

#include "test/segment_image.h"
#include "test/support.h"

namespace mobula::test {
namespace {

using shm::kNone;

// A store with the objects 1 to 8, of 1000 bytes each, in entries 0 to 7.
SegmentImage sound_image() {
  auto store = new_store(store_options(64 * kKiB, 64));
  for (uint32_t i = 1; i <= 8; ++i) REQUIRE_OK(put(*store, id_of(i), 1000));
  SegmentImage image(store->client()->segment());
  image.kill_clients();
  return image;
}

shm::StoreState& state_of(SegmentImage& image) {
  return image.at<shm::StoreState>(image.header().store_offset);
}
shm::ObjectEntry* entries_of(SegmentImage& image) {
  return &image.at<shm::ObjectEntry>(state_of(image).entries.offset);
}
shm::Block& block_of(SegmentImage& image, uint32_t entry) {
  return (&image.at<shm::Block>(state_of(image).blocks.offset))[entries_of(image)[entry].block];
}
void set_heads(SegmentImage& image, uint32_t entry) {
  auto* heads = &image.at<uint32_t>(image.header().heads_offset);
  std::fill_n(heads, image.header().hash_heads, entry);
}

std::unique_ptr<ObjectStore> attached(SegmentImage& image) {
  std::unique_ptr<ObjectStore> store;
  REQUIRE_OK(image.attach(&store));
  return store;
}

Status get(ObjectStore& store, uint32_t number) {
  Reading reading;
  return store.get(id_of(number), &reading);
}

// The object is still there, whole, and in nobody's hands.
void expect_found_again(ObjectStore& store, uint32_t number) {
  ObjectInfo info;
  REQUIRE_OK(store.peek(id_of(number), &info));
  EXPECT_EQ(info.pins, 0u);
  EXPECT(store.client()->store_lock().log_is_empty());
}

void expect_refused(const std::function<void(SegmentImage&)>& damage) {
  SegmentImage image = sound_image();
  damage(image);
  std::unique_ptr<ObjectStore> store;
  EXPECT_CODE(image.attach(&store), kCorrupt);
}

}  // namespace

TEST("a header that contradicts itself is refused") {
  for (uint64_t shm::Header::* field :
       {&shm::Header::total_size, &shm::Header::memory_limit, &shm::Header::clients_offset,
        &shm::Header::store_offset, &shm::Header::queue_offset, &shm::Header::heads_offset,
        &shm::Header::chunks_offset, &shm::Header::data_offset, &shm::Header::data_size}) {
    expect_refused([&](SegmentImage& image) { image.header().*field ^= uint64_t{1} << 33; });
  }
  for (uint32_t shm::Header::* field : {&shm::Header::max_objects, &shm::Header::hash_heads,
                                        &shm::Header::has_queue, &shm::Header::ready}) {
    expect_refused([&](SegmentImage& image) { image.header().*field ^= 1; });
  }
  expect_refused([](SegmentImage& image) { image.header().guard = 2; });
  expect_refused(
      [](SegmentImage& image) { image.header().eviction = static_cast<EvictionPolicy>(9); });
  expect_refused([](SegmentImage& image) {
    std::fill_n(image.header().mapping_name, sizeof image.header().mapping_name, 'x');
  });
}

TEST("a table that lies elsewhere than the header says is refused") {
  expect_refused([](SegmentImage& image) { state_of(image).entries.offset += 64; });
  expect_refused([](SegmentImage& image) { state_of(image).blocks.stride = 0; });
  expect_refused([](SegmentImage& image) { state_of(image).edges.capacity *= 2; });
}

TEST("an index beyond its table is not followed") {
  SegmentImage image = sound_image();
  set_heads(image, 1u << 30);
  EXPECT_CODE(get(*attached(image), 1), kCorrupt);
}

TEST("a cycle of ids ends the search for one") {
  SegmentImage image = sound_image();
  set_heads(image, 0);
  entries_of(image)[0].hash_next = 0;
  auto store = attached(image);
  EXPECT_CODE(get(*store, 1), kOk);
  EXPECT_CODE(get(*store, 2), kCorrupt);
}

TEST("no view leads outside the data area") {
  SegmentImage image = sound_image();
  block_of(image, 0).start = uint64_t{1} << 40;
  auto store = attached(image);
  EXPECT_CODE(get(*store, 1), kCorrupt);
  expect_found_again(*store, 1);
  EXPECT_CODE(get(*store, 2), kOk);
}

TEST("no view is longer than the object's block, nor on a block of another object") {
  SegmentImage image = sound_image();
  entries_of(image)[0].size = ~uint64_t{0};
  entries_of(image)[1].metadata_size = 5000;
  entries_of(image)[2].block = entries_of(image)[3].block;
  auto store = attached(image);
  for (uint32_t i = 1; i <= 3; ++i) {
    EXPECT_CODE(get(*store, i), kCorrupt);
    expect_found_again(*store, i);
  }
}

TEST("evictions end where the list of candidates has a cycle or a stranger") {
  for (uint32_t next : {0u, 1u, 5u, 60u, 1u << 30}) {
    SegmentImage image = sound_image();
    entries_of(image)[1].lru_next = next;
    auto store = attached(image);
    uint64_t freed = 0;
    EXPECT_CODE(store->evict(kMiB, &freed, nullptr), kCorrupt);
    EXPECT_EQ(contains(*store, id_of(8)), true);
  }
}

TEST("counters that make room where there is none end the put") {
  SegmentImage image = sound_image();
  state_of(image).charged_bytes = state_of(image).evictable_bytes = uint64_t{1} << 40;
  EXPECT(!put(*attached(image), id_of(9), 1000).is_ok());
}

TEST("free blocks that are none are not given out") {
  for (uint32_t damage = 0; damage < 3; ++damage) {
    SegmentImage image = sound_image();
    shm::Bins& bins = state_of(image).bins;
    for (auto& level : bins.heads) std::fill(std::begin(level), std::end(level), damage << 30);
    if (damage == 1) bins.first_level = ~uint64_t{0};
    auto store = attached(image);
    EXPECT(!put(*store, id_of(9), 1000).is_ok());
    EXPECT(is_intact(*store, id_of(1)) || get(*store, 1).is_ok());
  }
}

TEST("what is freed twice, or freed between strangers, stays") {
  SegmentImage image = sound_image();
  block_of(image, 0).state = shm::BlockState::kFree;
  block_of(image, 3).units -= 1;
  auto store = attached(image);
  EXPECT_CODE(store->remove(id_of(1)), kCorrupt);
  EXPECT_CODE(store->remove(id_of(4)), kCorrupt);
  expect_found_again(*store, 1);
}

TEST("a mutex that is of no robust kind is not locked") {
  SegmentImage image = sound_image();
  auto* words = reinterpret_cast<uint32_t*>(&state_of(image).lock.mutex);
  for (uint32_t word : {0, 4}) words[word] ^= 1;
  std::unique_ptr<ObjectStore> store;
  EXPECT_CODE(image.attach(&store), kCorrupt);
}

TEST("a lock in the name of a thread that is not on the segment is not waited for") {
  for (uint32_t tid : {1u, port::thread_id(), 0x3ffffffeu}) {
    SegmentImage image = sound_image();
    *reinterpret_cast<uint32_t*>(&state_of(image).lock.mutex) = tid;
    auto store = std::unique_ptr<ObjectStore>();
    EXPECT_CODE(image.attach(&store), kCorrupt);
  }
}

TEST("an undo log that is not empty under a free lock, or no log, is not replayed") {
  for (bool died : {false, true}) {
    SegmentImage image = sound_image();
    auto store = attached(image);
    shm::LockArea& lock = store->client()->segment().store().lock;
    lock.entries[0] = {~uint64_t{0} << 4 | 8, 1};
    lock.count = 1;
    if (died) *reinterpret_cast<uint32_t*>(&lock.mutex) = 0x40000000;  // FUTEX_OWNER_DIED
    EXPECT_CODE(get(*store, 1), kCorrupt);
  }
}

TEST("a client slot that names anybody's process is given back without touching that process") {
  SegmentImage image = sound_image();
  auto* clients = &image.at<shm::ClientSlot>(image.header().clients_offset);
  clients[5].state = static_cast<shm::ClientState>(77);
  clients[5].pid = port::process_id();
  auto store = attached(image);
  reap_all(*store);
  EXPECT_EQ(stats_of(*store).reclaimed_clients, 2u);
  expect_sound(*store);
}

TEST("the end of a client survives damage to the mutex that it has held for life") {
  SegmentImage image = sound_image();
  auto store = attached(image);
  shm::ClientSlot& own = store->client()->segment().client(store->client()->slot());
  auto* bytes = reinterpret_cast<uint8_t*>(&own.liveness);
  std::fill(bytes + 24, bytes + 40, 0x5a);
  detach(std::move(store));
}

TEST("check() reports damage of every kind and goes on") {
  SegmentImage image = sound_image();
  set_heads(image, 1u << 30);
  block_of(image, 0).start = ~uint64_t{0};
  entries_of(image)[3].lru_next = 1;
  entries_of(image)[4].edges = 12345;
  state_of(image).edges.used = kNone;
  EXPECT(attached(image)->check().size() > 4);
}

}  // namespace mobula::test
