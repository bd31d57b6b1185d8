#include "shm/allocator.h"

#include <bit>

#include "shm/table.h"

namespace mobula::shm {
namespace {

constexpr uint32_t kSecondBits = 5;
constexpr int kProbes = 8;

bool fits(const Block& block, uint64_t units, uint64_t align) {
  require(block.state == BlockState::kFree, "a block in a bin is not free");
  uint64_t start = round_up(block.start, align);
  return start + units <= block.start + block.units;
}

}  // namespace

// Sizes below 32 units have a bin each; above, every power of two is cut into 32 bins.
void Allocator::bin_of(uint64_t units, uint32_t* first, uint32_t* second) {
  if (units < kSecondLevels) {
    *first = 0;
    *second = static_cast<uint32_t>(units);
    return;
  }
  auto log2 = static_cast<uint32_t>(std::bit_width(units) - 1);
  *first = log2 - kSecondBits + 1;
  *second = static_cast<uint32_t>(units >> (log2 - kSecondBits)) - kSecondLevels;
}

void Allocator::format() {
  uint32_t index = new_block();
  Block& block = segment_.block(index);
  lock_.set(block.start, 0);
  lock_.set(block.units, segment_.header().data_size / kUnit);
  lock_.set(block.prev, kNone);
  lock_.set(block.next, kNone);
  link(index);
}

uint32_t Allocator::allocate(uint64_t units, uint64_t align, uint32_t client) {
  uint32_t index = find(units, align, client);
  if (index == kNone) return kNone;
  uint64_t start = segment_.block(index).start;
  return take(index, round_up(start, align) - start, units);
}

uint32_t Allocator::take(uint32_t index, uint64_t lead, uint64_t units) {
  const Block& block = segment_.block(index);
  require(block.state == BlockState::kFree && lead <= block.units && units <= block.units - lead,
          "a block is in the wrong bin");
  unlink(index);
  if (lead > 0) {
    uint32_t aligned = split(index, lead);
    link(index);
    index = aligned;
  }
  if (segment_.block(index).units > units) link(split(index, units));
  lock_.set(segment_.block(index).state, BlockState::kUsed);
  return index;
}

void Allocator::free(uint32_t index) {
  require(segment_.block(index).state == BlockState::kUsed, "a block is freed twice");
  uint32_t prev = segment_.block(index).prev;
  uint32_t next = segment_.block(index).next;
  lock_.set(segment_.block(index).owner, kNone);
  if (next != kNone && segment_.block(next).state == BlockState::kFree) {
    unlink(next);
    index = absorb_next(index);
  }
  if (prev != kNone && segment_.block(prev).state == BlockState::kFree) {
    unlink(prev);
    index = absorb_next(prev);
  }
  link(index);
}

uint64_t Allocator::largest_free_units() const {
  uint64_t levels = bins().first_level;
  if (levels == 0) return 0;
  auto first = static_cast<uint32_t>(std::bit_width(levels) - 1);
  auto second = static_cast<uint32_t>(std::bit_width(second_level(first)) - 1);
  uint64_t largest = 0;
  Hops hops(segment_.blocks().capacity());
  for (uint32_t i = head(first, second); i != kNone; i = segment_.block(i).bin_next) {
    if (segment_.block(i).units > largest) largest = segment_.block(i).units;
    hops.next();
  }
  return largest;
}

// The exact bin may hold blocks that are a little too small, so a few of it are tried; any block of
// a bin above that of units + align - 1 is large enough. Constant time, unless nothing is found.
uint32_t Allocator::find(uint64_t units, uint64_t align, uint32_t client) const {
  uint32_t first, second;
  bin_of(units, &first, &second);
  uint32_t found = probe(head(first, second), units, align, client);
  if (found != kNone) return found;
  bin_of(units + align - 1, &first, &second);
  uint32_t above = first_at_or_above(first, second + 1);
  return above != kNone ? probe(above, units, align, client) : search(units, align);
}

uint32_t Allocator::probe(uint32_t head, uint64_t units, uint64_t align, uint32_t client) const {
  uint32_t fitting = kNone;
  uint32_t candidate = head;
  for (int i = 0; candidate != kNone && i < kProbes; ++i) {
    const Block& block = segment_.block(candidate);
    if (fits(block, units, align)) {
      if (block.last_client == client) return candidate;
      if (fitting == kNone) fitting = candidate;
    }
    candidate = block.bin_next;
  }
  return fitting;
}

// Every block of the bins between those that were probed and those known to be too small.
uint32_t Allocator::search(uint64_t units, uint64_t align) const {
  uint32_t first, second, last_first, last_second;
  bin_of(units, &first, &second);
  bin_of(units + align - 1, &last_first, &last_second);
  Hops hops(segment_.blocks().capacity());
  while (first < last_first || (first == last_first && second <= last_second)) {
    for (uint32_t i = head(first, second); i != kNone; i = segment_.block(i).bin_next) {
      if (fits(segment_.block(i), units, align)) return i;
      hops.next();
    }
    if (++second == kSecondLevels) {
      ++first;
      second = 0;
    }
  }
  return kNone;
}

uint32_t Allocator::first_at_or_above(uint32_t first, uint32_t second) const {
  uint32_t in_level = second < kSecondLevels ? second_level(first) >> second << second : 0;
  if (in_level == 0) {
    uint64_t levels = bins().first_level >> (first + 1) << (first + 1);
    if (levels == 0) return kNone;
    first = static_cast<uint32_t>(std::countr_zero(levels));
    in_level = second_level(first);
    require(in_level != 0, "the bitmaps of the free blocks disagree");
  }
  return head(first, static_cast<uint32_t>(std::countr_zero(in_level)));
}

uint32_t& Allocator::second_level(uint32_t first) const {
  require(first < kFirstLevels, "the bitmap of the free blocks is wrong");
  return bins().second_level[first];
}

uint32_t& Allocator::head(uint32_t first, uint32_t second) const {
  require(first < kFirstLevels && second < kSecondLevels, "the bitmap of the free blocks is wrong");
  return bins().heads[first][second];
}

// Newly freed blocks go to the front: memory that was just used is warm.
void Allocator::link(uint32_t index) {
  Block& block = segment_.block(index);
  uint32_t first, second;
  bin_of(block.units, &first, &second);
  uint32_t& bin = head(first, second);
  lock_.set(block.state, BlockState::kFree);
  lock_.set(block.bin_prev, kNone);
  lock_.set(block.bin_next, bin);
  if (bin != kNone) lock_.set(segment_.block(bin).bin_prev, index);
  lock_.set(bin, index);
  lock_.set(second_level(first), second_level(first) | 1u << second);
  lock_.set(bins().first_level, bins().first_level | uint64_t{1} << first);
}

void Allocator::unlink(uint32_t index) {
  Block& block = segment_.block(index);
  uint32_t first, second;
  bin_of(block.units, &first, &second);
  if (block.bin_next != kNone) {
    Block& next = segment_.block(block.bin_next);
    require(next.bin_prev == index, "a bin has a wrong link");
    lock_.set(next.bin_prev, block.bin_prev);
  }
  uint32_t& link =
      block.bin_prev == kNone ? head(first, second) : segment_.block(block.bin_prev).bin_next;
  require(link == index, "a bin has a wrong link");
  lock_.set(link, block.bin_next);
  if (block.bin_prev != kNone || block.bin_next != kNone) return;
  lock_.set(second_level(first), second_level(first) & ~(1u << second));
  if (second_level(first) != 0) return;
  lock_.set(bins().first_level, bins().first_level & ~(uint64_t{1} << first));
}

// Cuts an unlinked block after `units`; returns the rest, in no bin.
uint32_t Allocator::split(uint32_t index, uint64_t units) {
  uint32_t rest_index = new_block();
  Block& block = segment_.block(index);
  Block& rest = segment_.block(rest_index);
  lock_.set(rest.start, block.start + units);
  lock_.set(rest.units, block.units - units);
  lock_.set(rest.prev, index);
  lock_.set(rest.next, block.next);
  if (block.next != kNone) lock_.set(segment_.block(block.next).prev, rest_index);
  lock_.set(block.next, rest_index);
  lock_.set(block.units, units);
  return rest_index;
}

uint32_t Allocator::absorb_next(uint32_t index) {
  Block& block = segment_.block(index);
  uint32_t next_index = block.next;
  Block& next = segment_.block(next_index);
  require(next.start == block.start + block.units, "two blocks are no neighbours");
  lock_.set(block.units, block.units + next.units);
  lock_.set(block.next, next.next);
  if (next.next != kNone) lock_.set(segment_.block(next.next).prev, index);
  drop_block(next_index);
  return index;
}

uint32_t Allocator::new_block() {
  uint32_t index = table_take(lock_, segment_.blocks());
  Block& block = segment_.block(index);
  require(block.state == BlockState::kUnused, "a block is free and in use");
  lock_.set(block.owner, kNone);
  return index;
}

void Allocator::drop_block(uint32_t index) {
  lock_.set(segment_.block(index).state, BlockState::kUnused);
  table_give_back(lock_, segment_.blocks(), index);
}

}  // namespace mobula::shm
