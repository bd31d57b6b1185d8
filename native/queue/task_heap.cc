#include "queue/task_heap.h"

#include <utility>

namespace mobula::queue {

using shm::Cell;
using shm::kNone;

void TaskHeap::push(uint32_t& root, uint32_t task) {
  Cell& cell = segment_.cell(task);
  cell.next = kNone;
  cell.right = kNone;
  cell.rank = 1;
  uint32_t merged = merge(root, task, kNone);
  lock_.set(root, merged);
}

void TaskHeap::remove(uint32_t& root, uint32_t task) {
  const Cell& cell = segment_.cell(task);
  uint32_t parent = cell.prev;
  uint32_t heir = merge(cell.next, cell.right, parent);
  if (parent == kNone) {
    lock_.set(root, heir);
    return;
  }
  Cell& above = segment_.cell(parent);
  lock_.set(above.next == task ? above.next : above.right, heir);
  while (parent != kNone && set_rank(parent)) parent = segment_.cell(parent).prev;
}

// Two heaps into one whose root is a child of `parent`.
uint32_t TaskHeap::merge(uint32_t a, uint32_t b, uint32_t parent) {
  if (a == kNone) std::swap(a, b);
  if (a == kNone) return kNone;
  if (b != kNone && goes_before(segment_.cell(b), segment_.cell(a))) std::swap(a, b);
  lock_.set(segment_.cell(a).prev, parent);
  if (b == kNone) return a;
  uint32_t last = a;
  for (uint32_t next = segment_.cell(a).right; next != kNone; next = segment_.cell(last).right) {
    if (goes_before(segment_.cell(b), segment_.cell(next))) std::swap(b, next);
    set_right(last, next);
    last = next;
  }
  set_right(last, b);
  for (uint32_t task = last; task != parent; task = segment_.cell(task).prev) set_rank(task);
  return a;
}

void TaskHeap::set_right(uint32_t task, uint32_t child) {
  lock_.set(segment_.cell(task).right, child);
  lock_.set(segment_.cell(child).prev, task);
}

// Puts the child of the higher rank to the left. False when the rank is as it was.
bool TaskHeap::set_rank(uint32_t task) {
  Cell& cell = segment_.cell(task);
  uint32_t left = cell.next, right = cell.right;
  if (rank_of(left) < rank_of(right)) {
    std::swap(left, right);
    lock_.set(cell.next, left);
    lock_.set(cell.right, right);
  }
  auto rank = static_cast<uint8_t>(rank_of(right) + 1);
  if (cell.rank == rank) return false;
  lock_.set(cell.rank, rank);
  return true;
}

uint32_t TaskHeap::rank_of(uint32_t task) const {
  return task == kNone ? 0 : segment_.cell(task).rank;
}

}  // namespace mobula::queue
