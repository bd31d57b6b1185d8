// The edges that pins, references and containers take.

#include <cassert>

#include "shm/table.h"
#include "store/entry.h"
#include "store/objects.h"

namespace mobula::store {

using shm::Edge;
using shm::Hops;
using shm::kManaged;
using shm::kNone;
using shm::ObjectEntry;
using shm::ObjectState;
using shm::require;
using shm::StoreState;

void Objects::pin(uint32_t index) {
  if (holds_[index].pins == 0) set_pin_bit(index, client_);
  ++holds_[index].pins;
}

void Objects::unpin(uint32_t index) {
  assert(holds_[index].pins > 0);
  if (holds_[index].pins == 1) clear_pin_bit(index, client_);
  --holds_[index].pins;
}

void Objects::add_ref(uint32_t index) {
  if (holds_[index].refs == 0) add_ref_for(index, client_);
  ++holds_[index].refs;
}

void Objects::add_ref_for(uint32_t index, uint32_t client) {
  ObjectEntry& entry = segment_.entry(index);
  bool evictable = on_lru(entry) && clru_.may_evict(entry);
  if (entry.id.is_system()) leave_lru(index);
  lock_.set(entry.flags, entry.flags | kManaged);
  lock_.set_bit(entry.refs, client);
  if (on_lru(entry)) clru_.references_changed(index, evictable);
}

void Objects::drop_ref(uint32_t index) {
  assert(holds_[index].refs > 0);
  if (holds_[index].refs == 1) clear_ref_bit(index, client_);
  --holds_[index].refs;
}

void Objects::contain(uint32_t container, uint32_t contained) {
  uint32_t index = shm::table_take(lock_, segment_.edges());
  Edge& edge = segment_.edge(index);
  ObjectEntry& target = segment_.entry(contained);
  bool evictable = on_lru(target) && clru_.may_evict(target);
  if (target.id.is_system()) leave_lru(contained);
  lock_.set(edge.contained, contained);
  lock_.set(edge.next, segment_.entry(container).edges);
  lock_.set(segment_.entry(container).edges, index);
  lock_.set(target.flags, target.flags | kManaged);
  lock_.add(target.contained_by, 1);
  if (on_lru(target)) clru_.references_changed(contained, evictable);
}

void Objects::forget_client(uint32_t index, uint32_t client) {
  ObjectEntry& entry = segment_.entry(index);
  if (entry.state == ObjectState::kCreated && entry.creator == client) {
    abort(index);
    finish_freeing();
  }
  if (entry.state == ObjectState::kRestoring && entry.creator == client) {
    not_restored(index, false);
    finish_freeing();
  }
  if (entry.state != ObjectState::kFree && entry.promiser == client) {
    lock_.set(entry.promiser, kNoClient);
    if (entry.state == ObjectState::kPromised) {
      lock_.set(entry.state, ObjectState::kLost);
      changed(entry.id);
    }
  }
  if (shm::test_bit(entry.pins, client)) {
    clear_pin_bit(index, client);
    finish_freeing();
  }
  if (shm::test_bit(entry.refs, client)) clear_ref_bit(index, client);
}

void Objects::finish_freeing() {
  StoreState& store = segment_.store();
  Hops hops(uint64_t{segment_.entries().capacity()} + segment_.edges().capacity());
  for (; store.freeing_head != kNone; hops.next()) {
    uint32_t index = store.freeing_head;
    ObjectEntry& entry = segment_.entry(index);
    if (entry.edges == kNone) {
      lock_.set(store.freeing_head, entry.lru_prev);
      if (entry.state == ObjectState::kFreeing) recycle(index);
      lock_.commit();
      continue;
    }
    uint32_t edge_index = entry.edges;
    Edge& edge = segment_.edge(edge_index);
    uint32_t target = edge.contained;
    lock_.set(entry.edges, edge.next);
    shm::table_give_back(lock_, segment_.edges(), edge_index);
    ObjectEntry& contained = segment_.entry(target);
    require(contained.contained_by > 0, "what an object contains is miscounted");
    bool evictable = on_lru(contained) && clru_.may_evict(contained);
    lock_.subtract(contained.contained_by, 1);
    if (on_lru(contained)) clru_.references_changed(target, evictable);
    free_if_unheld(target);
    lock_.commit();
    port::fail_point(port::FailPoint::kFreed);
  }
}

void Objects::set_pin_bit(uint32_t index, uint32_t client) {
  StoreState& store = segment_.store();
  ObjectEntry& entry = segment_.entry(index);
  if (!is_pinned(entry)) {
    leave_lru(index);
    lock_.add(store.pinned_objects, 1);
    lock_.add(store.pinned_bytes, weight(entry));
  }
  lock_.set_bit(entry.pins, client);
}

void Objects::clear_pin_bit(uint32_t index, uint32_t client) {
  StoreState& store = segment_.store();
  ObjectEntry& entry = segment_.entry(index);
  lock_.clear_bit(entry.pins, client);
  if (is_pinned(entry)) return;
  lock_.subtract(store.pinned_objects, 1);
  lock_.subtract(store.pinned_bytes, weight(entry));
  if (is_garbage(entry)) {
    lose_or_free(index);
  } else if (!is_kept(entry)) {
    clru_.add_youngest(index);
    changed(shm::kRoomBucket);
  }
}

void Objects::clear_ref_bit(uint32_t index, uint32_t client) {
  ObjectEntry& entry = segment_.entry(index);
  bool evictable = on_lru(entry) && clru_.may_evict(entry);
  lock_.clear_bit(entry.refs, client);
  if (on_lru(entry)) clru_.references_changed(index, evictable);
  free_if_unheld(index);
}

void Objects::free_if_unheld(uint32_t index) {
  ObjectEntry& entry = segment_.entry(index);
  if (is_referenced(entry) || !is_garbage(entry)) return;
  if (is_written(entry) || is_pinned(entry)) return;
  leave_lru(index);
  lose_or_free(index);
}

// By finish_freeing(), as there may be many.
void Objects::let_go_of_contained(uint32_t index) {
  ObjectEntry& entry = segment_.entry(index);
  if (entry.edges == kNone) return;
  StoreState& store = segment_.store();
  lock_.set(entry.lru_prev, store.freeing_head);
  lock_.set(store.freeing_head, index);
}

}  // namespace mobula::store
