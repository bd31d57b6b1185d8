#include "store/spill.h"

#include <errno.h>
#include <string.h>

#include <algorithm>

#include "shm/table.h"
#include "store/checksum.h"

namespace mobula::store {

using shm::kNone;
using shm::SpillFile;
using shm::SpillState;

namespace {

std::string path_of(const shm::Segment& segment, uint64_t number) {
  return std::string(segment.header().spill_directory) + '/' + std::to_string(number);
}

Status not_written(const std::string& path, int error) {
  return {Code::kDiskFull, "the spill file " + path + " cannot be written (" + strerror(error) +
                               "): free space there, or choose another spillDirectory"};
}

Status lost(const std::string& path, const std::string& why) {
  return {Code::kLost, "its bytes in the spill file " + path + " are lost: " + why};
}

// Errors that say that the file is gone, or its bytes are.
bool is_final(int error) { return error == ENOENT || error == ENOTDIR || error == EIO; }

// So much is read or written at once that it stays in the cache for its checksum.
constexpr uint64_t kChunk = 256 << 10;
static_assert(kChunk % Checksum::kStripe == 0);

// Writes pieces one behind the other, and notes where they are and what they sum to.
class FileWriter {
 public:
  explicit FileWriter(int fd) : fd_(fd) {}

  void append(Piece* piece) {
    Checksum checksum;
    piece->offset = end_ + pending_;
    for (uint64_t done = 0; done < piece->length && error_ == 0;) {
      uint64_t length = std::min(kChunk - pending_, piece->length - done);
      if (length < piece->length - done) length = length / Checksum::kStripe * Checksum::kStripe;
      checksum.add(piece->bytes + done, length);
      parts_.push_back({piece->bytes + done, length});
      done += length;
      pending_ += length;
      if (pending_ + Checksum::kStripe > kChunk) flush();
    }
    piece->sum = checksum.sum();
  }
  // 0, or the errno of the first failure.
  int finish() {
    flush();
    return error_;
  }

 private:
  void flush() {
    if (error_ != 0 || parts_.empty()) return;
    error_ = port::disk_file_write(fd_, end_, parts_.data(), static_cast<uint32_t>(parts_.size()));
    end_ += pending_;
    pending_ = 0;
    parts_.clear();
  }

  const int fd_;
  std::vector<port::Part> parts_;
  uint64_t end_ = 0;      // of the file
  uint64_t pending_ = 0;  // bytes of the parts
  int error_ = 0;
};

int read_piece(int fd, const Piece& piece, uint64_t* sum) {
  Checksum checksum;
  for (uint64_t done = 0; done < piece.length;) {
    uint64_t length = std::min(kChunk, piece.length - done);
    int error = port::disk_file_read(fd, piece.offset + done, piece.bytes + done, length);
    if (error != 0) return error;
    checksum.add(piece.bytes + done, length);
    done += length;
  }
  *sum = checksum.sum();
  return 0;
}

struct Siblings {
  std::string base;    // with a slash at its end
  std::string prefix;  // of their names
};

void remove_if_left(void* context, const char* name) {
  const auto& siblings = *static_cast<const Siblings*>(context);
  if (!std::string(name).starts_with(siblings.prefix)) return;
  std::string path = siblings.base + name;
  int fd = -1;
  if (port::directory_take(path.c_str(), false, &fd) != 0) return;
  (void)port::directory_remove(path.c_str());
  port::file_close(fd);
}

}  // namespace

Status SpillDirectory::create(const shm::Segment& segment, std::unique_ptr<SpillDirectory>* out) {
  std::string path = segment.header().spill_directory;
  size_t name = path.rfind('/') + 1;
  size_t id = segment.header().store_id.hex().size();
  Siblings siblings{path.substr(0, name), path.substr(name, path.size() - name - id)};
  (void)port::directory_list(siblings.base.c_str(), &remove_if_left, &siblings);
  int fd = -1;
  if (int error = port::directory_take(path.c_str(), true, &fd)) {
    return {Code::kDiskFull, "the directory " + path + " cannot be made (" + strerror(error) + ')'};
  }
  out->reset(new SpillDirectory(std::move(path), fd));
  return Status::ok();
}

SpillDirectory::~SpillDirectory() {
  (void)port::directory_remove(path_.c_str());
  port::directory_spare(doomed_);
  port::file_close(fd_);
}

Status write_spill_file(const shm::Segment& segment, uint64_t number, std::vector<Piece>* pieces) {
  std::string path = path_of(segment, number);
  int fd = -1;
  if (int error = port::disk_file_create(path.c_str(), &fd)) return not_written(path, error);
  FileWriter writer(fd);
  for (Piece& piece : *pieces) writer.append(&piece);
  int error = writer.finish();
  port::file_close(fd);
  return error == 0 ? Status::ok() : not_written(path, error);
}

Status read_spill_file(const shm::Segment& segment, uint64_t number, const Piece& piece) {
  std::string path = path_of(segment, number);
  int fd = -1;
  uint64_t sum = 0;
  int error = port::disk_file_open(path.c_str(), &fd);
  if (error == 0) {
    error = read_piece(fd, piece, &sum);
    port::file_close(fd);
  }
  if (is_final(error)) return lost(path, strerror(error));
  if (error != 0) {
    return {Code::kSystem, "reading the spill file " + path + ": " + strerror(error)};
  }
  if (sum == piece.sum) return Status::ok();
  return lost(path, "they have another checksum than they had");
}

void remove_doomed_files(const shm::Segment& segment, shm::Lock& lock) {
  shm::StoreState& store = segment.store();
  uint32_t index = kNone;
  uint64_t number = 0;
  auto look = [&] {
    index = store.doomed_file;
    if (index != kNone) number = segment.file(index).number;
    return Status::ok();
  };
  auto give_back = [&] {
    if (store.doomed_file != index || segment.file(index).number != number) return Status::ok();
    SpillFile& file = segment.file(index);
    lock.set(store.doomed_file, file.free_next);
    lock.set(file.state, SpillState::kFree);
    lock.subtract(store.spill_bytes, file.bytes);
    if (store.spill_bytes == 0) lock.set(store.largest_copy, uint64_t{0});
    shm::table_give_back(lock, segment.files(), index);
    return Status::ok();
  };
  while (port::load_word(store.doomed_file) != kNone) {
    if (!lock.run(look).is_ok() || index == kNone) return;
    int error = port::disk_file_remove(path_of(segment, number).c_str());
    // The row keeps counting what cannot be removed; the next tick tries again.
    if (error != 0 && error != ENOENT && error != ENOTDIR) return;
    port::fail_point(port::FailPoint::kUnlinked);
    if (!lock.run(give_back).is_ok()) return;
  }
}

}  // namespace mobula::store
