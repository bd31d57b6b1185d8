#ifndef MOBULA_OBJECT_STORE_H_
#define MOBULA_OBJECT_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mobula/object_id.h"
#include "mobula/options.h"
#include "mobula/status.h"

namespace mobula {

namespace store {
class Client;
class Objects;
enum class Victims;
struct Extent;
struct Piece;
struct Restoring;
}  // namespace store

// Frozen: the binding passes it on as a number.
enum class InfoState : uint32_t { kCreated = 0, kSealed = 1, kSpilled = 2 };

struct ObjectInfo {
  ObjectId id;
  uint64_t size = 0;
  InfoState state = InfoState::kCreated;
  uint32_t pins = 0;        // processes that hold it by a pin or a view
  uint64_t created_at = 0;  // ms since the epoch
};

struct StoreStats {
  uint64_t memory, used_bytes, largest_free_block;
  uint64_t sealed, unsealed, pinned_objects, pinned_bytes;
  uint64_t puts, hits, misses;
  uint64_t evictions, evicted_bytes;
  uint64_t clients, reclaimed_clients, recoveries;
  uint64_t on_disk;  // objects whose bytes are in spill files only
  uint64_t spilled, spilled_bytes, restored, restored_bytes;  // so far
};

// What any process needs in order to map the same memory; good while process `pid` has `fd` open.
struct StoreHandle {
  uint32_t pid = 0;
  int fd = -1;
  ObjectId store_id;
};

// Names an object in its table. (entry, generation) is never reused for another object while the
// segment lives, give or take 2^32 generations.
struct EntryRef {
  uint32_t entry = 0;
  uint32_t generation = 0;
};

// An object being written. `data` and `metadata` stay valid and writable until seal or abort.
struct Writing {
  EntryRef ref;
  ObjectId id;
  uint8_t* data = nullptr;
  uint64_t size = 0;
  uint8_t* metadata = nullptr;
  uint32_t metadata_size = 0;
};

// A sealed object held by one pin of this process. The bytes stay valid and unchanged until that
// pin is given back with unpin(ref).
struct Reading {
  EntryRef ref;
  const uint8_t* data = nullptr;
  uint64_t size = 0;
  const uint8_t* metadata = nullptr;
  uint32_t metadata_size = 0;
};

// How far an id that somebody refers to has come.
enum class Availability : uint32_t { kAbsent = 0, kPending = 1, kReady = 2, kLost = 3, kFreed = 4 };

// Frozen: the binding passes it on as a number.
enum class ReferredState : uint32_t {
  kPending = 0,  // promised
  kCreated = 1,
  kSealed = 2,
  kLost = 3,
  kFreed = 4,
  kSpilled = 5,
};

// An object that processes refer to.
struct ReferredInfo {
  ObjectId id;
  uint64_t size = 0;
  ReferredState state = ReferredState::kPending;
  uint32_t refs = 0;        // processes that refer to it
  uint32_t pins = 0;        // processes that hold it by a pin or a view
  uint64_t created_at = 0;  // ms since the epoch
};

// Frozen: the binding passes it on as a number.
enum class Room : uint32_t { kNone = 0, kSome = 1, kNever = 2, kBySpilling = 3 };

struct SealOptions {
  // Others than the caller may still have `Writing::data`: with `guard`, their writes to an object
  // of 64 KiB or more end this process, like those through a Reading.
  bool exposed = false;
  bool add_ref = false;                 // this process refers to the object from now on
  bool pin = false;                     // and holds it by a pin
  const ObjectId* contained = nullptr;  // objects that live as long as this one
  size_t contained_count = 0;
  // A reference for another process of the store, which will count it itself (adopt_ref). Ignored
  // when that client has ended.
  uint32_t ref_client = UINT32_MAX;
  uint32_t ref_client_generation = 0;
};

// A shared-memory object store: this process's face of one segment.
//
// Thread-safe: any thread may call anything. Several ObjectStores of one process on one segment
// share a client, so a pin taken through one may be given back through another. Nothing here
// remembers who took what; the caller pairs its calls. The death of the process gives everything
// back. All Status-returning calls may also fail with kStalled and kCorrupt, but abort(), unpin()
// and drop_ref() are done later instead when a lock holder is stopped.
class ObjectStore {
 public:
  static Status create(const StoreOptions& options, std::unique_ptr<ObjectStore>* out);
  static Status attach(const std::string& name, std::unique_ptr<ObjectStore>* out);
  static Status attach(const StoreHandle& handle, std::unique_ptr<ObjectStore>* out);
  // kNotFound when there is no such name.
  static Status unlink(const std::string& name);

  explicit ObjectStore(std::shared_ptr<store::Client> client);
  ~ObjectStore();

  // Good while this process has the store open.
  StoreHandle handle() const;
  EvictionPolicy eviction() const;
  // A handle that stays good, and keeps the memory, until withdraw(), however many are closed.
  Status offer(StoreHandle* out) const;
  static void withdraw(const StoreHandle& offered);
  const std::shared_ptr<store::Client>& client() const { return client_; }
  // By the process that has created it: its spill files go. What is in them is lost.
  void end_spilling();

  // --- Writing. A null id asks for a fresh one. Objects that made room are added to `evicted`.
  // kDiskFull: others would have to be spilled, which failed. ---
  Status create_object(const ObjectId* id, uint64_t size, uint32_t metadata_size, Writing* out,
                       std::vector<ObjectInfo>* evicted);
  // Copies once: create, fill, seal.
  Status put(const ObjectId* id, const void* data, uint64_t size, const void* metadata,
             uint32_t metadata_size, const SealOptions& options, ObjectId* out,
             std::vector<ObjectInfo>* evicted);
  Status seal(const EntryRef& ref, const SealOptions& options);
  Status abort(const EntryRef& ref);

  // --- Reading. What was spilled is read back first: kLost when it cannot be, and kFull or
  // kDiskFull when there is no room for it. ---
  Status get(const ObjectId& id, Reading* out);  // counts as a use, a hit or a miss
  // As get(), but what is on disk stays there, and `on_disk` is true.
  Status get_in_memory(const ObjectId& id, Reading* out, bool* on_disk);
  // What was spilled is in memory now, for as long as others leave it there. kNotFound when it is
  // gone, or is none.
  Status restore(const ObjectId& id);
  Status pin(const ObjectId& id, EntryRef* out);  // a use, neither hit nor miss
  Status unpin(const EntryRef& ref, uint32_t count = 1);
  Status reading(const EntryRef& ref, Reading* out) const;  // the caller holds the object pinned
  Status peek(const ObjectId& id, ObjectInfo* out);
  Status list(std::vector<ObjectInfo>* out);  // adds to `out`
  // Of data, each object once; what is not there has none.
  Status bytes_of(const std::vector<ObjectId>& ids, uint64_t* bytes);

  // --- Removing. ---
  Status remove(const ObjectId& id);
  Status evict(uint64_t bytes, uint64_t* freed, std::vector<ObjectInfo>* evicted);
  // This one: kNotFound unless it is sealed and nobody pins it.
  Status evict(const ObjectId& id, std::vector<ObjectInfo>* evicted);

  // --- References (ownership, used by the runtime). Counted per process. ---
  // Names an object to come, or one that is lost and will be made again: this process owes it and
  // refers to it.
  Status promise(const ObjectId& id, EntryRef* out);
  Status add_ref(const ObjectId& id, EntryRef* out);
  Status drop_ref(const EntryRef& ref);
  // Gives the object up for all who refer to it: from now on it is kFreed to them, and its bytes go
  // with the last pin. kOk also when that has happened already.
  Status free(const ObjectId& id);
  // Adds the next of the objects with a reference, a bounded number, to `out`. `*next` is 0 at
  // first, and again after the last step.
  Status list_referred(uint32_t* next, std::vector<ReferredInfo>* out);
  Status availability(const ObjectId& id, Availability* out);

  // --- Waiting. ---
  // Calls `changed` from another thread, at least once after `id` is sealed, lost or removed, and
  // perhaps for no reason; until cancelled. `changed` must not block nor call the store.
  uint64_t watch(const ObjectId& id, std::function<void()> changed);
  void unwatch(uint64_t watch);
  // As watch(), for bytes that are given back or may be evicted from now on.
  uint64_t watch_room(std::function<void()> changed);
  // The line of those who wait for room, over all processes; for who watches for it. Leaving tells
  // the others to look.
  uint64_t enter_room_queue();
  void leave_room_queue(uint64_t place);
  // Whether nobody waits who entered before `place`.
  bool is_first_for_room(uint64_t place) const;
  // Whether bytes for an object of that size are free or may be evicted, can be had by spilling, or
  // could never be.
  Status room_for(uint64_t size, Room* out);

  // --- Collecting. ---
  // Calls `collect` from another thread, perhaps for no reason, when somebody asks for memory that
  // this process may hold by objects of its own that are garbage; until forgotten. As `changed`
  // above, it must not block nor call the store.
  uint64_t on_collect(std::function<void()> collect);
  void forget_collect(uint64_t number);
  // Asks all of this store, in this process and in others; returns how many there are.
  size_t ask_to_collect();
  // How many there are: another process counts as one.
  size_t collectors();

  // --- Looking after. ---
  Status stats(StoreStats* out);
  std::vector<std::string> check();
  // Gives back what dead processes held. Runs by itself on a timer and when space is short.
  void reap();

 private:
  // Under the store lock, and again after each thing that makes room: `needs_rows` asks for larger
  // tables, kFull for `weight` bytes.
  using Attempt = std::function<Status(store::Objects&, store::Victims, bool* needs_rows)>;
  Status with_room(uint64_t weight, const Attempt& attempt);
  Status make_copies(uint64_t weight, bool* any);
  Status open_file(uint64_t weight, uint64_t* wanted, uint32_t* file, uint64_t* number);
  Status choose_pieces(uint64_t wanted, uint32_t file, std::vector<store::Piece>* pieces);
  void keep_copies(const std::vector<store::Piece>& pieces, uint32_t file, bool written);
  Status bring_back(const ObjectId& id, EntryRef* pinned);
  Status begin_restoring(const ObjectId& id, store::Restoring* out);
  Status end_restoring(const store::Restoring& restoring, const Status& read, EntryRef* pinned);
  Status reserve(const ObjectId* id, uint64_t size, uint32_t metadata_size, uint64_t now_ms,
                 Writing* out, bool* cold, std::vector<ObjectInfo>* evicted);
  Status reserve_once(store::Objects& objects, const ObjectId* id, uint64_t size,
                      uint32_t metadata_size, uint64_t now_ms, Writing* out, bool* cold,
                      store::Victims victims, std::vector<ObjectInfo>* evicted, bool* needs_rows);
  template <class Work>
  Status locked(const Work& work) const;
  template <class Found>
  Status look(const ObjectId& id, const EntryRef& pinned, bool* on_disk, const Found& found);
  template <class Found>
  Status read(const ObjectId& id, const Found& found);
  void take(store::Objects& objects, uint32_t index, bool is_pinned, Reading* out);
  template <class Work>
  Status change(const Work& work);
  template <class Again>
  Status unless_stalled(Status status, const Again& again);
  store::Extent extent_of(const Writing& writing) const;
  Status contain(const EntryRef& ref, const SealOptions& options);
  Status publish(const EntryRef& ref, const SealOptions& options);
  Status publish_exposed(const EntryRef& ref, const SealOptions& options);

  const std::shared_ptr<store::Client> client_;
};

}  // namespace mobula

#endif  // MOBULA_OBJECT_STORE_H_
