#ifndef MOBULA_STORE_SPILL_H_
#define MOBULA_STORE_SPILL_H_

#include <memory>
#include <string>
#include <vector>

#include "shm/lock.h"
#include "shm/segment.h"

// Spilling: when memory is short, the least recently used objects that somebody refers to are
// copied to files, several small ones to one file; after that eviction may take their memory. Who
// reads one reads it back first, once for all. The copy stays as long as the object does, so that
// its memory can be given away again for nothing.
//
//   1. What is copied is sealed, and held by a pin of who copies it: the pin's end with its process
//      leaves the object as it was.
//   2. A file is its writer's alone until it is ready. If the writer dies, the copies that entries
//      know of stay, and no more come.
//   3. A file that no entry needs is doomed: anyone unlinks it, as often as it takes, and gives its
//      row back after that. No other file ever gets its name.
//   4. Bytes are written and read with no lock held, read back into a block that nobody else can
//   see,
//      and compared with their checksum.

namespace mobula::store {

// The directory of a store's spill files, whose path is in the header. Of the process that has
// created the store; others only use it.
class SpillDirectory {
 public:
  // Removes what dead processes have left beside it.
  static Status create(const shm::Segment& segment, std::unique_ptr<SpillDirectory>* out);
  // With all files, as when SIGINT or SIGTERM ends the process.
  ~SpillDirectory();
  SpillDirectory(const SpillDirectory&) = delete;
  SpillDirectory& operator=(const SpillDirectory&) = delete;

 private:
  SpillDirectory(std::string path, int fd)
      : path_(std::move(path)), fd_(fd), doomed_(port::directory_doom(path_.c_str())) {}

  const std::string path_;
  const int fd_;  // locked as long as this process lives
  const int doomed_;
};

// The bytes of an object, and where in a spill file their copy is to be, or is.
struct Piece {
  uint32_t entry = 0;
  uint8_t* bytes = nullptr;
  uint64_t length = 0;
  uint64_t offset = 0;
  uint64_t sum = 0;
};

// No lock held. kDiskFull says which file, and why.
Status write_spill_file(const shm::Segment& segment, uint64_t number, std::vector<Piece>* pieces);
// No lock held. kLost when the bytes are not what they were, or there is no such file.
Status read_spill_file(const shm::Segment& segment, uint64_t number, const Piece& piece);
// No lock held. Unlinks the files that are doomed.
void remove_doomed_files(const shm::Segment& segment, shm::Lock& lock);

}  // namespace mobula::store

#endif  // MOBULA_STORE_SPILL_H_
