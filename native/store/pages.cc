#include "store/pages.h"

#include <algorithm>
#include <bit>

#include "shm/table.h"

namespace mobula::store {

using shm::Block;
using shm::kChunk;
using shm::kNone;
using shm::kUnit;
using shm::StoreState;

namespace {

constexpr uint64_t kUnitsPerChunk = kChunk / kUnit;
constexpr uint64_t kStep = 16;  // chunks, 4 MiB: a few milliseconds when they are cold
constexpr uint32_t kBlocksLookedAt = 1024;
constexpr uint64_t kSlackShare = 8;   // of `memory`
constexpr uint64_t kLeastSlack = 16;  // chunks

}  // namespace

Pages::Chunks Pages::under(const Extent& extent) {
  uint64_t end = extent.start + extent.units;
  return {extent.start / kUnitsPerChunk, (end + kUnitsPerChunk - 1) / kUnitsPerChunk};
}

Pages::Chunks Pages::within(const Extent& extent) {
  uint64_t first = (extent.start + kUnitsPerChunk - 1) / kUnitsPerChunk;
  return {first, std::max(first, (extent.start + extent.units) / kUnitsPerChunk)};
}

// The first chunk of that kind, or the end.
uint64_t Pages::next(bool warm, const Chunks& among) const {
  for (uint64_t chunk = among.first; chunk < among.end;) {
    uint64_t word = segment_.chunk_bits()[chunk / 64];
    uint64_t found = (warm ? word : ~word) >> (chunk % 64);
    if (found != 0) return std::min<uint64_t>(chunk + std::countr_zero(found), among.end);
    chunk = (chunk / 64 + 1) * 64;
  }
  return among.end;
}

bool Pages::is_warm(const Extent& extent) const {
  Chunks chunks = under(extent);
  return next(false, chunks) == chunks.end;
}

// May be cut short at any word: a bit that is missing costs a needless commit.
void Pages::set_bits(const Chunks& chunks, bool warm) {
  StoreState& store = segment_.store();
  for (uint64_t chunk = chunks.first; chunk < chunks.end;) {
    uint64_t in_word = std::min<uint64_t>(64 - chunk % 64, chunks.end - chunk);
    uint64_t mask = (in_word == 64 ? ~uint64_t{0} : (uint64_t{1} << in_word) - 1) << (chunk % 64);
    uint64_t& word = segment_.chunk_bits()[chunk / 64];
    uint64_t changed = static_cast<uint64_t>(std::popcount(mask & (warm ? ~word : word)));
    lock_.set(store.committed_chunks,
              warm ? store.committed_chunks + changed : store.committed_chunks - changed);
    lock_.set(word, warm ? word | mask : word & ~mask);
    lock_.commit();
    chunk += in_word;
  }
}

// Of a small store no large part, since nobody else can use it meanwhile.
uint64_t Pages::step_chunks() const {
  return std::clamp<uint64_t>(segment_.header().memory_limit / 16 / kChunk, 1, kStep);
}

uint64_t Pages::limit_chunks() const {
  uint64_t memory = shm::round_up(segment_.header().memory_limit, kChunk) / kChunk;
  return memory + std::max(memory / kSlackShare, kLeastSlack);
}

Status Pages::has_memory_for(uint64_t weight) const {
  const StoreState& store = segment_.store();
  uint64_t limit = segment_.header().memory_limit;
  uint64_t stay = std::min(port::load_word(store.charged_bytes), limit - std::min(limit, weight));
  uint64_t own = port::load_word(store.committed_chunks) * kChunk;
  uint64_t usable = own - std::min(own, stay);
  uint64_t needed = weight < kChunk ? weight : weight + kChunk;
  return needed <= usable ? Status::ok() : segment_.has_space(needed - usable);
}

Status Pages::commit(const Extent& extent) {
  return provide(extent, [&](const Chunks& chunks) {
    return segment_.map_data(chunks.first, chunks.count());
  });
}

Status Pages::write(const Extent& extent, const void* bytes, uint64_t size) {
  return provide(extent, [&](const Chunks& chunks) {
    Status written = segment_.write_data(extent.start, bytes, size);
    return written.is_ok() ? segment_.commit_data(chunks.first, chunks.count()) : written;
  });
}

template <class Provide>
Status Pages::provide(const Extent& extent, const Provide& provide) {
  Chunks chunks = under(extent);
  uint64_t committed = port::load_word(segment_.store().committed_chunks);
  uint64_t limit = limit_chunks();
  while (committed + chunks.count() > limit) {
    if (hand_back(committed + chunks.count() - limit) == 0) break;
    committed = port::load_word(segment_.store().committed_chunks);
  }
  Status status = provide(chunks);
  while (status.code() == Code::kFull && hand_back(chunks.count()) > 0) status = provide(chunks);
  if (!status.is_ok()) return status;
  port::fail_point(port::FailPoint::kPagesCommitted);
  return mark_warm(chunks);
}

Status Pages::mark_warm(const Chunks& chunks) {
  return lock_.run([&] {
    set_bits(chunks, true);
    return Status::ok();
  });
}

uint64_t Pages::hand_back(uint64_t limit) {
  uint64_t total = 0;
  while (total < limit) {
    Chunks chunks;
    if (!take_free(true, limit - total, &chunks)) break;
    bool punched = segment_.punch_data(chunks.first, chunks.count()).is_ok();
    port::fail_point(port::FailPoint::kPaging);
    release_taken();
    if (!punched) break;
    total += chunks.count();
  }
  return total;
}

uint64_t Pages::needed_chunks() const {
  uint64_t wanted = port::load_word(segment_.store().charged_bytes) + segment_.header().prefault;
  return std::min((wanted + kChunk - 1) / kChunk, limit_chunks());
}

uint64_t Pages::free_warm() const {
  uint64_t committed = port::load_word(segment_.store().committed_chunks);
  return committed - std::min(committed, needed_chunks());
}

bool Pages::wants_prefault() const {
  return segment_.header().prefault > 0 &&
         port::load_word(segment_.store().committed_chunks) < needed_chunks();
}

bool Pages::prefault() {
  Chunks chunks;
  if (!wants_prefault() || !take_free(false, kStep, &chunks)) return false;
  bool committed = segment_.map_data(chunks.first, chunks.count()).is_ok();
  port::fail_point(port::FailPoint::kPaging);
  if (committed) committed = mark_warm(chunks).is_ok();
  release_taken();
  return committed;
}

// The first run of chunks of that kind that lie within an extent.
bool Pages::find_run(const Extent& extent, bool warm, uint64_t limit, Chunks* out) const {
  Chunks chunks = within(extent);
  uint64_t first = next(warm, chunks);
  *out = {first, next(!warm, {first, std::min(first + limit, chunks.end)})};
  return first < out->end;
}

bool Pages::take_free(bool warm, uint64_t limit, Chunks* out) {
  const shm::RowTable& blocks = segment_.blocks();
  if (!shm::table_grow(segment_, lock_, blocks, 2).is_ok()) return false;
  bool taken = false;
  Status status = lock_.run([&] {
    StoreState& store = segment_.store();
    if (overdue_.exchange(false)) forget_client(client_);
    if (store.paging_block != kNone || !blocks.has(2)) return Status::ok();
    uint32_t found =
        allocator_.find_among_large(kUnitsPerChunk, kBlocksLookedAt, [&](const Block& block) {
          Extent extent{block.start, block.units};
          return find_run(extent, warm, std::min(limit, step_chunks()), out);
        });
    if (found == kNone) return Status::ok();
    uint64_t lead = out->first * kUnitsPerChunk - segment_.block(found).start;
    uint32_t block = allocator_.take(found, lead, out->count() * kUnitsPerChunk);
    lock_.set(store.paging_block, block);
    lock_.set(store.paging_client, client_);
    lock_.commit();
    taken = true;
    if (warm) set_bits(*out, false);
    return Status::ok();
  });
  return status.is_ok() && taken;
}

void Pages::release_taken() {
  Status status = lock_.run([&] {
    forget_client(client_);
    return Status::ok();
  });
  if (!status.is_ok()) overdue_ = true;
}

void Pages::forget_client(uint32_t client) {
  StoreState& store = segment_.store();
  if (store.paging_block == kNone || store.paging_client != client) return;
  allocator_.free(store.paging_block);
  lock_.set(store.paging_block, kNone);
  lock_.set(store.paging_client, kNone);
}

}  // namespace mobula::store
