#include "queue/records.h"

#include <algorithm>
#include <cstring>

#include "shm/table.h"

namespace mobula::queue {

using shm::Cell;
using shm::kHeadPayload;
using shm::kMorePayload;
using shm::kNone;
using shm::List;
using shm::MoreCell;
using shm::Table;

namespace {

MoreCell& as_more(Cell& cell) { return reinterpret_cast<MoreCell&>(cell); }

}  // namespace

uint32_t Records::cells_for(uint32_t length) {
  if (length <= kHeadPayload) return 1;
  return 1 + (length - kHeadPayload + kMorePayload - 1) / kMorePayload;
}

bool Records::has_room_for(uint32_t length) const {
  return segment_.cells().has(cells_for(length));
}

uint32_t Records::create(const uint8_t* payload, uint32_t length) {
  Table& cells = segment_.queue().cells;
  uint32_t free_head = cells.free_head, used = cells.used, reused = 0;
  auto take = [&] {
    if (free_head == kNone) return used++;
    uint32_t index = free_head;
    free_head = segment_.cell(index).free_next;
    ++reused;
    return index;
  };
  uint32_t head = take();
  Cell& cell = segment_.cell(head);
  uint32_t part = std::min(length, kHeadPayload);
  std::memcpy(cell.payload, payload, part);
  cell.length = length;
  cell.more = kNone;
  uint32_t* link = &cell.more;
  for (uint32_t done = part; done < length; done += part) {
    uint32_t index = take();
    MoreCell& more = as_more(segment_.cell(index));
    part = std::min(length - done, kMorePayload);
    std::memcpy(more.payload, payload + done, part);
    more.more = kNone;
    *link = index;
    link = &more.more;
  }
  if (reused > 0) set_free(cells, free_head, cells.free_count - reused);
  lock_.set(cells.used, used);
  return head;
}

// A cell in use has no meaningful free_next, so the chain of them is written outside the log.
void Records::free(uint32_t record) {
  Table& cells = segment_.queue().cells;
  uint32_t free_head = cells.free_head, freed = 0;
  for (uint32_t index = record; index != kNone; index = segment_.cell(index).more) {
    segment_.cell(index).free_next = free_head;
    free_head = index;
    ++freed;
  }
  set_free(cells, free_head, cells.free_count + freed);
}

void Records::copy_payload(uint32_t record, uint8_t* out) const {
  Cell& cell = segment_.cell(record);
  uint32_t left = cell.length;
  uint32_t part = std::min(left, kHeadPayload);
  std::memcpy(out, cell.payload, part);
  uint32_t index = cell.more;
  while ((left -= part) > 0) {
    out += part;
    MoreCell& more = as_more(segment_.cell(index));
    part = std::min(left, kMorePayload);
    std::memcpy(out, more.payload, part);
    index = more.more;
  }
}

void Records::set_free(Table& cells, uint32_t head, uint32_t count) {
  static_assert(offsetof(Table, free_head) % 8 == 0);
  static_assert(offsetof(Table, free_count) == offsetof(Table, free_head) + 4);
  lock_.set_both(cells.free_head, cells.free_count, head, count);
}

void Records::push(List& list, uint32_t record) {
  Cell& cell = segment_.cell(record);
  static_assert(offsetof(Cell, next) % 8 == 0 && offsetof(Cell, prev) == offsetof(Cell, next) + 4);
  lock_.set_both(cell.next, cell.prev, kNone, list.tail);
  append(list, record);
}

void Records::push_new(List& list, uint32_t record) {
  Cell& cell = segment_.cell(record);
  cell.next = kNone;
  cell.prev = list.tail;
  append(list, record);
}

void Records::append(List& list, uint32_t record) {
  if (list.tail != kNone) {
    lock_.set(segment_.cell(list.tail).next, record);
  } else {
    lock_.set(list.head, record);
  }
  static_assert(offsetof(List, tail) % 8 == 0 && offsetof(List, count) == offsetof(List, tail) + 4);
  lock_.set_both(list.tail, list.count, record, list.count + 1);
}

void Records::insert(List& list, uint32_t after, uint32_t record) {
  uint32_t next = after == kNone ? list.head : segment_.cell(after).next;
  if (next == kNone) return push(list, record);
  Cell& cell = segment_.cell(record);
  lock_.set_both(cell.next, cell.prev, next, after);
  lock_.set(segment_.cell(next).prev, record);
  if (after == kNone) {
    lock_.set(list.head, record);
  } else {
    lock_.set(segment_.cell(after).next, record);
  }
  lock_.add(list.count, 1);
}

// Nothing links to a record that has left its list, be it free by now.
bool Records::is_on(const List& list, uint32_t record) const {
  uint32_t prev = segment_.cell(record).prev;
  return (prev == kNone ? list.head : segment_.cell(prev).next) == record;
}

void Records::remove(List& list, uint32_t record) {
  Cell& cell = segment_.cell(record);
  if (cell.prev != kNone) {
    lock_.set(segment_.cell(cell.prev).next, cell.next);
  } else {
    lock_.set(list.head, cell.next);
  }
  if (cell.next != kNone) {
    lock_.set(segment_.cell(cell.next).prev, cell.prev);
  } else {
    lock_.set(list.tail, cell.prev);
  }
  lock_.subtract(list.count, 1);
}

void Records::splice(List& list, List& from) {
  if (from.count == 0) return;
  if (list.tail != kNone) {
    lock_.set(segment_.cell(list.tail).next, from.head);
    lock_.set(segment_.cell(from.head).prev, list.tail);
  } else {
    lock_.set(list.head, from.head);
  }
  lock_.set(list.tail, from.tail);
  lock_.add(list.count, from.count);
  lock_.set(from.head, kNone);
  lock_.set(from.tail, kNone);
  lock_.set(from.count, 0);
}

}  // namespace mobula::queue
