#include "test/model.h"

#include <algorithm>

#include "shm/layout.h"

namespace mobula::test {

uint64_t Model::weight(const Object& object) {
  return shm::weight_of(object.size, object.metadata_size);
}

bool Model::is_referenced(const Object& object) {
  return object.refs > 0 || object.contained_by > 0;
}

bool Model::is_garbage(const Object& object) {
  return object.deleted || object.given_up || (object.managed && !is_referenced(object));
}

bool Model::may_evict(const Object& object) const {
  if (policy_ == EvictionPolicy::kUnreferenced) return !is_referenced(object);
  return policy_ == EvictionPolicy::kClru;
}

Model::Model(const Model& other)
    : memory_(other.memory_),
      policy_(other.policy_),
      used_(other.used_),
      puts_(other.puts_),
      hits_(other.hits_),
      misses_(other.misses_),
      evictions_(other.evictions_),
      evicted_bytes_(other.evicted_bytes_) {
  std::map<Handle, Handle> copies;
  auto copy = [&](const auto& self, const Handle& object) -> Handle {
    Handle& made = copies[object];
    if (made) return made;
    Handle result = made = std::make_shared<Object>(*object);
    for (Handle& inner : result->contains) inner = self(self, inner);
    return result;
  };
  for (const auto& [id, object] : other.by_id_) by_id_[id] = copy(copy, object);
  for (const Handle& object : other.lru_) lru_.push_back(copy(copy, object));
  for (const Handle& object : other.hidden_) hidden_.push_back(copy(copy, object));
}

Model::Handle Model::find(const ObjectId& id) const {
  auto found = by_id_.find(id.hex());
  return found == by_id_.end() ? nullptr : found->second;
}

Model::Handle Model::oldest(bool forced) const {
  for (const Handle& object : lru_) {
    if (forced || may_evict(*object)) return object;
  }
  return nullptr;
}

Code Model::create(const ObjectId& id, uint64_t size, uint32_t metadata_size, Handle* out,
                   std::vector<ObjectId>* evicted) {
  Handle object = find(id);
  if (object && object->given_up) return Code::kFreed;
  if (object && (object->state == Object::kCreated || object->state == Object::kSealed)) {
    return Code::kExists;
  }
  uint64_t wanted = shm::weight_of(size, metadata_size);
  uint64_t evictable = 0;
  for (const Handle& other : lru_) evictable += may_evict(*other) ? weight(*other) : 0;
  if (used_ - evictable + wanted > memory_) return Code::kFull;
  while (used_ + wanted > memory_) evict_one(false, evicted);
  object = find(id);  // a lost one may have gone with its container
  if (!object) {
    object = std::make_shared<Object>();
    object->id = id;
    by_id_[id.hex()] = object;
  }
  object->size = size;
  object->metadata_size = metadata_size;
  object->state = Object::kCreated;
  used_ += wanted;
  *out = object;
  return Code::kOk;
}

void Model::seal(const Handle& object, bool add_ref, const std::vector<ObjectId>& contained) {
  for (const ObjectId& id : contained) {
    Handle inner = find(id);
    if (!inner || inner == object) continue;
    inner->managed = true;
    ++inner->contained_by;
    object->contains.push_back(inner);
  }
  if (add_ref) {
    object->managed = true;
    ++object->refs;
  }
  object->state = Object::kSealed;
  ++puts_;
  if (is_garbage(*object)) {
    lose_or_free(object);
  } else {
    lru_.push_back(object);
  }
}

void Model::abort(const Handle& object) {
  used_ -= weight(*object);
  bool owed = object->promised && !object->given_up;
  object->state = owed ? Object::kPromised : Object::kLost;
  if (is_referenced(*object)) {
    let_go_of_contained(object);
  } else {
    forget(object);
  }
}

Code Model::get(const ObjectId& id, Handle* out) {
  Code code = pin(id, out);
  ++(code == Code::kOk ? hits_ : misses_);
  return code;
}

Code Model::pin(const ObjectId& id, Handle* out) {
  Handle object = find(id);
  if (!object || object->state != Object::kSealed || object->given_up) return Code::kNotFound;
  if (object->pins++ == 0) lru_.remove(object);
  *out = object;
  return Code::kOk;
}

void Model::unpin(const Handle& object) {
  if (--object->pins > 0) return;
  if (is_garbage(*object)) {
    lose_or_free(object);
  } else {
    lru_.push_back(object);
  }
}

Code Model::remove(const ObjectId& id) {
  Handle object = find(id);
  if (!object) return Code::kNotFound;
  by_id_.erase(id.hex());
  object->deleted = true;
  if (object->state == Object::kCreated || object->pins > 0) {
    hidden_.push_back(object);
    return Code::kOk;
  }
  lru_.remove(object);
  lose_or_free(object);
  return Code::kOk;
}

Code Model::free(const ObjectId& id) {
  Handle object = find(id);
  if (!object) return Code::kNotFound;
  if (object->given_up) return Code::kOk;
  object->given_up = true;
  if (object->state == Object::kCreated || object->pins > 0) return Code::kOk;
  lru_.remove(object);
  lose_or_free(object);
  return Code::kOk;
}

uint64_t Model::evict(uint64_t bytes, std::vector<ObjectId>* evicted) {
  uint64_t freed = 0, last = 1;
  for (; last > 0 && freed < bytes; freed += last) last = evict_one(true, evicted);
  return freed;
}

uint64_t Model::evict_one(bool forced, std::vector<ObjectId>* evicted) {
  Handle victim = oldest(forced);
  if (!victim) return 0;
  ++evictions_;
  evicted_bytes_ += weight(*victim);
  evicted->push_back(victim->id);
  lru_.remove(victim);
  lose_or_free(victim);
  return weight(*victim);
}

void Model::end_process() {
  std::vector<Handle> all(hidden_.begin(), hidden_.end());
  for (const auto& [id, object] : by_id_) all.push_back(object);
  for (const Handle& object : all) {
    object->promised = false;
    if (object->state == Object::kCreated) abort(object);
    if (object->state == Object::kPromised) object->state = Object::kLost;
    while (object->state == Object::kSealed && object->pins > 0) unpin(object);
    while (object->state != Object::kFreed && object->refs > 0) drop_ref(object);
  }
}

Code Model::promise(const ObjectId& id, Handle* out) {
  if (Handle known = find(id)) {
    if (known->state != Object::kLost || known->given_up) return Code::kExists;
    known->state = Object::kPromised;
    known->promised = true;
    ++known->refs;
    *out = known;
    return Code::kOk;
  }
  auto object = std::make_shared<Object>();
  object->id = id;
  object->promised = object->managed = true;
  object->refs = 1;
  by_id_[id.hex()] = object;
  *out = object;
  return Code::kOk;
}

Code Model::add_ref(const ObjectId& id, Handle* out) {
  Handle object = find(id);
  if (!object) return Code::kNotFound;
  object->managed = true;
  ++object->refs;
  *out = object;
  return Code::kOk;
}

void Model::drop_ref(const Handle& object) {
  --object->refs;
  free_if_unheld(object);
}

void Model::free_if_unheld(const Handle& object) {
  if (is_referenced(*object) || !is_garbage(*object)) return;
  if (object->state == Object::kCreated || object->pins > 0) return;
  lru_.remove(object);
  lose_or_free(object);
}

void Model::lose_or_free(const Handle& object) {
  if (object->state == Object::kSealed) used_ -= weight(*object);
  object->state = Object::kLost;
  if (is_referenced(*object)) {
    let_go_of_contained(object);
  } else {
    forget(object);
  }
}

void Model::forget(const Handle& object) {
  object->state = Object::kFreed;
  hidden_.remove(object);
  if (!object->deleted) by_id_.erase(object->id.hex());
  let_go_of_contained(object);
}

void Model::let_go_of_contained(const Handle& object) {
  std::vector<Handle> contained = std::move(object->contains);
  for (const Handle& inner : contained) {
    --inner->contained_by;
    free_if_unheld(inner);
  }
}

Availability Model::availability(const ObjectId& id) const {
  Handle object = find(id);
  if (!object) return Availability::kAbsent;
  if (object->given_up) return Availability::kFreed;
  if (object->state == Object::kSealed) return Availability::kReady;
  return object->state == Object::kLost ? Availability::kLost : Availability::kPending;
}

std::vector<std::string> Model::describe() const {
  std::vector<std::string> lines;
  for (const auto& [hex, object] : by_id_) {
    if (object->given_up) continue;
    if (object->state != Object::kCreated && object->state != Object::kSealed) continue;
    lines.push_back(hex + " " + std::to_string(object->size) +
                    (object->state == Object::kSealed ? " sealed" : " created") +
                    (object->pins > 0 ? " pinned" : ""));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string Model::describe_totals() const {
  StoreStats stats{};
  std::vector<Handle> all(hidden_.begin(), hidden_.end());
  for (const auto& [hex, object] : by_id_) all.push_back(object);
  for (const Handle& object : all) {
    stats.sealed += object->state == Object::kSealed;
    stats.unsealed += object->state == Object::kCreated;
    if (object->pins == 0) continue;
    ++stats.pinned_objects;
    stats.pinned_bytes += weight(*object);
  }
  stats.used_bytes = used_;
  stats.puts = puts_;
  stats.hits = hits_;
  stats.misses = misses_;
  stats.evictions = evictions_;
  stats.evicted_bytes = evicted_bytes_;
  return test::describe_totals(stats);
}

std::string describe_totals(const StoreStats& stats) {
  std::string text;
  for (uint64_t total :
       {stats.used_bytes, stats.sealed, stats.unsealed, stats.pinned_objects, stats.pinned_bytes,
        stats.puts, stats.hits, stats.misses, stats.evictions, stats.evicted_bytes}) {
    text += std::to_string(total) + " ";
  }
  return text;
}

}  // namespace mobula::test
