#include "test/chaos.h"

#include <poll.h>
#include <string.h>

#include <algorithm>

#include "port/port.h"

namespace mobula::test {
namespace {

constexpr uint32_t kIds = 100;
constexpr size_t kHeldAtMost = 4;
constexpr int kWaitMs = 20;
constexpr uint64_t kMagnitudes = 23;  // below 4 MiB

// In order of ChaosStep.
constexpr const char* kNames[] = {
    "putting",  "creating",  "sealing or aborting", "getting",   "releasing",      "removing",
    "evicting", "watching",  "promising",           "referring", "dropping a ref", "checking",
    "looking",  "letting go"};
constexpr uint32_t kWeights[] = {20, 10, 10, 25, 12, 4, 1, 2, 3, 5, 5, 1, 2, 0};

}  // namespace

const char* name_of(ChaosStep step) { return kNames[static_cast<uint32_t>(step)]; }

void ChaosThread::step() {
  static constexpr void (ChaosThread::* kSteps[])() = {
      &ChaosThread::put,     &ChaosThread::create, &ChaosThread::seal_or_abort, &ChaosThread::get,
      &ChaosThread::release, &ChaosThread::remove, &ChaosThread::evict,         &ChaosThread::watch,
      &ChaosThread::promise, &ChaosThread::refer,  &ChaosThread::drop_ref,      &ChaosThread::check,
      &ChaosThread::look};
  std::discrete_distribution<uint32_t> steps(std::begin(kWeights), std::end(kWeights));
  const uint32_t chosen = steps(random_);
  auto run = kSteps[chosen];
  seat_.step = static_cast<ChaosStep>(chosen);
  (this->*run)();
  ++seat_.steps;
}

void ChaosThread::let_go() {
  seat_.step = ChaosStep::kLetGo;
  while (!written_.empty()) {
    EXPECT_CODE(store_.abort(written_.back().ref), kOk);
    written_.pop_back();
  }
  while (!read_.empty()) {
    expect_intact(read_.back().id, read_.back().reading);
    EXPECT_CODE(store_.unpin(read_.back().reading.ref), kOk);
    read_.pop_back();
  }
  while (!pinned_.empty()) EXPECT_CODE(store_.unpin(take(pinned_)), kOk);
  while (!referred_.empty()) EXPECT_CODE(store_.drop_ref(take(referred_)), kOk);
}

ObjectId ChaosThread::any_id() { return id_of(static_cast<uint32_t>(pick(kIds))); }

// As many of every magnitude.
uint64_t ChaosThread::any_size() { return pick(uint64_t{1} << pick(kMagnitudes)); }

bool ChaosThread::allowed(const Status& status, std::initializer_list<Code> codes) {
  if (status.code() == Code::kStalled) {
    ++seat_.stalled;
    return false;
  }
  if (status.is_ok()) return true;
  if (std::find(codes.begin(), codes.end(), status.code()) == codes.end()) {
    fail(__FILE__, __LINE__, std::string(name_of(seat_.step)) + ": " + show(status));
    finish();
  }
  return false;
}

template <class T>
T ChaosThread::take(std::vector<T>& from) {
  std::swap(from[pick(from.size())], from.back());
  T taken = from.back();
  from.pop_back();
  return taken;
}

void ChaosThread::expect_intact(const ObjectId& id, const Reading& reading) {
  std::vector<uint8_t> expected(reading.size);
  fill(id, expected.data(), reading.size);
  bool same = std::equal(expected.begin(), expected.end(), reading.data);
  bool described =
      reading.metadata_size == 0 || (reading.metadata_size == sizeof id &&
                                     memcmp(reading.metadata, id.bytes.data(), sizeof id) == 0);
  if (same && described) return;
  fail(__FILE__, __LINE__, "the bytes of " + id.hex() + " are not those that were put");
  finish();
}

// Containers contain lower ids only, so that there are no cycles.
SealOptions ChaosThread::any_options(const ObjectId& id, std::vector<ObjectId>* contained) {
  uint32_t number;
  memcpy(&number, id.bytes.data() + 12, sizeof number);
  uint64_t count = pick(5) == 0 && number > 0 ? 1 + pick(3) : 0;
  for (uint64_t i = 0; i < count; ++i)
    contained->push_back(id_of(static_cast<uint32_t>(pick(number))));
  SealOptions options;
  options.contained = contained->data();
  options.contained_count = contained->size();
  return options;
}

void ChaosThread::put() {
  ObjectId id = any_id(), given;
  uint64_t size = any_size();
  std::vector<uint8_t> bytes(size);
  fill(id, bytes.data(), size);
  uint32_t metadata_size = pick(2) == 0 ? sizeof id : 0;
  std::vector<ObjectId> contained;
  SealOptions options = any_options(id, &contained);
  allowed(
      store_.put(&id, bytes.data(), size, id.bytes.data(), metadata_size, options, &given, nullptr),
      {Code::kExists, Code::kFull});
}

void ChaosThread::create() {
  if (written_.size() >= kHeldAtMost) return seal_or_abort();
  ObjectId id = any_id();
  Writing writing;
  if (allowed(store_.create_object(&id, any_size(), 0, &writing, nullptr),
              {Code::kExists, Code::kFull})) {
    written_.push_back(writing);
  }
}

void ChaosThread::seal_or_abort() {
  if (written_.empty()) return;
  Writing writing = take(written_);
  if (pick(4) == 0) {
    allowed(store_.abort(writing.ref), {});
    return;
  }
  fill(writing.id, writing.data, writing.size);
  std::vector<ObjectId> contained;
  SealOptions options = any_options(writing.id, &contained);
  options.add_ref = pick(4) == 0;
  if (!allowed(store_.seal(writing.ref, options), {Code::kFull})) {
    allowed(store_.abort(writing.ref), {});
  } else if (options.add_ref) {
    referred_.push_back(writing.ref);
  }
}

void ChaosThread::get() {
  if (read_.size() + pinned_.size() >= kHeldAtMost) return release();
  ObjectId id = any_id();
  if (pick(4) == 0) {
    EntryRef ref;
    if (allowed(store_.pin(id, &ref), {Code::kNotFound})) pinned_.push_back(ref);
    return;
  }
  Reading reading;
  if (!allowed(store_.get(id, &reading), {Code::kNotFound})) return;
  expect_intact(id, reading);
  read_.push_back({id, reading});
}

void ChaosThread::release() {
  if (!pinned_.empty() && pick(2) == 0) allowed(store_.unpin(take(pinned_)), {});
  if (read_.empty()) return;
  Read read = take(read_);
  expect_intact(read.id, read.reading);
  allowed(store_.unpin(read.reading.ref), {});
}

void ChaosThread::remove() { allowed(store_.remove(any_id()), {Code::kNotFound}); }

void ChaosThread::evict() {
  uint64_t freed = 0;
  allowed(store_.evict(any_size(), &freed, nullptr), {});
}

// Who watches is called now and then whatever happens, so no call is the failure of a keeper.
void ChaosThread::watch() {
  ObjectId id = any_id();
  std::atomic<bool> called{false};
  uint64_t watch = store_.watch(id, [&] { called = true; });
  EXPECT(eventually([&] { return called.load(); }));
  for (int i = 0; i < kWaitMs && !is_ready(id); ++i) poll(nullptr, 0, 1);
  store_.unwatch(watch);
}

bool ChaosThread::is_ready(const ObjectId& id) {
  Availability found = Availability::kAbsent;
  return allowed(store_.availability(id, &found), {}) && found == Availability::kReady;
}

void ChaosThread::promise() {
  EntryRef ref;
  if (referred_.size() >= kHeldAtMost) return drop_ref();
  if (allowed(store_.promise(any_id(), &ref), {Code::kExists, Code::kFull})) {
    referred_.push_back(ref);
  }
}

void ChaosThread::refer() {
  EntryRef ref;
  if (referred_.size() >= kHeldAtMost) return drop_ref();
  if (allowed(store_.add_ref(any_id(), &ref), {Code::kNotFound})) referred_.push_back(ref);
}

void ChaosThread::drop_ref() {
  if (!referred_.empty()) allowed(store_.drop_ref(take(referred_)), {});
}

void ChaosThread::check() {
  StoreStats stats;
  if (!allowed(store_.stats(&stats), {})) return;
  EXPECT(stats.used_bytes <= stats.memory && stats.pinned_bytes <= stats.used_bytes);
  for (const std::string& problem : store_.check()) {
    if (problem.find("holds its lock") != std::string::npos) continue;
    fail(__FILE__, __LINE__, problem);
    finish();
  }
}

void ChaosThread::look() {
  ObjectInfo info;
  allowed(store_.peek(any_id(), &info), {Code::kNotFound});
  std::vector<ObjectInfo> all;
  allowed(store_.list(&all), {});
  for (const ObjectInfo& listed : all) EXPECT(listed.size < uint64_t{1} << kMagnitudes);
  store_.reap();
}

}  // namespace mobula::test
