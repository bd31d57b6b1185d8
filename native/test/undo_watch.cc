#include "test/undo_watch.h"

#include <stddef.h>
#include <string.h>

#include <algorithm>
#include <atomic>
#include <string_view>

#include "test/fail_points.h"

namespace mobula::test {
namespace {

using shm::Cell;
using shm::ClientSlot;
using shm::kNone;
using shm::ObjectEntry;
using shm::QueueState;
using shm::StoreState;
using shm::UndoEntry;

std::atomic<UndoWatch*> current{nullptr};

template <class T>
T read_at(const std::vector<uint8_t>& bytes, uint64_t at) {
  T value;
  memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

UndoWatch::UndoWatch(ObjectStore& store) : client_(store.client()), segment_(client_->segment()) {
  store_.lock = &segment_.store().lock;
  queue_.lock = &segment_.queue().lock;
  shm::LockGuard store_guard(client_->store_lock());
  read(store_);
  if (segment_.header().has_queue) {
    shm::LockGuard queue_guard(client_->queue_lock());
    read(queue_);
  }
  REQUIRE(current.exchange(this) == nullptr);
  at_fail_points(committing);
}

UndoWatch::~UndoWatch() {
  at_fail_points(nullptr);
  current = nullptr;
  // Whoever is still in the hook holds a lock.
  shm::LockGuard store_guard(client_->store_lock());
  if (!segment_.header().has_queue) return;
  shm::LockGuard queue_guard(client_->queue_lock());
}

void UndoWatch::committing(port::FailPoint point, const void* lock) {
  UndoWatch* watch = current;
  if (point != port::FailPoint::kCommitting || watch == nullptr) return;
  // The keeper of an earlier store may still be at its end.
  if (lock != watch->store_.lock && lock != watch->queue_.lock) return;
  Domain& domain = lock == watch->store_.lock ? watch->store_ : watch->queue_;
  if (watch->compare(domain)) watch->read(domain);
  ++watch->commits_;
}

void UndoWatch::read(Domain& domain) {
  domain.ranges.clear();
  const shm::Header& header = segment_.header();
  const StoreState& store = segment_.store();
  if (domain.lock == &store.lock) {
    uint64_t after_lock = offsetof(StoreState, entries);
    add(domain, "store", header.store_offset + after_lock, sizeof store - after_lock, 1);
    add(domain, "client", header.clients_offset, sizeof(ClientSlot), shm::kMaxClients);
    add(domain, "hash head", header.heads_offset, 4, header.hash_heads);
    add(domain, "chunk bits", header.chunks_offset, 8,
        shm::round_up(header.data_size / shm::kChunk, 64) / 64);
    add(domain, "entry", store.entries.offset, store.entries.stride, store.entries.used);
    add(domain, "block", store.blocks.offset, store.blocks.stride, store.blocks.used);
    add(domain, "edge", store.edges.offset, store.edges.stride, store.edges.used);
    add(domain, "file", store.files.offset, store.files.stride, store.files.used);
    return;
  }
  const QueueState& queue = segment_.queue();
  uint64_t after_lock = offsetof(QueueState, cells);
  add(domain, "queue", header.queue_offset + after_lock, sizeof queue - after_lock, 1);
  add(domain, "actor", queue.actors.offset, queue.actors.stride, queue.actors.used);
  add(domain, "cell", queue.cells.offset, queue.cells.stride, queue.cells.used);
}

void UndoWatch::add(Domain& domain, const char* name, uint64_t offset, uint64_t stride,
                    uint64_t rows) {
  const uint8_t* start = segment_.base() + offset;
  domain.ranges.push_back({name, offset, stride, {start, start + stride * rows}});
}

bool UndoWatch::compare(const Domain& domain) {
  bool changed = false;
  for (const Range& before : domain.ranges) {
    const uint8_t* start = segment_.base() + before.offset;
    if (std::equal(before.bytes.begin(), before.bytes.end(), start)) continue;
    changed = true;
    std::vector<uint8_t> undone(start, start + before.bytes.size());
    for (uint64_t left = domain.lock->count; left > 0; --left) {
      const UndoEntry& entry = domain.lock->entries[left - 1];
      uint64_t at = (entry.where >> 4) - before.offset;
      if (entry.where >> 4 < before.offset || at >= undone.size()) continue;
      memcpy(undone.data() + at, &entry.old_value, entry.where & 15);
    }
    expect_same(before, undone);
  }
  return changed;
}

void UndoWatch::expect_same(const Range& before, const std::vector<uint8_t>& undone) {
  if (undone == before.bytes) return;
  for (uint64_t at = 0; at < undone.size(); ++at) {
    if (undone[at] == before.bytes[at] || !is_logged(before, at)) continue;
    fail(__FILE__, __LINE__,
         std::string("an undo would not bring back byte ") + show(at % before.stride) + " of " +
             before.name + " " + show(at / before.stride));
    finish();
  }
}

bool UndoWatch::is_logged(const Range& before, uint64_t at) const {
  uint64_t row = at / before.stride, byte = at % before.stride;
  std::string_view name = before.name;
  if (name == "client") {
    return byte >= offsetof(ClientSlot, state) && byte < offsetof(ClientSlot, notify);
  }
  if (name == "entry" && byte < sizeof(ObjectId)) return !entry_is_free(before, row);
  if (name == "cell") {
    bool is_link = byte < sizeof(uint32_t);
    static_assert(offsetof(Cell, free_next) == 0);
    return cell_is_free(row) == is_link;
  }
  return true;
}

bool UndoWatch::entry_is_free(const Range& before, uint64_t row) const {
  auto state =
      read_at<shm::ObjectState>(before.bytes, row * before.stride + offsetof(ObjectEntry, state));
  return state == shm::ObjectState::kFree;
}

bool UndoWatch::cell_is_free(uint64_t row) const {
  const Range& state = queue_.ranges[0];
  const Range& cells = queue_.ranges[2];
  auto table = read_at<shm::Table>(state.bytes, 0);
  for (uint32_t i = table.free_head; i != kNone;) {
    if (i == row) return true;
    i = read_at<uint32_t>(cells.bytes, i * cells.stride + offsetof(Cell, free_next));
  }
  return false;
}

}  // namespace mobula::test
