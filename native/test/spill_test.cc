// Objects that somebody refers to go to disk when their memory is needed, and come back.

#include <atomic>
#include <cstring>
#include <filesystem>
#include <thread>

#include "store/checksum.h"
#include "test/spilling.h"
#include "test/temporary_directory.h"

namespace mobula::test {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kObject = 128 * kKiB;  // eight fill a store

// A store of 1 MiB that spills to a directory of its own.
struct Spilling {
  TemporaryDirectory directory;
  std::unique_ptr<ObjectStore> store;

  explicit Spilling(uint64_t limit = UINT64_MAX) {
    StoreOptions options = spilling_options(directory.path());
    options.spill_limit = limit;
    store = new_store(options);
  }

  ObjectStore* operator->() const { return store.get(); }
  ObjectStore& operator*() const { return *store; }
  Status put_referred(uint32_t number, uint64_t size = kObject) {
    SealOptions options;
    options.add_ref = true;
    return put(*store, id_of(number), size, options);
  }
  void fill(uint32_t count) {
    for (uint32_t i = 1; i <= count; ++i) REQUIRE_OK(put_referred(i));
  }
  EntryRef ref_of(uint32_t number) {
    EntryRef ref;
    REQUIRE_OK(store->add_ref(id_of(number), &ref));
    REQUIRE_OK(store->drop_ref(ref));
    return ref;
  }
  bool is_on_disk(uint32_t number) {
    ObjectInfo info;
    return store->peek(id_of(number), &info).is_ok() && info.state == InfoState::kSpilled;
  }
  // Of the file that has the oldest objects.
  fs::path first_file() {
    std::vector<fs::path> files = directory.files();
    REQUIRE(!files.empty());
    return *std::min_element(files.begin(), files.end());
  }
};

ObjectStore& own(const Spilling& spilling) { return *spilling.store; }

}  // namespace

TEST("objects that somebody refers to go to disk, and come back as they were") {
  Spilling spilling;
  spilling.fill(40);
  expect_sound(*spilling);
  StoreStats stats = stats_of(*spilling);
  EXPECT(stats.on_disk >= 32 && stats.used_bytes <= kMiB);
  EXPECT(stats.spilled >= 32 && stats.spilled_bytes == stats.spilled * kObject);
  EXPECT_EQ(stats.evictions, 0u);
  for (uint32_t i = 1; i <= 40; ++i) {
    EXPECT(contains(*spilling, id_of(i)));
    EXPECT(is_intact(*spilling, id_of(i)));
  }
  EXPECT(stats_of(*spilling).restored >= 32);
  expect_sound(*spilling);
}

TEST("an object comes back with its metadata, and an empty one too") {
  Spilling spilling;
  ObjectId ids[] = {id_of(101), id_of(102)};
  SealOptions options;
  options.add_ref = true;
  ObjectId given;
  REQUIRE_OK(spilling->put(&ids[0], "data", 4, "meta", 4, options, &given, nullptr));
  REQUIRE_OK(spilling->put(&ids[1], nullptr, 0, nullptr, 0, options, &given, nullptr));
  spilling.fill(16);
  EXPECT(spilling.is_on_disk(101) && spilling.is_on_disk(102));
  Reading reading;
  REQUIRE_OK(spilling->get(ids[0], &reading));
  EXPECT(reading.size == 4 && memcmp(reading.data, "data", 4) == 0);
  EXPECT(reading.metadata_size == 4 && memcmp(reading.metadata, "meta", 4) == 0);
  EXPECT(is_intact(*spilling, ids[1]));
  expect_sound(*spilling);
}

TEST("the least recently used objects go first") {
  Spilling spilling;
  spilling.fill(8);
  EXPECT(is_intact(*spilling, id_of(1)));
  REQUIRE_OK(spilling.put_referred(9));
  EXPECT(!spilling.is_on_disk(1) && spilling.is_on_disk(2) && !spilling.is_on_disk(3));
}

TEST("objects that nobody refers to are dropped, not spilled") {
  Spilling spilling;
  for (uint32_t i = 1; i <= 16; ++i) REQUIRE_OK(put(*spilling, id_of(i), kObject));
  StoreStats stats = stats_of(*spilling);
  EXPECT(stats.evictions == 8 && stats.spilled == 0 && stats.on_disk == 0);
  EXPECT(spilling.directory.files().empty());
}

TEST("objects that somebody reads stay, and a store full of them refuses") {
  Spilling spilling;
  spilling.fill(8);
  std::vector<Reading> readings(8);
  for (uint32_t i = 0; i < 8; ++i) REQUIRE_OK(spilling->get(id_of(i + 1), &readings[i]));
  EXPECT_CODE(spilling.put_referred(9), kFull);
  EXPECT_EQ(stats_of(*spilling).on_disk, 0u);
  REQUIRE_OK(spilling->unpin(readings[3].ref));
  EXPECT_CODE(spilling.put_referred(9), kOk);
  EXPECT(spilling.is_on_disk(4));
  expect_sound(*spilling);
}

TEST("what was read back is spilled again for nothing") {
  Spilling spilling;
  spilling.fill(16);
  for (int round = 0; round < 4; ++round) {
    for (uint32_t i = 1; i <= 16; ++i) EXPECT(is_intact(*spilling, id_of(i)));
  }
  StoreStats stats = stats_of(*spilling);
  EXPECT_EQ(stats.spilled, 16u);
  EXPECT(stats.restored > 32);
  expect_sound(*spilling);
}

TEST("small objects share files") {
  Spilling spilling;
  for (uint32_t i = 1; i <= 100; ++i) REQUIRE_OK(spilling.put_referred(i, 1000));
  for (uint32_t i = 201; i <= 216; ++i) REQUIRE_OK(spilling.put_referred(i));
  for (uint32_t i = 1; i <= 100; ++i) EXPECT(spilling.is_on_disk(i));
  EXPECT(spilling.directory.files().size() <= 16);
  for (uint32_t i = 1; i <= 100; ++i) EXPECT(is_intact(*spilling, id_of(i)));
  expect_sound(*spilling);
}

TEST("an object on disk whose last ref goes leaves no file") {
  Spilling spilling;
  spilling.fill(24);
  EXPECT(!spilling.directory.files().empty());
  for (uint32_t i = 1; i <= 24; ++i) REQUIRE_OK(spilling->drop_ref(spilling.ref_of(i)));
  EXPECT(eventually([&] { return spilling.directory.files().empty(); }));
  EXPECT_EQ(stats_of(*spilling).on_disk, 0u);
  EXPECT_EQ(own(spilling).client()->segment().store().spill_bytes, 0u);
  expect_sound(*spilling);
}

TEST("an object on disk can be removed or freed") {
  Spilling spilling;
  spilling.fill(16);
  REQUIRE(spilling.is_on_disk(1) && spilling.is_on_disk(2));
  REQUIRE_OK(spilling->remove(id_of(1)));
  REQUIRE_OK(spilling->free(id_of(2)));
  EXPECT(availability(*spilling, id_of(1)) == Availability::kAbsent);
  EXPECT(availability(*spilling, id_of(2)) == Availability::kFreed);
  Reading reading;
  EXPECT_CODE(spilling->get(id_of(2), &reading), kNotFound);
  expect_sound(*spilling);
}

TEST("a container on disk holds what it contains") {
  Spilling spilling;
  REQUIRE_OK(put(*spilling, id_of(50), kObject));
  ObjectId inner = id_of(50);
  SealOptions options;
  options.add_ref = true;
  options.contained = &inner;
  options.contained_count = 1;
  REQUIRE_OK(put(*spilling, id_of(51), kObject, options));
  spilling.fill(16);
  EXPECT(spilling.is_on_disk(50) && spilling.is_on_disk(51));
  EXPECT(is_intact(*spilling, id_of(51)) && is_intact(*spilling, id_of(50)));
  REQUIRE_OK(spilling->drop_ref(spilling.ref_of(51)));
  EXPECT(!contains(*spilling, id_of(50)) && !contains(*spilling, id_of(51)));
  expect_sound(*spilling);
}

TEST("nothing is written beyond the limit, and what is refused changes nothing") {
  Spilling spilling(4 * kObject);
  spilling.fill(8);
  uint32_t next = 9;
  while (spilling.put_referred(next).is_ok()) ++next;
  EXPECT(next > 9 && next <= 13);
  EXPECT_CODE(spilling.put_referred(next), kDiskFull);
  for (uint32_t i = 1; i < next; ++i) EXPECT(contains(*spilling, id_of(i)));
  expect_sound(*spilling);
}

TEST("room on disk that is given up is there at once for who needs it") {
  for (int round = 0; round < 30; ++round) {
    Spilling spilling(4 * kObject);
    uint32_t next = 1;
    while (spilling.put_referred(next).is_ok()) ++next;
    for (uint32_t i : {1, 2}) REQUIRE_OK(spilling->drop_ref(spilling.ref_of(i)));
    REQUIRE_OK(spilling.put_referred(next));
    expect_sound(*spilling);
  }
}

TEST("what is on disk can be read when nothing more can be written") {
  Spilling spilling(4 * kObject);
  uint32_t next = 1;
  while (spilling.put_referred(next).is_ok()) ++next;
  uint64_t copies = stats_of(*spilling).spilled;
  for (uint32_t i = 1; i < next; ++i) EXPECT(is_intact(*spilling, id_of(i)));
  EXPECT(stats_of(*spilling).restored >= 3);
  EXPECT_EQ(stats_of(*spilling).spilled, copies);
  expect_sound(*spilling);
}

TEST("without its directory a store refuses what does not fit, and has lost what was there") {
  Spilling spilling;
  spilling.fill(10);
  REQUIRE(spilling.is_on_disk(1));
  fs::remove_all(spilling.directory.path());
  uint32_t next = 11;
  while (spilling.put_referred(next).is_ok()) ++next;
  EXPECT_CODE(spilling.put_referred(next), kDiskFull);
  Reading reading;
  for (uint32_t i = next - 1; i > 2; --i) {
    Status status = spilling->get(id_of(i), &reading);
    if (status.is_ok()) {
      REQUIRE_OK(spilling->unpin(reading.ref));
      REQUIRE_OK(spilling->drop_ref(spilling.ref_of(i)));
    }
  }
  EXPECT_CODE(spilling->get(id_of(1), &reading), kLost);
  EXPECT(availability(*spilling, id_of(1)) == Availability::kLost);
  expect_sound(*spilling);
}

TEST("bytes that have changed on disk are lost, not given out") {
  Spilling spilling;
  spilling.fill(16);
  {
    std::fstream file(spilling.first_file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file.put('!');
  }
  Reading reading;
  size_t damaged = 0;
  for (uint32_t i = 1; i <= 16; ++i) {
    Status status = spilling->get(id_of(i), &reading);
    if (status.is_ok()) REQUIRE_OK(spilling->unpin(reading.ref));
    damaged += status.code() == Code::kLost;
  }
  EXPECT_EQ(damaged, 1u);
  expect_sound(*spilling);
}

TEST("threads that want the same object read it back once") {
  Spilling spilling;
  spilling.fill(12);
  REQUIRE(spilling.is_on_disk(1));
  std::atomic<int> intact{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] { intact += is_intact(*spilling, id_of(1)); });
    }
  }
  EXPECT_EQ(intact.load(), 4);
  EXPECT_EQ(stats_of(*spilling).restored, 1u);
  expect_sound(*spilling);
}

TEST("the bytes of objects are counted once each, wherever they are") {
  Spilling spilling;
  spilling.fill(12);
  REQUIRE(spilling.is_on_disk(1));
  uint64_t bytes = 0;
  REQUIRE_OK(spilling->bytes_of({id_of(1), id_of(12), id_of(1), id_of(99)}, &bytes));
  EXPECT_EQ(bytes, 2 * kObject);
}

TEST("who wants only what is in memory learns what is on disk, and can have it restored") {
  Spilling spilling;
  spilling.fill(12);
  REQUIRE(spilling.is_on_disk(1));
  Reading reading;
  bool on_disk = false;
  REQUIRE_OK(spilling->get_in_memory(id_of(1), &reading, &on_disk));
  EXPECT(on_disk && spilling.is_on_disk(1));
  REQUIRE_OK(spilling->restore(id_of(1)));
  EXPECT(!spilling.is_on_disk(1));
  REQUIRE_OK(spilling->get_in_memory(id_of(1), &reading, &on_disk));
  EXPECT(!on_disk);
  REQUIRE_OK(spilling->unpin(reading.ref));
  EXPECT_CODE(spilling->restore(id_of(99)), kNotFound);
  EXPECT_CODE(spilling->get_in_memory(id_of(99), &reading, &on_disk), kNotFound);
  expect_sound(*spilling);
}

TEST("threads that put and get more than fits lose nothing") {
  Spilling spilling;
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (uint32_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (uint32_t i = 0; i < 40; ++i) {
          wrong += !spilling.put_referred(1000 * t + i, 50'000).is_ok();
          wrong += !is_intact(*spilling, id_of(1000 * t + i * 7 % (i + 1)));
        }
      });
    }
  }
  EXPECT_EQ(wrong.load(), 0);
  expect_sound(*spilling);
}

TEST("the directory goes with the store") {
  Spilling spilling;
  spilling.fill(16);
  EXPECT(!spilling.directory.is_empty());
  spilling.store.reset();
  EXPECT(eventually([&] { return spilling.directory.is_empty(); }));
}

namespace {

ROLE(spilling_owner) {
  std::unique_ptr<ObjectStore> store = new_store(spilling_options(self.argument(0)));
  SealOptions referred;
  referred.add_ref = true;
  for (uint32_t i = 1; i <= 16; ++i) REQUIRE_OK(put(*store, id_of(i), kObject, referred));
  self.tell_and_linger("full");
}

}  // namespace

TEST("what a killed process has left on disk goes with the next store, a live one's stays") {
  auto any = new_store();
  TemporaryDirectory directory;
  auto owner = std::make_unique<Process>("spilling_owner", any->handle(),
                                         std::vector<std::string>{directory.path()});
  Process other("spilling_owner", any->handle(), {directory.path()});
  EXPECT_EQ(owner->hear(), "full");
  EXPECT_EQ(other.hear(), "full");
  owner->kill();
  size_t both = directory.files().size();
  auto next = new_store(spilling_options(directory.path()));
  size_t left = directory.files().size();
  EXPECT(left > 0 && left < both);
}

TEST("a stopped store with another policy spills nothing") {
  TemporaryDirectory directory;
  StoreOptions options = store_options();
  options.spill_directory = directory.path();
  auto store = new_store(options);
  SealOptions referred;
  referred.add_ref = true;
  for (uint32_t i = 1; i <= 16; ++i) REQUIRE_OK(put(*store, id_of(i), kObject, referred));
  EXPECT_EQ(stats_of(*store).evictions, 8u);
  EXPECT(directory.files().empty());
}

TEST("checksums are those of XXH64") {
  auto sum = [](const char* text) {
    store::Checksum checksum;
    checksum.add(text, strlen(text));
    return checksum.sum();
  };
  EXPECT_EQ(sum(""), 0xEF46DB3751D8E999u);
  EXPECT_EQ(sum("a"), 0xD24EC4F1A98C6E5Bu);
  EXPECT_EQ(sum("abc"), 0x44BC2CF5AD770999u);
  EXPECT_EQ(sum("Nobody inspects the spammish repetition"), 0xFBCEA83C8A378BF1u);
}

TEST("a checksum of parts is that of the whole") {
  std::string text(1000, 'x');
  store::Checksum whole, parts;
  whole.add(text.data(), text.size());
  parts.add(text.data(), 320);
  parts.add(text.data() + 320, 32);
  parts.add(text.data() + 352, text.size() - 352);
  EXPECT_EQ(parts.sum(), whole.sum());
}

TEST("a directory goes though somebody adds files to it meanwhile") {
  TemporaryDirectory parent;
  for (int round = 0; round < 20; ++round) {
    std::string path = parent.path() + "/spilled";
    int taken = -1;
    REQUIRE(port::directory_take(path.c_str(), true, &taken) == 0);
    std::atomic<int> added{0};
    std::thread adder([&] {
      for (int fd = -1;; port::file_close(fd), ++added) {
        std::string file = path + '/' + std::to_string(added);
        if (port::disk_file_create(file.c_str(), &fd) != 0) return;
      }
    });
    eventually([&] { return added > 10; });
    EXPECT_EQ(port::directory_remove(path.c_str()), 0);
    adder.join();
    EXPECT(!std::filesystem::exists(path));
    port::file_close(taken);
  }
}

}  // namespace mobula::test
