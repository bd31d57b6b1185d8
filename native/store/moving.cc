// The operations of ObjectStore that move bytes to spill files and back.

#include <algorithm>

#include "shm/table.h"
#include "store/entry.h"
#include "store/transactions.h"

namespace mobula {

using shm::kNone;
using shm::ObjectEntry;
using shm::ObjectState;
using shm::StoreState;
using store::Objects;
using store::Piece;
using store::Victims;

namespace {

// So much goes to one file if there is, as files are dear.
constexpr uint64_t kFileBytes = 8 << 20;
constexpr uint64_t kFileShare = 16;  // but at most this part of the memory
// And no more than that.
constexpr uint64_t kFileBytesMost = 256 << 20;
constexpr size_t kPiecesMost = 8192;
constexpr size_t kPiecesPerLock = 64;
constexpr uint64_t kBytesNever = 0;

// The bytes to copy so that `weight` more find room.
uint64_t bytes_to_copy(const shm::Segment& segment, uint64_t weight) {
  const StoreState& store = segment.store();
  uint64_t limit = segment.header().memory_limit;
  if (store.listed_bytes == store.evictable_bytes || weight > limit) return kBytesNever;
  uint64_t spare = std::max(store::reserve(segment), weight);
  uint64_t needed = store.charged_bytes - store.evictable_bytes + weight + spare;
  uint64_t missing = needed > limit ? needed - limit : weight;
  return std::max(missing, std::min(kFileBytes, limit / kFileShare));
}

}  // namespace

namespace store {

// A spilled object whose block is this process's to fill.
struct Restoring {
  EntryRef ref;
  Piece piece;
  uint64_t number = 0;  // of the file
  Extent extent{};
  bool cold = false;
  bool is_others = false;  // another process or thread reads it back
};

}  // namespace store

// `any`: there is more that may be evicted now. Others see from the file that room is on its way,
// before they see the pins.
Status ObjectStore::make_copies(uint64_t weight, bool* any) {
  if (!store::can_spill(client_->segment())) return Status::ok();
  // They count until they are gone, and keepers take their time.
  store::remove_doomed_files(client_->segment(), client_->store_lock());
  std::vector<Piece> pieces;
  uint64_t wanted = 0, number = 0;
  uint32_t file = kNone;
  Status status = open_file(weight, &wanted, &file, &number);
  if (!status.is_ok() || file == kNone) return status;
  status = choose_pieces(wanted, file, &pieces);
  if (status.is_ok() && !pieces.empty()) {
    status = store::write_spill_file(client_->segment(), number, &pieces);
    port::fail_point(port::FailPoint::kCopied);
  }
  keep_copies(pieces, file, status.is_ok());
  *any = status.is_ok() && !pieces.empty();
  return status;
}

// No file when there is nothing to copy.
Status ObjectStore::open_file(uint64_t weight, uint64_t* wanted, uint32_t* file, uint64_t* number) {
  const shm::RowTable& files = client_->segment().files();
  for (;;) {
    bool needs_rows = false;
    Status status = locked([&](Objects& objects) {
      *wanted = std::min(bytes_to_copy(client_->segment(), weight), kFileBytesMost);
      needs_rows = *wanted > 0 && !files.has(1);
      if (needs_rows && !files.can_grow()) {
        return Status{Code::kDiskFull, "there are too many spill files: free objects"};
      }
      if (*wanted == 0 || needs_rows) return Status::ok();
      *file = objects.begin_file();
      *number = client_->segment().file(*file).number;
      return Status::ok();
    });
    if (!status.is_ok() || !needs_rows) return status;
    if (Status grown = client_->grow(); !grown.is_ok()) return grown;
  }
}

Status ObjectStore::choose_pieces(uint64_t wanted, uint32_t file, std::vector<Piece>* pieces) {
  const shm::Segment& segment = client_->segment();
  uint64_t chosen = 0;
  bool more = true;
  while (more) {
    Status status = locked([&](Objects& objects) {
      const StoreState& store = segment.store();
      uint32_t next =
          store.lru_copied == kNone ? store.lru_oldest : segment.entry(store.lru_copied).lru_next;
      for (size_t i = 0; more && i < kPiecesPerLock; ++i) {
        uint32_t index = kNone;
        more =
            chosen < wanted && pieces->size() < kPiecesMost && objects.pin_uncopied(&next, &index);
        if (!more) return objects.extend_file(file, chosen);
        const ObjectEntry& entry = segment.entry(index);
        uint8_t* bytes = segment.writable_data(store::block_of(segment, index).start);
        pieces->push_back({index, bytes, entry.size + entry.metadata_size});
        chosen += store::weight(entry);
      }
      return Status::ok();
    });
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

void ObjectStore::keep_copies(const std::vector<Piece>& pieces, uint32_t file, bool written) {
  for (size_t next = 0; next < pieces.size();) {
    size_t end = std::min(next + kPiecesPerLock, pieces.size());
    Status status = change([&](Objects& objects) {
      for (; next < end; ++next) {
        const Piece& piece = pieces[next];
        if (written) {
          objects.keep_copy(piece.entry, file, piece.offset, piece.sum);
        } else {
          objects.unpin(piece.entry);
        }
        client_->store_lock().commit();
        objects.finish_freeing();
      }
      return Status::ok();
    });
    if (!status.is_ok()) break;
  }
  if (file == kNone) return;
  (void)change([&](Objects& objects) {
    objects.finish_file(file);
    return Status::ok();
  });
}

// Ok with nothing in `pinned` when somebody else has read it back, or it has gone meanwhile.
Status ObjectStore::bring_back(const ObjectId& id, EntryRef* pinned) {
  constexpr uint32_t kReapEveryMs = 100;
  store::Restoring restoring;
  if (Status s = begin_restoring(id, &restoring); !s.is_ok()) return s;
  if (restoring.is_others) {
    port::sleep_ms(1);
    if (port::monotonic_ms() % kReapEveryMs == 0) client_->reap();
    return Status::ok();
  }
  if (restoring.piece.bytes == nullptr) return Status::ok();
  Status status;
  if (restoring.cold) status = client_->pages().commit(restoring.extent);
  if (status.is_ok()) {
    client_->guard().make_writable(restoring.piece.bytes, restoring.piece.length);
    status = store::read_spill_file(client_->segment(), restoring.number, restoring.piece);
    port::fail_point(port::FailPoint::kReadBack);
  }
  return end_restoring(restoring, status, pinned);
}

Status ObjectStore::begin_restoring(const ObjectId& id, store::Restoring* out) {
  const shm::Segment& segment = client_->segment();
  uint64_t weight = 0;
  Status found = locked([&](Objects& objects) {
    uint32_t index = objects.find(id);
    if (index != kNone) weight = store::weight(segment.entry(index));
    return Status::ok();
  });
  if (!found.is_ok()) return found;
  return with_room(weight, [&](Objects& objects, Victims victims, bool* needs_rows) {
    uint32_t index = objects.find(id);
    if (index == kNone || !store::is_spilled(segment.entry(index))) return Status::ok();
    const ObjectEntry& entry = segment.entry(index);
    out->is_others = entry.state == ObjectState::kRestoring;
    if (out->is_others) return Status::ok();
    Status room = objects.make_room(entry.size, entry.metadata_size, false, victims, nullptr);
    *needs_rows = room.is_ok() && !objects.has_rows(false);
    if (!room.is_ok() || *needs_rows) return room;
    // What was evicted may have been the last to contain it.
    if (entry.state != ObjectState::kSpilled) return Status::ok();
    objects.begin_restoring(index);
    const shm::Block& block = store::block_of(segment, index);
    out->ref = {index, entry.generation};
    out->extent = {block.start, block.units};
    out->cold = !client_->pages().is_warm(out->extent);
    out->number = segment.file(entry.copy_file).number;
    out->piece = {index, segment.writable_data(block.start), entry.size + entry.metadata_size,
                  entry.copy_offset, entry.copy_sum};
    return Status::ok();
  });
}

Status ObjectStore::end_restoring(const store::Restoring& restoring, const Status& read,
                                  EntryRef* pinned) {
  Status status = change([&](Objects& objects) {
    if (!read.is_ok()) {
      objects.not_restored(restoring.ref.entry, read.code() == Code::kLost);
    } else if (objects.restored(restoring.ref.entry)) {
      *pinned = restoring.ref;
    }
    return Status::ok();
  });
  return read.is_ok() ? status : read;
}

}  // namespace mobula
