#include "shm/plan.h"

#include <string.h>

#include <algorithm>

#include "shm/corrupt.h"

namespace mobula::shm {
namespace {

constexpr uint64_t kQueueCells = 16ull << 20;  // 4 GiB of address space, committed as it fills

class Cursor {
 public:
  explicit Cursor(uint64_t page) : page_(page) {}
  uint64_t take(uint64_t bytes) {
    uint64_t start = next_;
    next_ = round_up(next_ + bytes, page_);
    return start;
  }
  uint64_t position() const { return next_; }
  void align(uint64_t to) { next_ = round_up(next_, to); }

 private:
  const uint64_t page_;
  uint64_t next_ = 0;
};

Table plan_table(Cursor* cursor, uint32_t stride, uint64_t capacity) {
  return Table{
      cursor->take(stride * capacity), stride, static_cast<uint32_t>(capacity), 0, 0, kNone, 0};
}

bool same_layout(const Header& a, const Header& b) {
  return a.total_size == b.total_size && a.hash_heads == b.hash_heads &&
         a.clients_offset == b.clients_offset && a.store_offset == b.store_offset &&
         a.queue_offset == b.queue_offset && a.heads_offset == b.heads_offset &&
         a.chunks_offset == b.chunks_offset && a.data_offset == b.data_offset &&
         a.data_size == b.data_size;
}

bool same_place(const Table& a, const Table& b) {
  return a.offset == b.offset && a.stride == b.stride && a.capacity == b.capacity;
}

bool is_text(const char* text, size_t capacity) {
  return text[0] != 0 && memchr(text, 0, capacity) != nullptr;
}

bool is_plausible(const Header& header) {
  return header.memory_limit <= kMaxMemory && header.max_objects <= kMaxObjects &&
         header.has_queue <= 1 && header.guard <= 1 && header.prefault <= header.memory_limit &&
         header.eviction <= EvictionPolicy::kUnreferenced &&
         is_text(header.mapping_name, sizeof header.mapping_name) &&
         memchr(header.spill_directory, 0, sizeof header.spill_directory) != nullptr;
}

}  // namespace

Plan make_plan(const StoreOptions& options) {
  Plan plan;
  Header& header = plan.header;
  uint64_t objects = options.max_objects;
  header.memory_limit = options.memory;
  header.eviction = options.eviction;
  header.max_objects = options.max_objects;
  header.guard = options.guard;
  header.prefault = std::min(options.prefault, options.memory);
  header.has_queue = options.queue;
  header.spill_limit = options.spill_limit;
  header.hash_heads = 64;
  while (header.hash_heads < objects && header.hash_heads < 1u << 30) header.hash_heads *= 2;
  header.data_size = round_up(2 * options.memory + 4 * kChunk, kChunk);

  Cursor cursor(port::page_size());
  cursor.take(sizeof(Header));
  header.store_offset = cursor.take(sizeof(StoreState));
  header.clients_offset = cursor.take(sizeof(ClientSlot) * kMaxClients);
  header.queue_offset = cursor.take(options.queue ? sizeof(QueueState) : 0);
  header.heads_offset = cursor.take(4ull * header.hash_heads);
  header.chunks_offset = cursor.take(round_up(header.data_size / kChunk, 64) / 8);
  plan.fixed_end = cursor.position();
  plan.entries = plan_table(&cursor, sizeof(ObjectEntry), objects);
  plan.blocks = plan_table(&cursor, sizeof(Block), 2 * objects + 2);
  plan.edges = plan_table(&cursor, sizeof(Edge), std::min<uint64_t>(4 * objects, kNone - 1));
  bool spills = !options.spill_directory.empty();
  plan.files = plan_table(&cursor, sizeof(SpillFile), spills ? kMaxSpillFiles : 0);
  if (options.queue) {
    plan.actors = plan_table(&cursor, sizeof(ActorSlot), kMaxActors);
    plan.cells = plan_table(&cursor, sizeof(Cell), kQueueCells);
  }
  cursor.align(kChunk);
  header.data_offset = cursor.take(header.data_size);
  header.total_size = cursor.position();
  return plan;
}

Status recover_plan(const Header& header, uint64_t file_size, Plan* out) {
  if (header.magic != kMagic) return corrupt_status("no magic");
  if (strncmp(header.libc, port::libc_name(), sizeof header.libc) != 0) {
    return {Code::kIncompatible,
            std::string("the segment belongs to processes with another C library than ") +
                port::libc_name() + ": attach from a system with theirs"};
  }
  if (header.abi_version != kAbiVersion || header.layout_hash != layout_hash() ||
      header.page_size != port::page_size()) {
    return {Code::kIncompatible,
            "the segment was made by another build of mobula (its layout differs): run the same "
            "version of mobula in every process"};
  }
  if (header.ready != 1) return corrupt_status("its creation never finished");
  if (header.pid_namespace != port::pid_namespace()) {
    return {Code::kIncompatible,
            "the segment belongs to another pid namespace: attach from the same container"};
  }
  if (!is_plausible(header)) return corrupt_status("header");
  StoreOptions options;
  options.memory = header.memory_limit;
  options.max_objects = header.max_objects;
  options.eviction = header.eviction;
  options.guard = header.guard != 0;
  options.queue = header.has_queue != 0;
  options.spill_directory = header.spill_directory;
  *out = make_plan(options);
  if (!same_layout(header, out->header)) return corrupt_status("header");
  if (header.total_size != file_size) return corrupt_status("size");
  out->header = header;
  return Status::ok();
}

Status confirm_tables(const Plan& plan, const StoreState& store, const QueueState& queue) {
  bool same = same_place(plan.entries, store.entries) && same_place(plan.blocks, store.blocks) &&
              same_place(plan.edges, store.edges) && same_place(plan.files, store.files);
  if (plan.header.has_queue != 0) {
    same = same && same_place(plan.actors, queue.actors) && same_place(plan.cells, queue.cells);
  }
  return same ? Status::ok() : corrupt_status("tables");
}

}  // namespace mobula::shm
