#include "shm/segment.h"

#include <errno.h>
#include <string.h>

#include <algorithm>

namespace mobula::shm {
namespace {

constexpr uint64_t kCommitStep = 256 * 1024;
constexpr uint64_t kHugePagesFrom = 64ull << 20;  // a smaller segment would grow by much of itself
constexpr const char* kFilePrefix = "mobula-";
constexpr const char* kSpillPrefix = "/mobula-spill-";

Status system_error(const std::string& what, int error) {
  return {Code::kSystem, what + ": " + strerror(error)};
}

// Anonymous memory stands on no mount that a user could enlarge.
Status out_of_space(int fd, const char* what, uint64_t bytes, int error) {
  uint64_t size = port::file_system_size(fd);
  std::string where = size == 0 ? "the system has"
                                : "the mount " + std::string(port::shared_memory_directory()) +
                                      " of " + std::to_string(size) + " bytes has";
  std::string advice = size == 0 ? "free memory" : "enlarge the mount, or free space on it";
  return {Code::kFull, where + " no room for " + std::to_string(bytes) + " more bytes of " + what +
                           " (" + strerror(error) + "): " + advice};
}

void copy_text(char* to, size_t capacity, const std::string& text) {
  memset(to, 0, capacity);
  memcpy(to, text.data(), std::min(text.size(), capacity - 1));
}

Status init_lock(LockArea* lock) {
  if (int error = port::mutex_init(&lock->mutex)) return system_error("robust mutex", error);
  return Status::ok();
}

// The data area starts as one free block that covers it.
void init_store(const Plan& plan, StoreState* store) {
  store->entries = plan.entries;
  store->blocks = plan.blocks;
  store->edges = plan.edges;
  store->files = plan.files;
  store->doomed_file = kNone;
  store->lru_oldest = store->lru_youngest = store->lru_copied = kNone;
  store->freeing_head = kNone;
  store->paging_block = store->paging_client = kNone;
  for (auto& level : store->bins.heads) std::fill(std::begin(level), std::end(level), kNone);
}

void init_queue(const Plan& plan, QueueState* queue) {
  queue->cells = plan.cells;
  queue->actors = plan.actors;
  queue->next_uid = 1;
  queue->driver = kNone;
  queue->resources_used = 2;
  memcpy(queue->resources[kCpu].name, "cpu", 3);
  memcpy(queue->resources[kGpu].name, "gpu", 3);
  for (PeerSlot& peer : queue->peers) {
    peer.idle_kind = kNone;
    peer.mailbox = peer.in_flight = List{kNone, 0, kNone, 0};
  }
}

Status create_file(const StoreOptions& options, const Header& header, int* fd, std::string* shown) {
  std::string file = kFilePrefix + (options.name.empty() ? header.store_id.hex() : options.name);
  *shown = (options.name.empty() ? "memfd:" : port::shared_memory_directory()) + file;
  int error = options.name.empty() ? port::memory_file_create(file.c_str(), header.total_size, fd)
                                   : port::named_file_create(file.c_str(), header.total_size, fd);
  if (error == EEXIST) {
    return {Code::kExists, "a store named '" + options.name +
                               "' exists already: attach to it, or unlink a leftover name first"};
  }
  if (error != 0) return system_error("creating shared memory", error);
  return Status::ok();
}

}  // namespace

Status Segment::create(const StoreOptions& options, std::unique_ptr<Segment>* out) {
  if (options.memory > kMaxMemory) {
    return {Code::kOutOfRange, "memory must be at most " + std::to_string(kMaxMemory) + " bytes"};
  }
  if (options.max_objects > kMaxObjects) {
    return {Code::kOutOfRange, "a store has at most " + std::to_string(kMaxObjects) + " objects"};
  }
  Plan plan = make_plan(options);
  Header& header = plan.header;
  std::string spill = options.spill_directory;
  if (spill.size() + 64 > sizeof header.spill_directory) {
    return {Code::kOutOfRange, "the path of the spill directory is too long: " + spill};
  }
  header.magic = kMagic;
  header.abi_version = kAbiVersion;
  header.layout_hash = layout_hash();
  header.page_size = port::page_size();
  header.pid_namespace = port::pid_namespace();
  port::random_bytes(header.store_id.bytes.data(), header.store_id.bytes.size());
  copy_text(header.libc, sizeof header.libc, port::libc_name());
  if (!spill.empty()) spill += kSpillPrefix + header.store_id.hex();
  copy_text(header.spill_directory, sizeof header.spill_directory, spill);

  int fd = -1;
  std::string shown;
  if (Status s = create_file(options, header, &fd, &shown); !s.is_ok()) return s;
  copy_text(header.mapping_name, sizeof header.mapping_name, shown);
  std::unique_ptr<Segment> segment;
  Status status = map(fd, plan, &segment);
  if (status.is_ok()) status = segment->commit(0, plan.fixed_end, "store tables");
  if (!status.is_ok()) {
    if (!options.name.empty()) port::named_file_unlink((kFilePrefix + options.name).c_str());
    return status;
  }

  *segment->at<Header>(0) = header;
  init_store(plan, &segment->store());
  std::fill_n(segment->at<uint32_t>(header.heads_offset), header.hash_heads, kNone);
  status = init_lock(&segment->store().lock);
  for (uint32_t i = 0; i < kMaxClients && status.is_ok(); ++i) {
    if (int error = port::mutex_init(&segment->client(i).liveness)) {
      status = system_error("robust mutex", error);
    }
  }
  if (options.queue && status.is_ok()) {
    init_queue(plan, &segment->queue());
    status = init_lock(&segment->queue().lock);
  }
  if (!status.is_ok()) return status;
  *out = std::move(segment);
  return Status::ok();
}

Status Segment::open_named(const std::string& name, std::unique_ptr<Segment>* out) {
  int fd = -1;
  int error = port::named_file_open((kFilePrefix + name).c_str(), &fd);
  if (error == ENOENT) {
    return {Code::kNotFound, "there is no store named '" + name + "': create it first"};
  }
  if (error != 0) return system_error("opening store '" + name + "'", error);
  return adopt(fd, out);
}

Status Segment::open_remote(uint32_t pid, int remote_fd, const ObjectId& expected,
                            std::unique_ptr<Segment>* out) {
  int fd = -1;
  if (int error = port::process_file_open(pid, remote_fd, &fd)) {
    return {Code::kNotFound, "the process " + std::to_string(pid) +
                                 " that issued this handle no longer offers it (" +
                                 strerror(error) + "): ask for a fresh handle"};
  }
  if (Status s = adopt(fd, out); !s.is_ok()) return s;
  if ((*out)->header().store_id == expected) return Status::ok();
  out->reset();
  return {Code::kNotFound, "the handle is stale: its store is gone"};
}

Status Segment::unlink(const std::string& name) {
  int error = port::named_file_unlink((kFilePrefix + name).c_str());
  if (error == 0) return Status::ok();
  if (error == ENOENT) return {Code::kNotFound, "there is no store named '" + name + "'"};
  return system_error("unlinking store '" + name + "'", error);
}

Status Segment::adopt(int fd, std::unique_ptr<Segment>* out) {
  uint64_t size = 0;
  int error = port::file_size(fd, &size);
  if (error != 0 || size < sizeof(Header)) {
    port::file_close(fd);
    return corrupt_status("too short");
  }
  auto* header = static_cast<const Header*>(port::map_shared(fd, sizeof(Header), false));
  if (header == nullptr) {
    port::file_close(fd);
    return system_error("mapping shared memory", errno);
  }
  Header copy = *header;
  port::unmap(const_cast<Header*>(header), sizeof(Header));
  Plan plan;
  if (Status s = recover_plan(copy, size, &plan); !s.is_ok()) {
    port::file_close(fd);
    return s;
  }
  std::unique_ptr<Segment> segment;
  if (Status s = map(fd, plan, &segment); !s.is_ok()) return s;
  Status status = confirm_tables(plan, segment->store(), segment->queue());
  if (status.is_ok()) *out = std::move(segment);
  return status;
}

Status Segment::map(int fd, const Plan& plan, std::unique_ptr<Segment>* out) {
  uint64_t size = plan.header.total_size;
  auto* base = static_cast<uint8_t*>(port::map_shared(fd, size, true));
  const uint8_t* views = base;
  if (base != nullptr && plan.header.guard != 0) {
    views = static_cast<const uint8_t*>(port::map_shared(fd, size, false));
  }
  if (base == nullptr || views == nullptr) {
    int error = errno;
    if (base != nullptr) port::unmap(base, size);
    port::file_close(fd);
    return {Code::kOutOfRange, "cannot map " + std::to_string(size) + " bytes of address space (" +
                                   strerror(error) + "): ask for less memory"};
  }
  bool huge_pages = size >= kHugePagesFrom && port::map_advise_huge(base, size);
  out->reset(new Segment(fd, plan, base, views, huge_pages));
  return Status::ok();
}

// Without a queue region queue_ is never followed.
Segment::Segment(int fd, const Plan& plan, uint8_t* base, const uint8_t* views, bool huge_pages)
    : header_(plan.header),
      data_units_(plan.header.data_size / kUnit),
      fd_(fd),
      base_(base),
      views_(views),
      huge_pages_(huge_pages),
      is_limited_(port::file_system_size(fd) != 0),
      store_(at<StoreState>(header_.store_offset)),
      queue_(at<QueueState>(header_.queue_offset)),
      clients_(at<ClientSlot>(header_.clients_offset)),
      heads_(at<uint32_t>(header_.heads_offset)),
      entries_(plan.entries, &store_->entries, base),
      blocks_(plan.blocks, &store_->blocks, base),
      edges_(plan.edges, &store_->edges, base),
      files_(plan.files, &store_->files, base),
      cells_(plan.cells, &queue_->cells, base),
      actors_(plan.actors, &queue_->actors, base) {}

Segment::~Segment() {
  if (views_ != base_) port::unmap(const_cast<uint8_t*>(views_), size());
  port::unmap(base_, size());
  port::file_close(fd_);
}

Status Segment::commit(uint64_t offset, uint64_t length, const char* what) const {
  int error = port::file_commit(fd_, offset, length);
  return error == 0 ? Status::ok() : out_of_space(fd_, what, length, error);
}

void Segment::set_ready() const { at<Header>(0)->ready = 1; }

Status Segment::commit_rows(const RowTable& table, uint32_t committed_now,
                            uint32_t* committed) const {
  uint64_t step = std::max<uint64_t>(kCommitStep / table.stride(), 1);
  uint64_t target = std::min<uint64_t>(committed_now + step, table.capacity());
  uint64_t start = table.offset() + static_cast<uint64_t>(committed_now) * table.stride();
  uint64_t end = table.offset() + target * table.stride();
  *committed = static_cast<uint32_t>(target);
  if (end == start) return Status::ok();
  return commit(start, end - start, "store tables");
}

Status Segment::commit_data(uint64_t first_chunk, uint64_t chunks) const {
  return commit(header().data_offset + first_chunk * kChunk, chunks * kChunk, "objects");
}

Status Segment::map_data(uint64_t first_chunk, uint64_t chunks) const {
  uint64_t offset = header().data_offset + first_chunk * kChunk;
  uint64_t length = chunks * kChunk;
  int error = port::map_commit(base_ + offset, length);
  if (error == EINVAL) return commit(offset, length, "objects");
  return error == 0 ? Status::ok() : out_of_space(fd_, "objects", length, error);
}

Status Segment::has_space(uint64_t bytes) const {
  if (!is_limited_ || port::file_system_free(fd_) >= bytes) return Status::ok();
  return out_of_space(fd_, "objects", bytes, ENOSPC);
}

Status Segment::punch_data(uint64_t first_chunk, uint64_t chunks) const {
  uint64_t offset = header().data_offset + first_chunk * kChunk;
  int error = port::file_punch(fd_, offset, chunks * kChunk);
  return error == 0 ? Status::ok() : system_error("giving memory back", error);
}

Status Segment::write_data(uint64_t unit, const void* bytes, uint64_t length) const {
  int error = port::file_write(fd_, header().data_offset + unit * kUnit, bytes, length);
  return error == 0 ? Status::ok() : out_of_space(fd_, "objects", length, error);
}

}  // namespace mobula::shm
