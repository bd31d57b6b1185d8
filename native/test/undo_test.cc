// Whatever a transaction has written, its log brings back, to the byte. The random walks on the
// store (model_test.cc) are watched too.

#include <filesystem>
#include <random>
#include <thread>

#include "test/holdings.h"
#include "test/spilling.h"
#include "test/temporary_directory.h"
#include "test/undo_watch.h"

namespace mobula::test {
namespace {

constexpr size_t kPeers = 4;
constexpr size_t kActors = 3;
#if defined(__SANITIZE_THREAD__)
constexpr int kQueueSteps = 1000;  // each takes a hundred times as long
#else
constexpr int kQueueSteps = 20'000;
#endif

// Random records between peers that come and go.
class QueueWalk {
 public:
  QueueWalk(ObjectStore& store, uint64_t seed) : store_(store), random_(seed) {
    for (auto& peer : peers_) peer = std::make_unique<Peer>(store);
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
  }

 private:
  struct Peer {
    explicit Peer(ObjectStore& store) : endpoint(store) {}
    Endpoint endpoint;
    std::vector<uint32_t> taken;
    std::vector<Actor> actors;
  };

  uint64_t pick(uint64_t below) { return random_() % below; }
  Peer& any() { return *peers_[pick(kPeers)]; }
  std::string payload() { return std::string(pick(2) == 0 ? pick(150) : pick(3000), 'x'); }

  void step() {
    Peer& peer = any();
    switch (pick(14)) {
      case 0:
      case 1:
        return submit(peer);
      case 2:
      case 10:
        return call(peer);
      case 3:
        return complete(peer);
      case 4: {
        Endpoint& other = any().endpoint;
        return peer.endpoint.message(other.slot(), other.uid() + (pick(4) == 0), 1, payload());
      }
      case 5:
      case 11:
        return change_actors(peer);
      case 6:
        if (pick(4) == 0) peers_[pick(kPeers)] = std::make_unique<Peer>(store_);
        return;
      case 7:
        return change_task(peer);
      case 8:
        (void)peer.endpoint.peer().cancel_queued(pick(100));
        return;
      case 9: {
        Endpoint& other = any().endpoint;
        (void)peer.endpoint.peer().blame(other.slot(), other.uid(), any().endpoint.uid(),
                                         pick(100));
        return;
      }
      default:
        return exchange(peer);
    }
  }

  // Few enough gpus that tasks wait for them.
  void submit(Peer& peer) {
    double gpus[] = {0, 0, 0.3, 1, 2};
    auto kind = static_cast<uint32_t>(pick(2));
    uint32_t shape = peer.endpoint.shape(kind, {{"cpu", 1}, {"gpu", gpus[pick(5)]}});
    int32_t priority = pick(2) == 0 ? 0 : static_cast<int32_t>(pick(9)) - 4;
    if (pick(4) == 0) return peer.endpoint.submit_wanted(pick(100), payload());
    queue::Op op = pick(4) == 0 ? queue::Op::kResubmit : queue::Op::kSubmit;
    peer.endpoint.submit_to(shape, pick(100), payload(), priority, op);
  }

  void change_task(Peer& peer) {
    if (peer.taken.empty()) return;
    uint32_t task = peer.taken[pick(peer.taken.size())];
    switch (pick(5)) {
      case 0:
        return peer.endpoint.lend(task);
      case 1:
        return peer.endpoint.resume(task);
      case 2:
        return peer.endpoint.tally(1, -1);
      case 3:
        return (void)peer.endpoint.hold(task, pick(4) * kMostArguments / 2);
      default:
        return peer.endpoint.item(task, 1, payload());
    }
  }

  void exchange(Peer& peer) {
    auto queue = static_cast<uint32_t>(pick(2));
    for (const Received& record : peer.endpoint.exchange(static_cast<uint32_t>(pick(4)), queue)) {
      bool answerable =
          record.kind == shm::RecordKind::kTask || record.kind == shm::RecordKind::kCall;
      if (answerable) peer.taken.push_back(record.handle);
    }
  }

  void complete(Peer& peer) {
    if (peer.taken.empty()) return;
    uint32_t taken = peer.taken.back();
    peer.taken.pop_back();
    if (pick(4) == 0) return peer.endpoint.return_call(taken, pick(2) == 0);
    peer.endpoint.complete(taken, payload(), static_cast<uint32_t>(pick(2)));
  }

  void call(Peer& peer) {
    const std::vector<Actor>& actors = any().actors;
    if (actors.empty()) return;
    peer.endpoint.call(actors[pick(actors.size())], 1, payload(), static_cast<int32_t>(pick(3)));
  }

  void change_actors(Peer& peer) {
    if (peer.actors.size() < kActors) {
      peer.actors.push_back(peer.endpoint.create_actor(static_cast<int32_t>(pick(4))));
      return;
    }
    const Actor& actor = peer.actors[pick(kActors)];
    auto attempt = static_cast<uint32_t>(pick(3));
    switch (pick(6)) {
      case 0:
        // Calls that the host returns come before those that are made meanwhile.
        (void)peer.endpoint.peer().unhost_actor(actor.index, actor.generation);
        return peer.endpoint.call(actor, 1, payload());
      case 1:
        peer.endpoint.peer().end_actor(actor.index, actor.generation);
        peer.actors.erase(peer.actors.begin() + (&actor - peer.actors.data()));
        return;
      case 2:
        (void)peer.endpoint.make(actor, attempt);
        return;
      default:
        (void)peer.endpoint.host(actor, any().endpoint, attempt);
    }
  }

  ObjectStore& store_;
  std::mt19937_64 random_;
  std::unique_ptr<Peer> peers_[kPeers];
};

// A store that has too little memory for what is put, and too little room on disk at times.
struct CrampedStore {
  static constexpr uint64_t kMemory = 256 * kKiB;
  static constexpr uint32_t kObjects = 60;  // nearly as many as hash heads, so that some share one

  TemporaryDirectory directory;
  std::unique_ptr<ObjectStore> store = new_store(options());

  StoreOptions options() {
    StoreOptions options = spilling_options(directory.path(), store_options(kMemory, kObjects));
    options.spill_limit = 4 * kMemory;
    return options;
  }
};

// Random objects that go to disk and come back; some of their files are lost.
class SpillWalk {
 public:
  SpillWalk(CrampedStore& cramped, uint64_t seed)
      : directory_(cramped.directory), store_(*cramped.store), random_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
  }

 private:
  uint64_t pick(uint64_t below) { return random_() % below; }
  ObjectId any() { return id_of(static_cast<uint32_t>(pick(CrampedStore::kObjects))); }

  void step() {
    switch (pick(8)) {
      case 0:
      case 1:
      case 2:
        return add(any());
      case 3:
      case 4:
        return look(any());
      case 5:
        return drop_ref();
      case 6:
        (void)(pick(2) == 0 ? store_.remove(any()) : store_.free(any()));
        return;
      default:
        if (pick(100) == 0) return remove_all();
        if (pick(10) == 0) return lose_a_file();
    }
  }

  void add(const ObjectId& id) {
    EntryRef ref;
    (void)put(store_, id, pick(CrampedStore::kMemory / 4));
    if (store_.add_ref(id, &ref).is_ok()) refs_.push_back(ref);
    if (refs_.size() > CrampedStore::kObjects / 2) drop_ref();
  }

  void look(const ObjectId& id) {
    Reading reading;
    if (store_.get(id, &reading).is_ok()) REQUIRE_OK(store_.unpin(reading.ref));
  }

  void drop_ref() {
    if (refs_.empty()) return;
    std::swap(refs_[pick(refs_.size())], refs_.back());
    REQUIRE_OK(store_.drop_ref(refs_.back()));
    refs_.pop_back();
  }

  void remove_all() {
    for (uint32_t i = 0; i < CrampedStore::kObjects; ++i) (void)store_.remove(id_of(i));
  }

  void lose_a_file() {
    std::vector<std::filesystem::path> files = directory_.files();
    std::error_code ignored;
    if (!files.empty()) std::filesystem::remove(files[pick(files.size())], ignored);
  }

  TemporaryDirectory& directory_;
  ObjectStore& store_;
  std::mt19937_64 random_;
  std::vector<EntryRef> refs_;
};

ROLE(holder_of_everything) {
  Holdings holdings(self.store());
  self.tell_and_linger("holding");
}

}  // namespace

TEST("what a transaction on the queues has written can be undone") {
  auto store = new_store(queue_options());
  UndoWatch watch(*store);
  QueueWalk walk(*store, seed());
  walk.run(long_run() ? 10 * kQueueSteps : kQueueSteps);
  EXPECT(watch.commits() > static_cast<uint64_t>(kQueueSteps) / 2);
  expect_sound(*store);
}

// Two threads: objects are used while they are copied. The watch reads words, too, that they write
// outside of the lock.
#if !defined(__SANITIZE_THREAD__)
TEST("what spilling and reading back have written can be undone") {
  CrampedStore cramped;
  UndoWatch watch(*cramped.store);
  int steps = long_run() ? 100'000 : 3000;
  uint64_t first_seed = seed();
  std::thread beside([&] { SpillWalk(cramped, first_seed + 1).run(steps); });
  SpillWalk(cramped, first_seed).run(steps);
  beside.join();
  EXPECT(watch.commits() > 3000);
  StoreStats stats = stats_of(*cramped.store);
  EXPECT(stats.spilled > 100 && stats.restored > 100);
  expect_sound(*cramped.store);
}
#endif

TEST("what a reaper has written can be undone") {
  auto store = new_store(queue_options());
  REQUIRE_OK(put(*store, id_of(1), 100));
  Process holder("holder_of_everything", store->handle());
  EXPECT_EQ(holder.hear(), "holding");
  UndoWatch watch(*store);
  holder.kill();
  reap_all(*store);
  EXPECT(watch.commits() > 20);
  expect_sound(*store);
}

// As when its writer fails or dies between the two halves of sealing it.
TEST("what aborting a container has written can be undone") {
  auto store = new_store();
  store::Client& client = *store->client();
  REQUIRE_OK(put(*store, id_of(1), 100));
  ObjectId id = id_of(2);
  Writing writing;
  REQUIRE_OK(store->create_object(&id, 100, 0, &writing, nullptr));
  UndoWatch watch(*store);
  {
    shm::LockGuard guard(client.store_lock());
    client.objects().contain(writing.ref.entry, client.objects().find(id_of(1)));
  }
  REQUIRE_OK(store->abort(writing.ref));
  EXPECT_EQ(list(*store).size(), 0u);
  expect_sound(*store);
}

TEST("what handing pages back has written can be undone") {
  auto store = new_store(store_options(4 * kMiB));
  REQUIRE_OK(put(*store, id_of(1), 4 * kMiB));
  REQUIRE_OK(store->remove(id_of(1)));
  UndoWatch watch(*store);
  EXPECT(store->client()->pages().hand_back(8) > 0);
  EXPECT(watch.commits() > 2);
  expect_sound(*store);
}

TEST("what growing tables has written can be undone") {
  auto store = new_store(store_options(4 * kMiB, 65536));
  UndoWatch watch(*store);
  ObjectId given;
  for (uint32_t i = 0; i < 3000; ++i) {
    REQUIRE_OK(store->put(nullptr, "bytes", 5, nullptr, 0, {}, &given, nullptr));
  }
  EXPECT(watch.commits() > 3000);
  expect_sound(*store);
}

}  // namespace mobula::test
