// A process that is killed after any machine instruction of spilling leaves every object in memory
// or on disk, whole, and no file that nobody needs.

#include "store/spill.h"
#include "test/spilling.h"
#include "test/sweep.h"
#include "test/temporary_directory.h"

namespace mobula::test {
namespace {

constexpr uint32_t kObjects = 4;
constexpr uint64_t kSize = 256;

// Room for four objects, all taken by objects to which this process refers.
class FullScene : public Scene {
 public:
  FullScene() : FullScene(std::make_unique<TemporaryDirectory>()) {}

  std::string state() override {
    const shm::StoreState& state = store_->client()->segment().store();
    EXPECT(eventually([&] { return port::load_word(state.doomed_file) == shm::kNone; }));
    uint64_t files = state.files.used - state.files.free_count;
    EXPECT_EQ(directory_->files().size(), files);
    return Scene::state() + " copies " + std::to_string(state.copies) + " on disk " +
           std::to_string(state.spilled) + '\n';
  }
  void go_on() override {
    Scene::go_on();
    for (uint32_t i = 1; i <= count_; ++i) EXPECT(is_intact(*store_, id_of(i)));
  }

 protected:
  explicit FullScene(std::unique_ptr<TemporaryDirectory> directory, uint32_t count = kObjects)
      : Scene(spilling_options(directory->path(), store_options(kObjects * kSize))),
        directory_(std::move(directory)),
        count_(count) {
    SealOptions referred;
    referred.add_ref = true;
    for (uint32_t i = 1; i <= count; ++i) REQUIRE_OK(put(*store_, id_of(i), kSize, referred));
  }

  std::unique_ptr<TemporaryDirectory> directory_;
  const uint32_t count_;
};

// Object 1 is on disk.
class SpilledScene : public FullScene {
 public:
  SpilledScene() : FullScene(std::make_unique<TemporaryDirectory>(), kObjects + 1) {}
};

// Object 1 is on disk, and only the subject will refer to it.
class OrphanScene : public SpilledScene {
 public:
  void begin() override {
    EntryRef ref;
    REQUIRE_OK(store_->add_ref(id_of(1), &ref));
    REQUIRE_OK(store_->drop_ref(ref));
    REQUIRE_OK(store_->drop_ref(ref));
  }
  void go_on() override { Scene::go_on(); }
};

template <class S>
std::unique_ptr<Scene> make() {
  return std::make_unique<S>();
}

ROLE(spilling_to_put) {
  self.begin_operation();
  Status status = put(self.store(), id_of(7), kSize);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(reading_back) {
  Reading reading;
  self.begin_operation();
  Status status = self.store().get(id_of(1), &reading);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(dropping_a_spilled_object) {
  EntryRef ref;
  REQUIRE_OK(self.store().add_ref(id_of(1), &ref));
  self.begin_operation();
  Status status = self.store().drop_ref(ref);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(removing_files) {
  EntryRef ref;
  REQUIRE_OK(self.store().add_ref(id_of(1), &ref));
  store::Client& client = *self.store().client();
  self.begin_operation();
  (void)self.store().drop_ref(ref);
  store::remove_doomed_files(client.segment(), client.store_lock());
  self.end_operation();
}

}  // namespace

TEST("a kill while spilling to put leaves every object in memory or on disk") {
  sweep({"spilling_to_put", {}, 8}, make<FullScene>);
}
TEST("a kill while reading back leaves every object in memory or on disk") {
  sweep({"reading_back", {}, 8}, make<SpilledScene>);
}
TEST("a kill while dropping a spilled object leaves none") {
  sweep({"dropping_a_spilled_object", {}, 1}, make<OrphanScene>);
}
TEST("a kill while removing a spill file leaves none") {
  sweep({"removing_files", {}, 1}, make<OrphanScene>);
}

}  // namespace mobula::test
