// The thread that asks for an object again, and the one that finds its last buffer to be garbage,
// meet in a record. Its calls are atomic, so their orders are all that can happen.

#include "store/view_record.h"

#include <atomic>
#include <thread>

#include "test/support.h"

namespace mobula::test {
namespace {

using store::ViewRecord;

// A store with an object, and a record of the first buffer over it.
struct Opened {
  Opened() {
    REQUIRE_OK(put(*store, id_of(1), 1000));
    record = std::make_unique<ViewRecord>(store, pin());
  }

  Reading pin() {
    Reading reading;
    REQUIRE_OK(store->get(id_of(1), &reading));
    return reading;
  }

  uint32_t pins() { return pins(record->ref()); }
  uint32_t pins(const EntryRef& ref) { return store->client()->objects().holds(ref.entry).pins; }

  std::shared_ptr<ObjectStore> store = new_store();
  std::unique_ptr<ViewRecord> record;
};

}  // namespace

TEST("the end of a buffer gives back every hold that it has") {
  Opened opened;
  opened.pin();
  EXPECT(opened.record->add_hold());
  EXPECT_EQ(opened.pins(), 2u);
  opened.record->end();
  EXPECT(opened.record->has_ended());
  EXPECT_EQ(opened.pins(), 0u);
}

TEST("a hold that was taken before the end of the buffer is not given back by it") {
  Opened opened;
  opened.pin();
  EXPECT(opened.record->add_hold());
  EXPECT(opened.record->take_hold());
  opened.record->end();
  EXPECT_EQ(opened.pins(), 1u);
}

TEST("a buffer without holds has none to take, and can get new ones") {
  Opened opened;
  EXPECT(opened.record->take_hold());
  EXPECT(!opened.record->take_hold());
  EXPECT(!opened.record->has_ended());
  EXPECT(opened.record->add_hold());
  opened.record->end();
  EXPECT_EQ(opened.pins(), 0u);
}

TEST("the end of a buffer without holds gives nothing back") {
  Opened opened;
  EXPECT(opened.record->take_hold());
  opened.record->end();
  EXPECT(opened.record->has_ended());
  EXPECT_EQ(opened.pins(), 1u);
}

TEST("a buffer that has ended takes no hold: the pin stays with who brought it") {
  Opened opened;
  opened.record->end();
  opened.pin();
  EXPECT(!opened.record->add_hold());
  EXPECT(!opened.record->take_hold());
  EXPECT_EQ(opened.pins(), 1u);
}

TEST("a hold that was added before the end of the buffer cannot be taken after it") {
  Opened opened;
  opened.pin();
  EXPECT(opened.record->add_hold());
  opened.record->end();
  EXPECT(!opened.record->take_hold());
  EXPECT_EQ(opened.pins(), 0u);
}

TEST("the end of a buffer lets go of the store, whoever keeps the record") {
  Opened opened;
  EXPECT_EQ(opened.store.use_count(), 2);
  opened.record->end();
  EXPECT_EQ(opened.store.use_count(), 1);
}

TEST("a buffer is not over an object that was lost and made again elsewhere") {
  Opened opened;
  EntryRef ref;
  REQUIRE_OK(opened.store->add_ref(id_of(1), &ref));
  REQUIRE(opened.record->take_hold());
  REQUIRE_OK(opened.store->unpin(ref));
  REQUIRE_OK(opened.store->evict(id_of(1), nullptr));
  REQUIRE_OK(put(*opened.store, id_of(2), 1000));
  REQUIRE_OK(put(*opened.store, id_of(1), 1000));
  Reading again = opened.pin();
  EXPECT_EQ(again.ref.entry, ref.entry);
  EXPECT_EQ(again.ref.generation, ref.generation);
  EXPECT(!opened.record->is_over(again));
  REQUIRE_OK(opened.store->unpin(again.ref));
  REQUIRE_OK(opened.store->drop_ref(ref));
  opened.record->end();
}

TEST("objects that are opened again while their buffers end lose no pin and keep none") {
  constexpr size_t kBuffers = 5000;
  Opened opened;
  std::vector<std::unique_ptr<ViewRecord>> records;
  records.push_back(std::move(opened.record));
  std::atomic<ViewRecord*> garbage{nullptr};
  std::thread collector([&] {
    for (size_t ended = 0; ended < kBuffers; ++ended) {
      ViewRecord* record;
      while ((record = garbage.exchange(nullptr)) == nullptr) std::this_thread::yield();
      record->end();
    }
  });
  while (records.size() < kBuffers) {
    ViewRecord& record = *records.back();
    garbage = &record;
    Reading reading = opened.pin();
    bool is_handed_over = !record.add_hold() || record.take_hold();
    if (!is_handed_over) reading = opened.pin();
    records.push_back(std::make_unique<ViewRecord>(opened.store, reading));
    while (garbage != nullptr) std::this_thread::yield();
  }
  garbage = records.back().get();
  collector.join();
  EXPECT_EQ(opened.pins(records[0]->ref()), 0u);
  EXPECT_EQ(stats_of(*opened.store).pinned_objects, 0u);
  expect_sound(*opened.store);
}

}  // namespace mobula::test
