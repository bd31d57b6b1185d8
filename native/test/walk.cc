#include "test/walk.h"

#include <algorithm>

#include "test/support.h"

namespace mobula::test {
namespace {

constexpr size_t kHeldAtMost = 12;

}  // namespace

Walk::Walk(ObjectStore& store, EvictionPolicy policy, Pick pick, uint32_t first_id, uint32_t ids)
    : store_(store),
      model_(stats_of(store).memory, policy),
      pick_(std::move(pick)),
      first_id_(first_id),
      ids_(ids) {}

void Walk::run(int steps) {
  for (int i = 0; i < steps; ++i) {
    step();
    if (i % 20 == 0) compare();
  }
  compare();
}

void Walk::step() {
  seen_.clear();
  expected_.clear();
  contained_ = false;
  act();
  REQUIRE(EXPECT_EQ(seen_, expected_));
}

void Walk::compare() { REQUIRE(EXPECT_EQ(describe(store_), describe(model_))); }

ObjectId Walk::any_id() { return id_of(first_id_ + static_cast<uint32_t>(pick_(ids_))); }
uint64_t Walk::any_size() { return pick_(uint64_t{1} << pick_(15)); }

Walk::Held Walk::take(std::vector<Held>& from) {
  std::swap(from[pick_(from.size())], from.back());
  Held held = from.back();
  from.pop_back();
  return held;
}

void Walk::act() {
  switch (pick_(12)) {
    case 0:
      return create();
    case 10:
      return put();
    case 1:
      return seal_or_abort();
    case 2:
    case 3:
      return pin();
    case 4:
      return unpin();
    case 5:
      return remove();
    case 6:
      return promise();
    case 7:
      return add_ref();
    case 8:
      return drop_ref();
    case 11:
      return pick_(3) == 0 ? free() : drop_ref();
    default:
      return evict_or_create();
  }
}

uint32_t Walk::any_metadata_size() { return pick_(3) == 0 ? static_cast<uint32_t>(pick_(100)) : 0; }

// Fails the test when the object is not made as the model says.
bool Walk::is_made(Code code, const ObjectId& id, uint64_t size, uint32_t metadata_size,
                   const std::vector<ObjectInfo>& evicted, Held* held) {
  for (const ObjectInfo& info : evicted) seen_.push_back(info.id);
  REQUIRE(EXPECT_EQ(code, model_.create(id, size, metadata_size, &held->object, &expected_)));
  return code == Code::kOk;
}

void Walk::put() {
  ObjectId id = any_id(), given;
  std::vector<uint8_t> bytes(any_size()), metadata(any_metadata_size());
  fill(id, bytes.data(), bytes.size());
  fill(id, metadata.data(), metadata.size());
  Held held;
  std::vector<ObjectInfo> evicted;
  auto metadata_size = static_cast<uint32_t>(metadata.size());
  Code code = store_
                  .put(&id, bytes.data(), bytes.size(), metadata.data(), metadata_size, {}, &given,
                       &evicted)
                  .code();
  if (is_made(code, id, bytes.size(), metadata_size, evicted, &held)) {
    model_.seal(held.object, false, {});
  }
}

void Walk::create() {
  ObjectId id = any_id();
  uint64_t size = any_size();
  uint32_t metadata_size = any_metadata_size();
  Writing writing;
  Held held;
  std::vector<ObjectInfo> evicted;
  Code code = store_.create_object(&id, size, metadata_size, &writing, &evicted).code();
  if (!is_made(code, id, size, metadata_size, evicted, &held)) return;
  fill(id, writing.data, size);
  fill(id, writing.metadata, metadata_size);
  held.ref = writing.ref;
  written_.push_back(held);
  if (written_.size() > kHeldAtMost / 2) seal_or_abort();
}

void Walk::seal_or_abort() {
  if (written_.empty()) return;
  Held held = take(written_);
  if (pick_(5) == 0) {
    EXPECT_CODE(store_.abort(held.ref), kOk);
    return model_.abort(held.object);
  }
  std::vector<ObjectId> contained;
  if (held.object->contains.empty() && !held.object->promised && held.object->refs == 0) {
    for (uint64_t i = pick_(4); i > 0; --i) contained.push_back(older_id(held.object->id));
  }
  SealOptions options;
  options.contained = contained.data();
  options.contained_count = contained.size();
  options.add_ref = pick_(3) == 0;
  EXPECT_CODE(store_.seal(held.ref, options), kOk);
  model_.seal(held.object, options.add_ref, contained);
  contained_ = !contained.empty();
  if (options.add_ref) referred_.push_back(held);
}

// Containers contain lower ids only, so that there are no cycles.
ObjectId Walk::older_id(const ObjectId& id) {
  uint32_t number = first_id_;
  while (id_of(number) != id) ++number;
  uint32_t below = number - first_id_;
  return below == 0 ? id : id_of(first_id_ + static_cast<uint32_t>(pick_(below)));
}

void Walk::pin() {
  ObjectId id = any_id();
  Held held;
  bool gets = pick_(2) == 0;
  Reading reading;
  Code code = gets ? store_.get(id, &reading).code() : store_.pin(id, &held.ref).code();
  REQUIRE(EXPECT_EQ(code, gets ? model_.get(id, &held.object) : model_.pin(id, &held.object)));
  if (code != Code::kOk) return;
  if (gets) held.ref = reading.ref;
  expect_intact(held);
  pinned_.push_back(held);
  if (pinned_.size() > kHeldAtMost) unpin();
}

void Walk::expect_intact(const Held& held) {
  Reading reading;
  REQUIRE_OK(store_.reading(held.ref, &reading));
  std::vector<uint8_t> bytes(std::max<uint64_t>(reading.size, reading.metadata_size));
  fill(held.object->id, bytes.data(), bytes.size());
  EXPECT_EQ(reading.size, held.object->size);
  EXPECT_EQ(reading.metadata_size, held.object->metadata_size);
  EXPECT(std::equal(reading.data, reading.data + reading.size, bytes.data()));
  EXPECT(std::equal(reading.metadata, reading.metadata + reading.metadata_size, bytes.data()));
}

void Walk::unpin() {
  if (pinned_.empty()) return;
  Held held = take(pinned_);
  expect_intact(held);
  EXPECT_CODE(store_.unpin(held.ref), kOk);
  model_.unpin(held.object);
}

void Walk::remove() {
  ObjectId id = any_id();
  EXPECT_EQ(store_.remove(id).code(), model_.remove(id));
}

void Walk::free() {
  ObjectId id = any_id();
  EXPECT_EQ(store_.free(id).code(), model_.free(id));
}

void Walk::promise() {
  ObjectId id = any_id();
  Held held;
  Code code = store_.promise(id, &held.ref).code();
  REQUIRE(EXPECT_EQ(code, model_.promise(id, &held.object)));
  if (code == Code::kOk) refer(held);
}

void Walk::add_ref() {
  ObjectId id = any_id();
  Held held;
  Code code = store_.add_ref(id, &held.ref).code();
  REQUIRE(EXPECT_EQ(code, model_.add_ref(id, &held.object)));
  if (code == Code::kOk) refer(held);
}

void Walk::refer(const Held& held) {
  referred_.push_back(held);
  if (referred_.size() > kHeldAtMost) drop_ref();
}

void Walk::drop_ref() {
  if (referred_.empty()) return;
  Held held = take(referred_);
  EXPECT_CODE(store_.drop_ref(held.ref), kOk);
  model_.drop_ref(held.object);
}

void Walk::evict_or_create() {
  if (pick_(10) != 0 || stats_of(store_).clients > 1) return create();
  uint64_t freed = 0, bytes = any_size();
  std::vector<ObjectInfo> evicted;
  EXPECT_CODE(store_.evict(bytes, &freed, &evicted), kOk);
  for (const ObjectInfo& info : evicted) seen_.push_back(info.id);
  EXPECT_EQ(freed, model_.evict(bytes, &expected_));
}

std::vector<std::string> Walk::describe(ObjectStore& store) const {
  std::vector<std::string> lines;
  for (const ObjectInfo& info : list(store)) {
    if (!is_mine(info.id)) continue;
    lines.push_back(info.id.hex() + " " + std::to_string(info.size) +
                    (info.state == InfoState::kSealed ? " sealed" : " created") +
                    (info.pins > 0 ? " pinned" : ""));
  }
  std::sort(lines.begin(), lines.end());
  for (uint32_t i = 0; i < ids_; ++i) {
    lines.push_back(show(availability(store, id_of(first_id_ + i))));
  }
  return lines;
}

std::vector<std::string> Walk::describe(const Model& model) const {
  std::vector<std::string> lines = model.describe();
  for (uint32_t i = 0; i < ids_; ++i) {
    lines.push_back(show(model.availability(id_of(first_id_ + i))));
  }
  return lines;
}

bool Walk::is_mine(const ObjectId& id) const {
  for (uint32_t i = 0; i < ids_; ++i) {
    if (id_of(first_id_ + i) == id) return true;
  }
  return false;
}

}  // namespace mobula::test
