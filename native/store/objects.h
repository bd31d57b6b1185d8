#ifndef MOBULA_STORE_OBJECTS_H_
#define MOBULA_STORE_OBJECTS_H_

#include <vector>

#include "mobula/object_store.h"
#include "shm/allocator.h"
#include "shm/lock.h"
#include "shm/segment.h"
#include "store/clru.h"

namespace mobula::store {

// How often this process holds an object; the shared entry has one bit for all of them.
struct LocalHolds {
  uint32_t pins = 0;
  uint32_t refs = 0;
};

inline uint32_t wait_bucket(const ObjectId& id) {
  return id.is_system() ? shm::kSystemBucket : static_cast<uint32_t>(id.hash()) % shm::kWaitBuckets;
}

// The block of a created or sealed entry. Throws shm::Corrupt unless the two agree, so that the
// entry's bytes lie in it.
shm::Block& block_of(const shm::Segment& segment, uint32_t entry);

// The clients that wait for one of the objects that changed under the lock.
struct WaitingClients {
  uint64_t words[shm::kHolderWords] = {};
  bool any() const;
};

// Which objects may make room: the least recently used only, or any that may go.
enum class Victims { kOldest, kAny };

// The object table and every edge between object states (doc/object_states.md numbers them). All
// calls need the store lock; each leaves a state that may be committed. One per attachment.
class Objects {
 public:
  // `client` is the slot of the attaching process; `holds` has a row per entry.
  Objects(const shm::Segment& segment, shm::Lock& lock, uint32_t client, LocalHolds* holds)
      : segment_(segment),
        lock_(lock),
        allocator_(segment, lock),
        clru_(segment, lock),
        client_(client),
        holds_(holds) {}

  uint32_t find(const ObjectId& id) const;
  // An id that no object has.
  ObjectId fresh_id();

  // Room for an object of these sizes. kFull changes nothing, but with kOldest: then what is next
  // may go only once it has a copy on disk. Evicts and commits as it goes. An id that was promised
  // or lost has its entry: `new_entry` is false. If only what is evicted contained that entry, it
  // goes too, and create() takes another. finish_freeing() comes first.
  Status make_room(uint64_t size, uint64_t metadata_size, bool new_entry, Victims victims,
                   std::vector<ObjectInfo>* evicted);
  // As make_room(), for an entry without bytes.
  Status make_row(std::vector<ObjectInfo>* evicted);
  // True when the tables have the rows that one creation needs.
  bool has_rows(bool new_entry) const;

  // Edges. create() follows make_room() and has_rows(); promise() follows make_row().
  uint32_t create(const ObjectId& id, uint64_t size, uint32_t metadata_size, uint64_t now_ms);
  uint32_t promise(const ObjectId& id, uint64_t now_ms);
  void promise_again(uint32_t entry);
  void seal(uint32_t entry);
  void abort(uint32_t entry);
  void remove(uint32_t entry);
  void free(uint32_t entry);
  // What somebody refers to goes to its copy in a spill file, if it has one.
  bool evict_one(bool forced, std::vector<ObjectInfo>* evicted);
  // False when it is not sealed, or somebody pins it.
  bool evict(uint32_t entry, std::vector<ObjectInfo>* evicted);

  // The edges of spilling (spill.h). keep_copy(): of an object that this process holds for that
  // purpose by a pin, which it gives back; the object is among the next to go. begin_restoring()
  // follows make_room() and has_rows(). restored() leaves it pinned by this process, if it is not
  // garbage.
  void keep_copy(uint32_t entry, uint32_t file, uint64_t offset, uint64_t sum);
  void begin_restoring(uint32_t entry);
  bool restored(uint32_t entry);
  // Its bytes could not be read: they never can be, or not now.
  void not_restored(uint32_t entry, bool is_lost);
  // A file that this process is to write; and one that gets no more copies. A row must be there.
  uint32_t begin_file();
  // kDiskFull, with nothing changed, when all files would be larger than the limit.
  Status extend_file(uint32_t file, uint64_t bytes);
  void finish_file(uint32_t file);
  // The next bytes that could make room if they were copied first, oldest first: pinned by this
  // process, one committed step at a time. False when there are none.
  bool pin_uncopied(uint32_t* next, uint32_t* entry);

  void pin(uint32_t entry);
  void unpin(uint32_t entry);
  void add_ref(uint32_t entry);
  void drop_ref(uint32_t entry);
  // Sets the bit of another client that will count the reference itself.
  void add_ref_for(uint32_t entry, uint32_t client);
  void contain(uint32_t container, uint32_t contained);

  // Gives back all that a dead client held of one entry.
  void forget_client(uint32_t entry, uint32_t client);
  // Takes apart what containers that are gone held, one committed step at a time. Idempotent,
  // resumable by anyone. Comes before and after every edge, as an object is on the list once only.
  void finish_freeing();

  ObjectInfo info(uint32_t entry) const;
  ReferredInfo referred_info(uint32_t entry) const;
  // As ObjectStore::room_for().
  Room room_for(uint64_t size) const;
  LocalHolds& holds(uint32_t entry) { return holds_[entry]; }
  uint32_t client() const { return client_; }
  // The largest object that can be put now with no eviction; 0 when there is none.
  uint64_t largest_fit() const;

  // Clients to notify once the lock is free; emptied by the call.
  WaitingClients take_waiting();
  void watch(uint32_t bucket);
  void unwatch(uint32_t bucket);

 private:
  ObjectId next_id();
  void link_id(uint32_t entry);
  void unlink_id(uint32_t entry);
  uint32_t new_entry(const ObjectId& id, uint64_t now_ms);
  bool has_hole(uint64_t weight) const;
  void attach_block(uint32_t entry, uint64_t size, uint32_t metadata_size);
  void detach_block(uint32_t entry);
  void set_pin_bit(uint32_t entry, uint32_t client);
  void clear_pin_bit(uint32_t entry, uint32_t client);
  void clear_ref_bit(uint32_t entry, uint32_t client);
  void leave_lru(uint32_t entry);
  void lose_or_free(uint32_t entry);
  void free_if_unheld(uint32_t entry);
  void free_entry(uint32_t entry);
  void let_go_of_contained(uint32_t entry);
  void recycle(uint32_t entry);
  void spill(uint32_t entry);
  void drop_copy(uint32_t entry);
  void changed(uint32_t bucket);
  void changed(const ObjectId& id) { changed(wait_bucket(id)); }
  bool on_lru(const shm::ObjectEntry& entry) const;

  const shm::Segment& segment_;
  shm::Lock& lock_;
  shm::Allocator allocator_;
  Clru clru_;
  const uint32_t client_;
  LocalHolds* const holds_;
  WaitingClients waiting_;
};

}  // namespace mobula::store

#endif  // MOBULA_STORE_OBJECTS_H_
