#include "shm/layout.h"

#include <cstddef>
#include <initializer_list>

namespace mobula::shm {

// FNV-1a over every size, offset and constant that another build could see differently, and the
// hash of an id.
uint64_t layout_hash() {
  uint64_t hash = 0xcbf29ce484222325;
  for (uint64_t value : std::initializer_list<uint64_t>{kAbiVersion,
                                                        ObjectId{{1, 2, 3}}.hash(),
                                                        kMaxClients,
                                                        kMaxPeers,
                                                        kMaxActors,
                                                        kWorkerKinds,
                                                        kMaxResources,
                                                        kMaxDevices,
                                                        kMaxShapes,
                                                        kWaitBuckets,
                                                        kUnit,
                                                        kChunk,
                                                        kPageAlignedFrom,
                                                        kFirstLevels,
                                                        kSecondLevels,
                                                        kUndoEntries,
                                                        kCellSize,
                                                        sizeof(pthread_mutex_t),
                                                        sizeof(Header),
                                                        offsetof(Header, mapping_name),
                                                        offsetof(Header, spill_directory),
                                                        kMaxSpillFiles,
                                                        sizeof(Table),
                                                        sizeof(LockArea),
                                                        offsetof(LockArea, entries),
                                                        sizeof(ClientSlot),
                                                        sizeof(ObjectEntry),
                                                        offsetof(ObjectEntry, block),
                                                        offsetof(ObjectEntry, copy_file),
                                                        sizeof(Edge),
                                                        sizeof(SpillFile),
                                                        sizeof(Block),
                                                        sizeof(StoreState),
                                                        offsetof(StoreState, bins),
                                                        offsetof(StoreState, waiters),
                                                        sizeof(Cell),
                                                        offsetof(Cell, payload),
                                                        sizeof(MoreCell),
                                                        sizeof(PeerSlot),
                                                        sizeof(ActorSlot),
                                                        sizeof(Resource),
                                                        sizeof(Shape),
                                                        sizeof(QueueState),
                                                        offsetof(QueueState, shapes),
                                                        offsetof(QueueState, peers)}) {
    for (int byte = 0; byte < 8; ++byte) {
      hash = (hash ^ (value >> (8 * byte) & 0xff)) * 0x100000001b3;
    }
  }
  for (const char* letter = port::libc_name(); *letter != 0; ++letter) {
    hash = (hash ^ static_cast<uint8_t>(*letter)) * 0x100000001b3;
  }
  return hash;
}

}  // namespace mobula::shm
