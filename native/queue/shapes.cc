#include "queue/shapes.h"

#include <string.h>

#include <bit>

namespace mobula::queue {

using shm::Cell;
using shm::kNone;
using shm::QueueState;
using shm::Shape;

namespace {

bool same(const Shape& a, const Shape& b) {
  return a.kind == b.kind && a.resources == b.resources &&
         memcmp(a.amounts, b.amounts, sizeof a.amounts) == 0;
}

bool is_empty(const Shape& shape) { return shape.queue.count == 0 && shape.heap_count == 0; }

}  // namespace

Status Shapes::find(uint32_t kind, const std::vector<Amount>& amounts, uint32_t* index) {
  QueueState& state = segment_.queue();
  Shape wanted{};
  wanted.kind = kind;
  if (Status s = resources_.measure(amounts, &wanted); !s.is_ok()) return s;
  *index = 0;
  while (*index < state.shapes_used && !same(state.shapes[*index], wanted)) ++*index;
  if (*index < state.shapes_used) return Status::ok();
  if (*index == shm::kMaxShapes) {
    return {Code::kFull, "the runtime has seen " + std::to_string(shm::kMaxShapes) +
                             " different demands for resources: round cpus, gpus and resources of "
                             "tasks to fewer"};
  }
  Shape& shape = state.shapes[*index];
  lock_.set(shape.kind, kind);
  lock_.set(shape.resources, wanted.resources);
  for (uint32_t i = 0; i < shm::kMaxResources; ++i) lock_.set(shape.amounts[i], wanted.amounts[i]);
  lock_.set(shape.queue.head, kNone);
  lock_.set(shape.queue.tail, kNone);
  lock_.set(shape.heap, kNone);
  lock_.add(state.shapes_used, 1);
  return Status::ok();
}

void Shapes::push(uint32_t task) {
  const Cell& cell = segment_.cell(task);
  Shape& shape = segment_.queue().shapes[cell.target];
  if (priority_of(cell) == 0) {
    records_.push_new(shape.queue, task);
  } else {
    heap_.push(shape.heap, task);
    lock_.add(shape.heap_count, 1);
  }
  lock_.set_bit(segment_.queue().nonempty[shape.kind], cell.target);
}

void Shapes::remove(uint32_t task) {
  const Cell& cell = segment_.cell(task);
  QueueState& state = segment_.queue();
  Shape& shape = state.shapes[cell.target];
  if (priority_of(cell) == 0) {
    records_.remove(shape.queue, task);
  } else {
    heap_.remove(shape.heap, task);
    lock_.subtract(shape.heap_count, 1);
  }
  if (is_empty(shape)) lock_.clear_bit(state.nonempty[shape.kind], cell.target);
}

template <class Visit>
void Shapes::for_each_nonempty(uint32_t kind, const Visit& visit) const {
  const QueueState& state = segment_.queue();
  for (uint32_t word = 0; word * 64 < state.shapes_used; ++word) {
    for (uint64_t left = state.nonempty[kind][word]; left != 0; left &= left - 1) {
      visit(state.shapes[word * 64 + static_cast<uint32_t>(std::countr_zero(left))]);
    }
  }
}

uint32_t Shapes::first(uint32_t kind) const {
  uint32_t best = kNone;
  for_each_nonempty(kind, [&](const Shape& shape) {
    bool heap_goes_first = shape.heap != kNone &&
                           (shape.queue.count == 0 || priority_of(segment_.cell(shape.heap)) > 0);
    uint32_t task = heap_goes_first ? shape.heap : shape.queue.head;
    if (best != kNone && goes_before(segment_.cell(best), segment_.cell(task))) return;
    if (resources_.affords(shape)) best = task;
  });
  return best;
}

uint64_t Shapes::queued(uint32_t kind) const {
  uint64_t tasks = 0;
  for_each_nonempty(
      kind, [&](const Shape& shape) { tasks += shape.queue.count + uint64_t{shape.heap_count}; });
  return tasks;
}

}  // namespace mobula::queue
