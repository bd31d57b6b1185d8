#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/port.h"
#include "test/choices.h"
#include "test/fuzz.h"
#include "test/segment_image.h"
#include "test/support.h"

namespace mobula::test {
namespace {

constexpr uint64_t kMemory = 64 * kKiB;
constexpr uint32_t kObjects = 64;
constexpr uint32_t kIds = 32;
constexpr uint32_t kRowsInUse = 40;
constexpr int kDamagesAtMost = 8;
constexpr int kCallsAtMost = 48;
constexpr int kRefusalsAtMost = 2;

// Objects in every state, held by two processes, with free rows and holes between them.
void populate(ObjectStore& store) {
  std::vector<ObjectId> contained = {id_of(5), id_of(13)};
  Writing writing;
  Reading reading;
  EntryRef ref;
  for (uint32_t i = 1; i <= 8; ++i) REQUIRE_OK(put(store, id_of(i), 100 * i * i));
  for (uint32_t i : {2, 3}) REQUIRE_OK(store.get(id_of(i), &reading));
  for (uint32_t i : {3, 4}) REQUIRE_OK(store.remove(id_of(i)));
  for (uint32_t i : {9, 10}) {
    ObjectId id = id_of(i);
    REQUIRE_OK(store.create_object(&id, 700, 16, &writing, nullptr));
  }
  for (uint32_t i : {11, 12}) REQUIRE_OK(store.promise(id_of(i), &ref));
  REQUIRE_OK(put(store, id_of(13), 64, {.add_ref = true}));
  REQUIRE_OK(put(store, id_of(14), 5000,
                 {.add_ref = true, .contained = contained.data(), .contained_count = 2}));
  REQUIRE_OK(store.add_ref(id_of(6), &ref));
}

void join(ObjectStore& store) {
  Reading reading;
  EntryRef ref;
  Writing writing;
  ObjectId contained = id_of(7), id = id_of(21);
  for (uint32_t i : {2, 5}) REQUIRE_OK(store.get(id_of(i), &reading));
  for (uint32_t i : {13, 14}) REQUIRE_OK(store.add_ref(id_of(i), &ref));
  REQUIRE_OK(store.promise(id_of(20), &ref));
  REQUIRE_OK(store.create_object(&id, 3000, 0, &writing, nullptr));
  REQUIRE_OK(put(store, id_of(22), 900, {.contained = &contained, .contained_count = 1}));
}

// A forked process that has done `work`, until it is killed.
class Child {
 public:
  template <class Work>
  explicit Child(const Work& work) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    uint32_t parent = port::process_id();
    pid_ = fork();
    if (pid_ == 0) {
      if (!port::die_with_parent(parent)) _exit(1);
      std::unique_ptr<ObjectStore> store = work();
      StoreHandle handle = store->handle();
      REQUIRE(write(ends[1], &handle, sizeof handle) == sizeof handle);
      for (;;) pause();
    }
    close(ends[1]);
    REQUIRE(read(ends[0], &handle_, sizeof handle_) == sizeof handle_);
    close(ends[0]);
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  const StoreHandle& handle() const { return handle_; }

 private:
  pid_t pid_ = -1;
  StoreHandle handle_;
};

SegmentImage make_image() {
  Child maker([] {
    StoreOptions options = store_options(kMemory, kObjects);
    options.eviction = EvictionPolicy::kUnreferenced;
    auto store = new_store(options);
    populate(*store);
    return store;
  });
  Child joiner([&] {
    std::unique_ptr<ObjectStore> store;
    REQUIRE_OK(ObjectStore::attach(maker.handle(), &store));
    join(*store);
    return store;
  });
  std::unique_ptr<shm::Segment> segment;
  const StoreHandle& handle = maker.handle();
  REQUIRE_OK(shm::Segment::open_remote(handle.pid, handle.fd, handle.store_id, &segment));
  SegmentImage image(*segment);
  image.kill_clients();
  return image;
}

struct Region {
  uint64_t offset;
  uint64_t size;
};

// Where damage goes: any byte of the control region, those in use more often than the others.
Region any_region(const shm::Header& header, const shm::StoreState& store, Choices& choices) {
  switch (choices(10)) {
    case 0:
      return {0, sizeof(shm::Header)};
    case 1:
      return {header.store_offset, offsetof(shm::LockArea, entries) + 16 * sizeof(shm::UndoEntry)};
    case 2:
      return {header.store_offset + offsetof(shm::StoreState, entries),
              offsetof(shm::StoreState, bins) - offsetof(shm::StoreState, entries)};
    case 3:
      return {header.store_offset + offsetof(shm::StoreState, bins), sizeof(shm::Bins)};
    case 4:
      return {header.clients_offset, 4 * sizeof(shm::ClientSlot)};
    case 5:
      return {header.heads_offset, 4ull * header.hash_heads};
    case 6:
      return {store.entries.offset, kRowsInUse * sizeof(shm::ObjectEntry)};
    case 7:
      return {store.blocks.offset, kRowsInUse * sizeof(shm::Block)};
    case 8:
      return {store.edges.offset, kRowsInUse * sizeof(shm::Edge)};
    default:
      return {0, header.data_offset};
  }
}

template <class T>
void overwrite(uint8_t* at, T value) {
  memcpy(at, &value, sizeof value);
}

// `pristine` says where things are; `base` is what is damaged.
void damage(SegmentImage& pristine, uint8_t* base, Choices& choices) {
  const shm::Header& header = pristine.header();
  Region region = any_region(header, pristine.at<shm::StoreState>(header.store_offset), choices);
  uint64_t kind = choices(8);
  uint64_t width = kind < 2 ? 1 : kind < 6 ? 4 : 8;
  uint8_t* at = base + region.offset + choices(region.size / width) * width;
  switch (kind) {
    case 0:
      return overwrite(at, static_cast<uint8_t>(*at ^ (1u << choices(8))));
    case 1:
      return overwrite(at, static_cast<uint8_t>(choices(256)));
    case 2:
      return overwrite(at, static_cast<uint32_t>(choices(kRowsInUse)));
    case 3:
      return overwrite(at, static_cast<uint32_t>(-choices(4)));
    case 4:
      return overwrite(at, static_cast<uint32_t>(choices.bits(4)));
    case 5:
      return overwrite(at, uint32_t{1} << choices(32));
    case 6:
      return overwrite(at, static_cast<uint64_t>(-choices(200)));
    default:
      return overwrite(at, choices.bits(8));
  }
}

// Calls everything, in the order that the bytes say, and keeps its side of every contract.
class Caller {
 public:
  Caller(ObjectStore& store, Choices& choices) : store_(store), choices_(choices) {}

  // A call may have waited before it was refused: for the lock, or for room.
  bool has_seen_enough() const { return refusals_ > kRefusalsAtMost; }

  void call() {
    ObjectId id = id_of(static_cast<uint32_t>(choices_(kIds)));
    const ObjectId* wanted = choices_(4) == 0 ? nullptr : &id;
    switch (choices_(16)) {
      case 0:
        return put(wanted);
      case 1:
        return create(wanted);
      case 2:
        return end_writing();
      case 3:
      case 4:
        return get(id);
      case 5:
        return pin(id);
      case 6:
      case 7:
        return unpin();
      case 8:
        return note(choices_(2) == 0 ? store_.remove(id) : store_.free(id));
      case 9:
        return evict();
      case 10:
        return note(store_.promise(id, &ref_), &refs_);
      case 11:
        return note(store_.add_ref(id, &ref_), &refs_);
      case 12:
        return drop_ref();
      case 13:
        return look(id);
      case 14:
        return store_.reap();
      default:
        store_.check();
    }
  }

 private:
  // A failure says what it is.
  void note(const Status& status) {
    EXPECT(status.is_ok() || !status.message().empty());
    refusals_ += status.code() == Code::kCorrupt || status.code() == Code::kFull;
  }
  void note(const Status& status, std::vector<EntryRef>* held) {
    note(status);
    if (status.is_ok()) held->push_back(ref_);
  }

  bool take(std::vector<EntryRef>* from) {
    if (from->empty()) return false;
    std::swap((*from)[choices_(from->size())], from->back());
    ref_ = from->back();
    from->pop_back();
    return true;
  }

  void put(const ObjectId* wanted) {
    std::vector<uint8_t> bytes(choices_(20'000));
    ObjectId contained[] = {id_of(static_cast<uint32_t>(choices_(kIds))), id_of(5)};
    SealOptions options;
    options.contained = contained;
    options.contained_count = choices_(3);
    ObjectId given;
    note(store_.put(wanted, bytes.data(), bytes.size(), "meta", 4, options, &given, &evicted_));
  }

  void create(const ObjectId* wanted) {
    Writing writing;
    Status status = store_.create_object(wanted, choices_(20'000), 8, &writing, &evicted_);
    note(status);
    if (!status.is_ok()) return;
    memset(writing.data, 1, writing.size);
    memset(writing.metadata, 2, writing.metadata_size);
    written_.push_back(writing.ref);
  }

  void end_writing() {
    bool seals = choices_(2) == 0;
    if (!take(&written_)) return;
    note(seals ? store_.seal(ref_, {}) : store_.abort(ref_));
  }

  void get(const ObjectId& id) {
    Reading reading;
    Status status = store_.get(id, &reading);
    ref_ = reading.ref;
    note(status, &pins_);
    if (status.is_ok()) touch(reading);
  }

  void pin(const ObjectId& id) {
    Status status = store_.pin(id, &ref_);
    note(status, &pins_);
    Reading reading;
    if (status.is_ok() && store_.reading(ref_, &reading).is_ok()) touch(reading);
  }

  void touch(const Reading& reading) {
    uint8_t sum = 0;
    for (uint64_t i = 0; i < reading.size; ++i) sum ^= reading.data[i];
    for (uint32_t i = 0; i < reading.metadata_size; ++i) sum ^= reading.metadata[i];
    sum_ = sum;
  }

  void unpin() {
    if (take(&pins_)) note(store_.unpin(ref_));
  }

  void drop_ref() {
    if (take(&refs_)) note(store_.drop_ref(ref_));
  }

  void evict() {
    uint64_t freed = 0;
    note(store_.evict(choices_(100'000), &freed, &evicted_));
  }

  void look(const ObjectId& id) {
    ObjectInfo info;
    Availability availability;
    StoreStats stats;
    std::vector<ObjectInfo> all;
    note(store_.peek(id, &info));
    note(store_.availability(id, &availability));
    note(store_.stats(&stats));
    note(store_.list(&all));
    std::vector<ReferredInfo> referred;
    uint32_t next = 0;
    note(store_.list_referred(&next, &referred));
    Room room;
    note(store_.room_for(choices_(100'000), &room));
  }

  ObjectStore& store_;
  Choices& choices_;
  EntryRef ref_;
  std::vector<EntryRef> written_, pins_, refs_;
  std::vector<ObjectInfo> evicted_;
  int refusals_ = 0;
  volatile uint8_t sum_ = 0;
};

}  // namespace

void fuzz_hostile(const uint8_t* bytes, size_t size) {
  static SegmentImage pristine = make_image();
  Choices choices(bytes, size);
  SegmentImage image = pristine;
  uint64_t damages = choices(kDamagesAtMost);
  for (uint64_t i = 0; i < damages; ++i) damage(pristine, image.bytes().data(), choices);
  std::unique_ptr<ObjectStore> store;
  Status status = image.attach(&store);
  if (!status.is_ok()) {
    EXPECT(damages > 0 && !status.message().empty());
    return;
  }
  if (damages == 0) expect_sound(*store);
  {
    Caller caller(*store, choices);
    for (int i = 0; i < kCallsAtMost && !caller.has_seen_enough(); ++i) {
      if (choices.exhausted()) break;
      if (choices(8) == 0) damage(pristine, store->client()->segment().base(), choices);
      caller.call();
    }
  }
  detach(std::move(store));
}

}  // namespace mobula::test
