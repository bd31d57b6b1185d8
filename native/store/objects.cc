#include "store/objects.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "shm/table.h"
#include "store/entry.h"
#include "store/eviction_plan.h"

namespace mobula::store {

using shm::Block;
using shm::BlockState;
using shm::Edge;
using shm::Hops;
using shm::kDeleted;
using shm::kFreed;
using shm::kManaged;
using shm::kNone;
using shm::ObjectEntry;
using shm::ObjectState;
using shm::require;
using shm::StoreState;

namespace {

// Units that the start of a block is a multiple of.
uint64_t alignment(uint64_t weight) {
  return weight >= shm::kPageAlignedFrom ? port::page_size() / shm::kUnit : 1;
}

Status no_bytes(uint64_t wanted, const StoreState& store, uint64_t limit) {
  return {Code::kFull,
          "no room for " + std::to_string(wanted) + " bytes: of " + std::to_string(limit) +
              " bytes " + std::to_string(store.charged_bytes) + " are in use, and " +
              std::to_string(store.evictable_bytes) +
              " of them may be evicted; release views and pins, delete objects, or raise `memory`"};
}

Status no_hole(uint64_t wanted) {
  return {Code::kFull, "no hole of " + std::to_string(wanted) +
                           " bytes is left between objects in use: release some"};
}

Status no_row(uint32_t capacity) {
  return {Code::kFull, "the table of " + std::to_string(capacity) +
                           " objects is full: delete objects, or raise `maxObjects`"};
}

uint32_t count_bits(const uint64_t* words) {
  int count = 0;
  for (uint32_t i = 0; i < shm::kHolderWords; ++i) count += std::popcount(words[i]);
  return static_cast<uint32_t>(count);
}

ReferredState referred_state_of(const ObjectEntry& entry) {
  if (is_freed(entry)) return ReferredState::kFreed;
  switch (entry.state) {
    case ObjectState::kPromised:
      return ReferredState::kPending;
    case ObjectState::kCreated:
      return ReferredState::kCreated;
    case ObjectState::kSealed:
      return ReferredState::kSealed;
    case ObjectState::kSpilled:
    case ObjectState::kRestoring:
      return ReferredState::kSpilled;
    default:
      return ReferredState::kLost;
  }
}

InfoState info_state_of(const ObjectEntry& entry) {
  if (is_spilled(entry)) return InfoState::kSpilled;
  return entry.state == ObjectState::kSealed ? InfoState::kSealed : InfoState::kCreated;
}

// False asks for more rows; after make_room() a table that can have none is a wrong one.
bool has_or_can_grow(const shm::RowTable& rows, uint32_t count) {
  bool has = rows.has(count);
  require(has || rows.can_grow(), "the rows of a table are miscounted");
  return has;
}

}  // namespace

bool WaitingClients::any() const { return any_bit(words); }

Block& block_of(const shm::Segment& segment, uint32_t index) {
  const ObjectEntry& entry = segment.entry(index);
  Block& block = segment.block(entry.block);
  uint64_t bytes = block.units * shm::kUnit;
  require(block.state == BlockState::kUsed && block.owner == index && entry.size <= bytes &&
              entry.metadata_size <= bytes - entry.size,
          "an object and its block disagree");
  return block;
}

uint32_t Objects::find(const ObjectId& id) const {
  uint32_t index = segment_.hash_head(id);
  Hops hops(segment_.entries().capacity());
  while (index != kNone) {
    const ObjectEntry& entry = segment_.entry(index);
    if (entry.id == id) break;
    index = entry.hash_next;
    hops.next();
  }
  return index;
}

// Bytes 6 to 9 name the issuer: 0 for the store itself, else a peer's uid.
ObjectId Objects::next_id() {
  StoreState& store = segment_.store();
  lock_.add(store.next_auto_id, 1);
  ObjectId id;
  std::memcpy(id.bytes.data(), segment_.header().store_id.bytes.data(), 6);
  uint64_t number = store.next_auto_id;
  for (size_t i = 0; i < 6; ++i) id.bytes[15 - i] = static_cast<uint8_t>(number >> (8 * i));
  return id;
}

// Users may have given an id that would come next to an object of theirs.
ObjectId Objects::fresh_id() {
  Hops hops(segment_.entries().capacity());
  ObjectId id = next_id();
  for (; find(id) != kNone; hops.next()) id = next_id();
  return id;
}

uint64_t Objects::largest_fit() const {
  const StoreState& store = segment_.store();
  if (segment_.entries().is_exhausted()) return 0;
  uint64_t left = segment_.header().memory_limit - store.charged_bytes;
  return std::min(left / shm::kUnit, allocator_.largest_free_units()) * shm::kUnit;
}

Status Objects::make_room(uint64_t size, uint64_t metadata_size, bool new_entry, Victims victims,
                          std::vector<ObjectInfo>* evicted) {
  StoreState& store = segment_.store();
  uint64_t limit = segment_.header().memory_limit;
  uint64_t wanted = shm::weight_of(size, metadata_size);
  if (wanted > limit) {
    return {Code::kFull, "an object of " + std::to_string(wanted) +
                             " bytes cannot fit a store of " + std::to_string(limit) +
                             " bytes: raise `memory`"};
  }
  if (store.charged_bytes - store.evictable_bytes + wanted > limit) {
    return no_bytes(wanted, store, limit);
  }
  bool needs_row = new_entry && segment_.entries().is_exhausted();
  bool needs_hole = !has_hole(wanted);
  if ((needs_row || needs_hole) &&
      !EvictionPlan(segment_, clru_)
           .succeeds(wanted / shm::kUnit, alignment(wanted), needs_hole, needs_row)) {
    return needs_row ? no_row(segment_.entries().capacity()) : no_hole(wanted);
  }
  while (store.charged_bytes + wanted > limit || (needs_row && segment_.entries().is_exhausted()) ||
         (needs_hole && !has_hole(wanted))) {
    bool in_order = victims == Victims::kAny || clru_.victim() == store.lru_oldest;
    if (!in_order || !evict_one(false, evicted)) return no_hole(wanted);
  }
  return Status::ok();
}

Status Objects::make_row(std::vector<ObjectInfo>* evicted) {
  const shm::RowTable& entries = segment_.entries();
  if (!entries.is_exhausted()) return Status::ok();
  if (!EvictionPlan(segment_, clru_).succeeds(0, 1, false, true)) return no_row(entries.capacity());
  while (entries.is_exhausted()) {
    if (!evict_one(false, evicted)) return no_row(entries.capacity());
  }
  return Status::ok();
}

bool Objects::has_hole(uint64_t weight) const {
  return allocator_.find(weight / shm::kUnit, alignment(weight), client_) != kNone;
}

bool Objects::has_rows(bool new_entry) const {
  return has_or_can_grow(segment_.entries(), new_entry ? 1 : 0) &&
         has_or_can_grow(segment_.blocks(), 2);
}

uint32_t Objects::create(const ObjectId& id, uint64_t size, uint32_t metadata_size,
                         uint64_t now_ms) {
  StoreState& store = segment_.store();
  uint32_t index = find(id);
  bool promised = index != kNone;
  if (!promised) index = new_entry(id, now_ms);
  attach_block(index, size, metadata_size);
  ObjectEntry& entry = segment_.entry(index);
  lock_.set(entry.state, ObjectState::kCreated);
  lock_.set(entry.creator, static_cast<uint16_t>(client_));
  lock_.add(store.unsealed, 1);
  return index;
}

uint32_t Objects::promise(const ObjectId& id, uint64_t now_ms) {
  uint32_t index = new_entry(id, now_ms);
  ObjectEntry& entry = segment_.entry(index);
  lock_.set(entry.state, ObjectState::kPromised);
  lock_.set(entry.promiser, static_cast<uint16_t>(client_));
  lock_.set(entry.flags, kManaged);
  add_ref(index);
  return index;
}

void Objects::promise_again(uint32_t index) {
  ObjectEntry& entry = segment_.entry(index);
  lock_.set(entry.state, ObjectState::kPromised);
  lock_.set(entry.promiser, static_cast<uint16_t>(client_));
  add_ref(index);
}

void Objects::seal(uint32_t index) {
  StoreState& store = segment_.store();
  ObjectEntry& entry = segment_.entry(index);
  require(entry.state == ObjectState::kCreated, "an object is sealed or aborted twice");
  lock_.set(entry.state, ObjectState::kSealed);
  lock_.set(entry.creator, kNoClient);
  lock_.subtract(store.unsealed, 1);
  lock_.add(store.sealed, 1);
  lock_.add(store.puts, 1);
  if (!entry.id.is_system()) changed(entry.id);
  if (is_garbage(entry)) {
    lose_or_free(index);
  } else if (!is_kept(entry)) {
    clru_.add_youngest(index);
  }
}

void Objects::abort(uint32_t index) {
  ObjectEntry& entry = segment_.entry(index);
  require(entry.state == ObjectState::kCreated, "an object is sealed or aborted twice");
  lock_.set(entry.creator, kNoClient);
  lock_.subtract(segment_.store().unsealed, 1);
  detach_block(index);
  if (!is_referenced(entry)) {
    free_entry(index);
    return;
  }
  bool owed = entry.promiser != kNoClient && !is_freed(entry);
  lock_.set(entry.state, owed ? ObjectState::kPromised : ObjectState::kLost);
  let_go_of_contained(index);
  changed(entry.id);
}

void Objects::remove(uint32_t index) {
  ObjectEntry& entry = segment_.entry(index);
  leave_lru(index);
  unlink_id(index);
  lock_.set(entry.flags, entry.flags | kDeleted);
  changed(entry.id);
  if (is_written(entry) || is_pinned(entry)) return;
  lose_or_free(index);
}

void Objects::free(uint32_t index) {
  ObjectEntry& entry = segment_.entry(index);
  if (is_freed(entry)) return;
  leave_lru(index);
  lock_.set(entry.flags, entry.flags | kFreed);
  changed(entry.id);
  if (is_written(entry) || is_pinned(entry)) return;
  lose_or_free(index);
}

bool Objects::evict_one(bool forced, std::vector<ObjectInfo>* evicted) {
  uint32_t index = forced ? segment_.store().lru_oldest : clru_.victim();
  if (index == kNone) return false;
  require(evict(index, evicted), "an object on the LRU list is in use");
  return true;
}

bool Objects::evict(uint32_t index, std::vector<ObjectInfo>* evicted) {
  StoreState& store = segment_.store();
  ObjectEntry& entry = segment_.entry(index);
  if (!on_lru(entry)) return false;
  if (has_copy(entry) && is_referenced(entry)) {
    spill(index);
    lock_.commit();
    return true;
  }
  lock_.add(store.evictions, 1);
  lock_.add(store.evicted_bytes, weight(entry));
  if (evicted != nullptr) evicted->push_back(info(index));
  leave_lru(index);
  lose_or_free(index);
  lock_.commit();
  port::fail_point(port::FailPoint::kEvicted);
  finish_freeing();
  return true;
}

ObjectInfo Objects::info(uint32_t index) const {
  const ObjectEntry& entry = segment_.entry(index);
  ObjectInfo info;
  info.id = entry.id;
  info.size = entry.size;
  info.state = info_state_of(entry);
  info.pins = count_bits(entry.pins);
  info.created_at = entry.created_at;
  return info;
}

ReferredInfo Objects::referred_info(uint32_t index) const {
  const ObjectEntry& entry = segment_.entry(index);
  ReferredInfo info;
  info.id = entry.id;
  info.size = entry.size;
  info.state = referred_state_of(entry);
  info.refs = count_bits(entry.refs);
  info.pins = count_bits(entry.pins);
  info.created_at = entry.created_at;
  return info;
}

Room Objects::room_for(uint64_t size) const {
  const StoreState& store = segment_.store();
  uint64_t limit = segment_.header().memory_limit;
  uint64_t wanted = shm::weight_of(size, 0);
  if (wanted > limit) return Room::kNever;
  uint64_t kept = store.charged_bytes - store.evictable_bytes;
  if (kept + wanted <= limit) return Room::kSome;
  uint64_t listed = store.listed_bytes - store.evictable_bytes;
  return can_spill(segment_) && kept - listed + wanted <= limit ? Room::kBySpilling : Room::kNone;
}

WaitingClients Objects::take_waiting() {
  WaitingClients taken = waiting_;
  waiting_ = {};
  return taken;
}

void Objects::watch(uint32_t bucket) { lock_.set_bit(segment_.store().waiters[bucket], client_); }

void Objects::unwatch(uint32_t bucket) {
  lock_.clear_bit(segment_.store().waiters[bucket], client_);
}

void Objects::changed(uint32_t bucket) {
  const uint64_t* waiters = segment_.store().waiters[bucket];
  for (uint32_t i = 0; i < shm::kHolderWords; ++i) waiting_.words[i] |= waiters[i];
}

bool Objects::on_lru(const ObjectEntry& entry) const {
  return entry.state == ObjectState::kSealed && !is_pinned(entry) && !is_given_up(entry) &&
         !is_kept(entry);
}

void Objects::leave_lru(uint32_t index) {
  if (on_lru(segment_.entry(index))) clru_.remove(index);
}

void Objects::link_id(uint32_t index) {
  ObjectEntry& entry = segment_.entry(index);
  uint32_t& head = segment_.hash_head(entry.id);
  lock_.set(entry.hash_next, head);
  lock_.set(head, index);
}

void Objects::unlink_id(uint32_t index) {
  ObjectEntry& entry = segment_.entry(index);
  uint32_t* link = &segment_.hash_head(entry.id);
  Hops hops(segment_.entries().capacity());
  while (*link != index) {
    link = &segment_.entry(*link).hash_next;
    hops.next();
  }
  lock_.set(*link, entry.hash_next);
}

// The id is written outside the log: a row that is not linked has no reader.
uint32_t Objects::new_entry(const ObjectId& id, uint64_t now_ms) {
  uint32_t index = shm::table_take(lock_, segment_.entries());
  ObjectEntry& entry = segment_.entry(index);
  require(entry.state == ObjectState::kFree, "an entry is free and in use");
  entry.id = id;
  lock_.add(entry.generation, 1);
  lock_.set(entry.size, 0);
  lock_.set(entry.metadata_size, 0);
  lock_.set(entry.created_at, now_ms);
  lock_.set(entry.block, kNone);
  lock_.set(entry.edges, kNone);
  lock_.set(entry.flags, 0);
  lock_.set(entry.creator, kNoClient);
  lock_.set(entry.promiser, kNoClient);
  lock_.set(entry.copy_file, kNone);
  link_id(index);
  return index;
}

void Objects::attach_block(uint32_t index, uint64_t size, uint32_t metadata_size) {
  ObjectEntry& entry = segment_.entry(index);
  uint64_t bytes = shm::weight_of(size, metadata_size);
  uint32_t block = allocator_.allocate(bytes / shm::kUnit, alignment(bytes), client_);
  require(block != kNone, "a hole that was there is gone");
  lock_.set(segment_.block(block).owner, index);
  lock_.set(segment_.block(block).last_client, client_);
  lock_.set(entry.block, block);
  lock_.set(entry.size, size);
  lock_.set(entry.metadata_size, metadata_size);
  lock_.add(segment_.store().charged_bytes, bytes);
}

void Objects::detach_block(uint32_t index) {
  ObjectEntry& entry = segment_.entry(index);
  block_of(segment_, index);
  lock_.subtract(segment_.store().charged_bytes, weight(entry));
  allocator_.free(entry.block);
  lock_.set(entry.block, kNone);
  changed(shm::kRoomBucket);
}

// Off the LRU list, unpinned and not being written: the bytes go now, the row too unless a ref
// still names it.
void Objects::lose_or_free(uint32_t index) {
  ObjectEntry& entry = segment_.entry(index);
  if (entry.state == ObjectState::kSealed || entry.state == ObjectState::kSpilled) {
    bool has_block = entry.state == ObjectState::kSealed;
    lock_.subtract(has_block ? segment_.store().sealed : segment_.store().spilled, 1);
    if (has_block) detach_block(index);
    if (has_copy(entry)) drop_copy(index);
    lock_.set(entry.state, ObjectState::kLost);
    if (is_referenced(entry)) let_go_of_contained(index);
    changed(entry.id);
  } else if (entry.state == ObjectState::kPromised) {
    lock_.set(entry.state, ObjectState::kLost);
    changed(entry.id);
  }
  if (!is_referenced(entry)) free_entry(index);
}

void Objects::free_entry(uint32_t index) {
  ObjectEntry& entry = segment_.entry(index);
  if ((entry.flags & kDeleted) == 0) unlink_id(index);
  if (entry.edges == kNone) {
    recycle(index);
    return;
  }
  lock_.set(entry.state, ObjectState::kFreeing);
  let_go_of_contained(index);
}

void Objects::recycle(uint32_t index) {
  lock_.set(segment_.entry(index).state, ObjectState::kFree);
  shm::table_give_back(lock_, segment_.entries(), index);
}

}  // namespace mobula::store
