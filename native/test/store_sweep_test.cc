// A process that is killed after any machine instruction of a store operation leaves the store as
// it was before the operation, or as it is after it.

#include "port/port.h"
#include "shm/table.h"
#include "test/sweep.h"

namespace mobula::test {
namespace {

std::unique_ptr<Scene> empty_scene() { return std::make_unique<Scene>(store_options()); }

// One sealed object, id 1, that nobody holds.
std::unique_ptr<Scene> one_object() {
  auto scene = empty_scene();
  REQUIRE_OK(put(scene->store(), id_of(1), 1000));
  return scene;
}

// Room for four objects of 256 bytes, all taken.
std::unique_ptr<Scene> full_scene() {
  auto scene = std::make_unique<Scene>(store_options(1024));
  for (uint32_t i = 1; i <= 4; ++i) REQUIRE_OK(put(scene->store(), id_of(i), 256));
  return scene;
}

Writing create(ObjectStore& store, const ObjectId& id, uint64_t size) {
  Writing writing;
  REQUIRE_OK(store.create_object(&id, size, 0, &writing, nullptr));
  return writing;
}

EntryRef add_ref(ObjectStore& store, const ObjectId& id) {
  EntryRef ref;
  REQUIRE_OK(store.add_ref(id, &ref));
  return ref;
}

// Two inner objects in an outer one; nothing but this process's ref holds the outer one.
EntryRef put_container(ObjectStore& store) {
  ObjectId inner[] = {id_of(11), id_of(12)};
  for (const ObjectId& id : inner) REQUIRE_OK(put(store, id, 128));
  SealOptions options;
  options.add_ref = true;
  options.contained = inner;
  options.contained_count = 2;
  REQUIRE_OK(put(store, id_of(10), 256, options));
  EntryRef ref = add_ref(store, id_of(10));
  REQUIRE_OK(store.drop_ref(ref));
  return ref;
}

// A container, id 10, that a survivor refers to too.
std::unique_ptr<Scene> referred_container() {
  auto scene = empty_scene();
  put_container(scene->store());
  return scene;
}

// A survivor waits for room since before the subject does, and one since after its death.
class RoomLine : public Scene {
 public:
  RoomLine() : Scene(store_options()) {
    store_->watch_room([] {});
    earlier_ = enter();
  }

  void recover() override { later_ = enter(); }
  std::string state() override {
    EXPECT(is_first(earlier_));
    return Scene::state();
  }
  void go_on() override {
    Scene::go_on();
    store_->leave_room_queue(earlier_);
    EXPECT(is_first(later_));
    store_->leave_room_queue(later_);
    EXPECT(is_first(UINT64_MAX));
  }

 private:
  // No two places are the same.
  uint64_t enter() {
    uint64_t start = port::monotonic_ms();
    EXPECT(eventually([&] { return port::monotonic_ms() > start; }));
    return store_->enter_room_queue();
  }
  bool is_first(uint64_t place) { return store_->is_first_for_room(place); }

  uint64_t earlier_ = 0;
  uint64_t later_ = 0;
};

std::unique_ptr<Scene> room_line() { return std::make_unique<RoomLine>(); }

ROLE(entering_the_line) {
  self.begin_operation();
  self.store().watch_room([] {});
  self.store().enter_room_queue();
  self.end_operation();
}

ROLE(leaving_the_line) {
  uint64_t watch = self.store().watch_room([] {});
  uint64_t place = self.store().enter_room_queue();
  self.begin_operation();
  self.store().leave_room_queue(place);
  self.store().unwatch(watch);
  self.end_operation();
}

ROLE(giving_a_container_up) {
  add_ref(self.store(), id_of(10));
  self.begin_operation();
  Status status = self.store().free(id_of(10));
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(sealing_pinned) {
  Writing writing = create(self.store(), id_of(7), 1000);
  SealOptions options;
  options.add_ref = true;
  options.pin = true;
  self.begin_operation();
  Status status = self.store().seal(writing.ref, options);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(creating) {
  ObjectId id = id_of(7);
  Writing writing;
  self.begin_operation();
  Status status = self.store().create_object(&id, 1000, 10, &writing, nullptr);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(putting) {
  ObjectId id = id_of(7), given;
  char bytes[100] = {};
  self.begin_operation();
  Status status = self.store().put(&id, bytes, sizeof bytes, bytes, 3, {}, &given, nullptr);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(evicting_to_put) {
  ObjectId id = id_of(7), given;
  char bytes[500] = {};
  self.begin_operation();
  Status status = self.store().put(&id, bytes, sizeof bytes, nullptr, 0, {}, &given, nullptr);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(sealing) {
  Writing writing = create(self.store(), id_of(7), 1000);
  self.begin_operation();
  Status status = self.store().seal(writing.ref, {});
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(aborting) {
  Writing writing = create(self.store(), id_of(7), 1000);
  self.begin_operation();
  Status status = self.store().abort(writing.ref);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(getting) {
  Reading reading;
  self.begin_operation();
  Status status = self.store().get(id_of(1), &reading);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(unpinning) {
  Reading reading;
  REQUIRE_OK(self.store().get(id_of(1), &reading));
  self.begin_operation();
  Status status = self.store().unpin(reading.ref);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(removing) {
  self.begin_operation();
  Status status = self.store().remove(id_of(1));
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(giving_up) {
  self.begin_operation();
  Status status = self.store().free(id_of(1));
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(releasing_a_freed_object) {
  Reading reading;
  REQUIRE_OK(self.store().get(id_of(1), &reading));
  REQUIRE_OK(self.store().free(id_of(1)));
  self.begin_operation();
  Status status = self.store().unpin(reading.ref);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(releasing_a_removed_object) {
  Reading reading;
  REQUIRE_OK(self.store().get(id_of(1), &reading));
  REQUIRE_OK(self.store().remove(id_of(1)));
  self.begin_operation();
  Status status = self.store().unpin(reading.ref);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(evicting) {
  uint64_t freed = 0;
  self.begin_operation();
  Status status = self.store().evict(600, &freed, nullptr);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(promising) {
  EntryRef ref;
  self.begin_operation();
  Status status = self.store().promise(id_of(7), &ref);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(fulfilling) {
  EntryRef ref;
  REQUIRE_OK(self.store().promise(id_of(7), &ref));
  ObjectId id = id_of(7), given;
  char bytes[100] = {};
  self.begin_operation();
  Status status = self.store().put(&id, bytes, sizeof bytes, nullptr, 0, {}, &given, nullptr);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(referring) {
  EntryRef ref;
  self.begin_operation();
  Status status = self.store().add_ref(id_of(1), &ref);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(dropping_the_last_ref) {
  EntryRef ref = add_ref(self.store(), id_of(1));
  self.begin_operation();
  Status status = self.store().drop_ref(ref);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(containing) {
  ObjectId inner = id_of(1);
  Writing writing = create(self.store(), id_of(7), 1000);
  SealOptions options;
  options.contained = &inner;
  options.contained_count = 1;
  self.begin_operation();
  Status status = self.store().seal(writing.ref, options);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(freeing_a_container) {
  EntryRef ref = put_container(self.store());
  self.begin_operation();
  Status status = self.store().drop_ref(ref);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(handing_back) {
  REQUIRE_OK(put(self.store(), id_of(2), kMiB));
  REQUIRE_OK(self.store().remove(id_of(2)));
  self.begin_operation();
  uint64_t chunks = self.store().client()->pages().hand_back(2);
  self.end_operation();
  EXPECT_EQ(chunks, 2u);
}

// Its block is cold, and makes free pages go.
ROLE(exceeding_the_slack) {
  ObjectStore& store = self.store();
  ObjectId ids[] = {id_of(2), id_of(3)};
  Writing writing;
  for (const ObjectId& id : ids) {
    REQUIRE_OK(store.create_object(&id, 7 * kMiB + 512 * kKiB, 0, &writing, nullptr));
    REQUIRE_OK(store.seal(writing.ref, {}));
  }
  REQUIRE_OK(store.remove(ids[0]));
  self.begin_operation();
  Status status = store.create_object(&ids[0], 8 * kMiB, 0, &writing, nullptr);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(growing_a_table) {
  const shm::RowTable& blocks = self.store().client()->segment().blocks();
  self.begin_operation();
  Status status = shm::table_grow(self.store().client()->segment(),
                                  self.store().client()->store_lock(), blocks, blocks.capacity());
  self.end_operation();
  REQUIRE_OK(status);
}

}  // namespace

TEST("a kill while creating leaves no object") { sweep({"creating", {}, 1}, empty_scene); }
TEST("a kill while putting leaves the whole object or none") { sweep({"putting"}, empty_scene); }
TEST("a kill while evicting to put leaves each victim whole or gone") {
  sweep({"evicting_to_put", {}, 4}, full_scene);
}
TEST("a kill while sealing leaves the whole object or none") { sweep({"sealing"}, empty_scene); }
TEST("a kill while aborting leaves no object") { sweep({"aborting", {}, 1}, empty_scene); }
TEST("a kill while getting leaves the object unpinned") { sweep({"getting", {}, 1}, one_object); }
TEST("a kill while unpinning leaves the object unpinned") {
  sweep({"unpinning", {}, 1}, one_object);
}
TEST("a kill while removing leaves the whole object or none") { sweep({"removing"}, one_object); }
TEST("a kill while giving an object up leaves the whole object or none") {
  sweep({"giving_up"}, one_object);
}
TEST("a kill while giving a container up leaves it whole, or its row and what it let go of") {
  sweep({"giving_a_container_up", {}, 4}, referred_container);
}
TEST("a kill while releasing a freed object leaves none") {
  sweep({"releasing_a_freed_object", {}, 1}, one_object);
}
TEST("a kill while sealing an object to be pinned leaves none") {
  sweep({"sealing_pinned", {}, 1}, empty_scene);
}
TEST("a kill while entering the line for room holds nobody up and lets nobody pass") {
  sweep({"entering_the_line", {}, 1}, room_line);
}
TEST("a kill while leaving the line for room holds nobody up and lets nobody pass") {
  sweep({"leaving_the_line", {}, 1}, room_line);
}
TEST("a kill while releasing a removed object leaves none") {
  sweep({"releasing_a_removed_object", {}, 1}, one_object);
}
TEST("a kill while evicting leaves each victim whole or gone") {
  sweep({"evicting", {}, 4}, full_scene);
}
TEST("a kill while promising leaves nothing") { sweep({"promising", {}, 1}, empty_scene); }
TEST("a kill while fulfilling a promise leaves nothing that nobody refers to") {
  sweep({"fulfilling", {}, 1}, empty_scene);
}
TEST("a kill while referring leaves the object free or unmanaged") {
  sweep({"referring"}, one_object);
}
TEST("a kill while dropping the last ref leaves no object") {
  sweep({"dropping_the_last_ref", {}, 1}, one_object);
}
TEST("a kill while containing leaves container and contained or the contained alone") {
  sweep({"containing", {}, 3}, one_object);
}
TEST("a kill while freeing a container leaves nothing of it") {
  sweep({"freeing_a_container", {}, 1}, empty_scene);
}
TEST("a kill while handing memory back leaves all of it in use or free") {
  sweep({"handing_back", {}, 1}, one_object);
}
TEST("a kill while taking more memory than the slack allows leaves no object") {
  sweep({"exceeding_the_slack", {}, 1},
        [] { return std::make_unique<Scene>(store_options(16 * kMiB)); });
}
TEST("a kill while growing a table leaves a store that works") {
  sweep({"growing_a_table", {}, 1},
        [] { return std::make_unique<Scene>(store_options(kMiB, 65536)); });
}

}  // namespace mobula::test
