#ifndef MOBULA_SHM_LAYOUT_H_
#define MOBULA_SHM_LAYOUT_H_

// The segment, byte by byte: doc/segment_format.md says what each field means; this header holds
// the numbers. Other processes, of other builds too, read these structs: any change of a field,
// an order or an enum value changes kAbiVersion.
//
// Words that collide:
//   client   one *process* attached to the segment (a bit in the holder maps)
//   peer     one *JavaScript thread* that sends and receives records (driver, worker, actor host)
//   pin      a process reads the object: it may neither move nor go
//   ref      a process can still name the object: it must not be forgotten
//   entry    the object table's row for an object;  block: a piece of the data area
//   cell     a piece of the queue region;           record: one message, a chain of cells
//   shape    what a task asks for: a kind of worker and amounts of resources
//   device   one gpu;  client, peer: see above;     resource: cpu, gpu or one named by the user

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "mobula/object_id.h"
#include "mobula/options.h"
#include "port/port.h"

namespace mobula::shm {

inline constexpr uint64_t kMagic = 0x31304c55424f4d00;  // "\0MOBUL01"
inline constexpr uint32_t kAbiVersion = 2;

inline constexpr uint32_t kNone = 0xffffffff;  // "no index" wherever an index stands

inline constexpr uint32_t kMaxClients = 256;
inline constexpr uint32_t kHolderWords = kMaxClients / 64;
inline constexpr uint32_t kMaxPeers = 1024;
inline constexpr uint32_t kMaxActors = 131072;
inline constexpr uint32_t kTaskKinds = 2;    // of workers: 0 threads, 1 processes
inline constexpr uint32_t kWorkerKinds = 3;  // 2: the driver, which takes what actors hold
inline constexpr uint32_t kMaxResources = 32;
inline constexpr uint32_t kMaxDevices = 64;
inline constexpr uint32_t kMaxShapes = 1024;
inline constexpr uint32_t kWaitBuckets = 256;               // of ids that somebody waits for
inline constexpr uint32_t kRoomBucket = kWaitBuckets;       // of those who wait for room
inline constexpr uint32_t kSystemBucket = kRoomBucket + 1;  // of all ObjectId::is_system()
inline constexpr uint32_t kAllBuckets = kSystemBucket + 1;

inline constexpr uint32_t kMaxSpillFiles = 1 << 20;
inline constexpr uint64_t kUnit = 64;                    // granularity of the data area
inline constexpr uint64_t kChunk = 256 * 1024;           // granularity of committing the data area
inline constexpr uint64_t kPageAlignedFrom = 64 * 1024;  // blocks of this size start on a page
inline constexpr uint32_t kFirstLevels = 40;
inline constexpr uint32_t kSecondLevels = 32;
inline constexpr uint32_t kUndoEntries = 1024;

// --- Header ------------------------------------------------------------------------------------

// A table that grows by committing more of its reserved address range.
// used <= committed <= capacity, all in rows.
struct Table {
  uint64_t offset;
  uint32_t stride;
  uint32_t capacity;
  uint32_t committed;
  uint32_t used;       // rows ever handed out
  uint32_t free_head;  // rows handed back, linked through their free_next
  uint32_t free_count;
};

struct Header {
  uint64_t magic;
  uint32_t abi_version;
  uint32_t ready;  // 1 once creation has finished
  uint64_t layout_hash;
  ObjectId store_id;
  char libc[16];
  uint64_t total_size;
  uint64_t pid_namespace;
  uint64_t page_size;
  uint64_t memory_limit;
  EvictionPolicy eviction;
  uint32_t max_objects;
  uint32_t hash_heads;  // a power of two
  uint32_t has_queue;
  uint32_t guard;  // views are mapped read-only
  uint32_t reserved;
  uint64_t spill_limit;  // on the bytes of spill files
  uint64_t prefault;     // bytes of free memory to keep committed ahead of use
  uint64_t clients_offset;
  uint64_t store_offset;
  uint64_t queue_offset;
  uint64_t heads_offset;
  uint64_t chunks_offset;
  uint64_t data_offset;
  uint64_t data_size;
  char mapping_name[64];       // how /proc/<pid>/maps shows the file
  char spill_directory[1024];  // of spill files; empty: there are none
};

// --- Lock with undo log ------------------------------------------------------------------------

// where: segment offset << 4 | size in bytes (1, 2, 4 or 8).
struct UndoEntry {
  uint64_t where;
  uint64_t old_value;
};

// Facts, whenever the mutex is free:
//   1. count == 0.
//   2. Every word the lock protects has its value of the last commit.
struct LockArea {
  port::RobustMutex mutex;
  std::atomic<uint32_t> holder_pid;  // who holds it now; advice for error messages only
  std::atomic<uint32_t> holder_tid;
  uint64_t recoveries;
  uint64_t reserved[6];
  volatile uint64_t count;
  uint64_t reserved2[7];
  UndoEntry entries[kUndoEntries];
};

// --- Clients -----------------------------------------------------------------------------------

// kEnding: what it holds is being given back, so nothing more may be given to it.
enum class ClientState : uint32_t { kFree = 0, kLive = 1, kEnding = 2 };

// The liveness mutex is held for life by the keeper thread of the process.
struct ClientSlot {
  port::RobustMutex liveness;
  ClientState state;
  uint32_t generation;  // counts the processes that have used this slot
  uint32_t pid;
  uint32_t reserved;
  uint64_t start_time;
  std::atomic<uint32_t> notify;   // futex: something that somebody here waits for may have changed
  std::atomic<uint32_t> collect;  // counts the requests to collect garbage; notify changes after it
  std::atomic<uint64_t> room_place;  // when the first here to wait for room began; 0: none does
  uint32_t reserved2[4];
};
static_assert(sizeof(ClientSlot) == 128);

// --- Objects -----------------------------------------------------------------------------------

// Frozen: read by other processes. doc/object_states.md has the edges.
enum class ObjectState : uint8_t {
  kFree = 0,
  kPromised = 1,  // named by a ref, no bytes yet
  kCreated = 2,   // being written by `creator`
  kSealed = 3,
  kFreeing = 4,    // unreachable; its edges and block are on their way back
  kLost = 5,       // its bytes are gone and will not come; refs to it remain
  kSpilled = 6,    // its bytes are in a spill file only
  kRestoring = 7,  // `creator` reads them back
};

inline constexpr uint8_t kManaged = 1;  // has had a ref: garbage once nobody refers to it
inline constexpr uint8_t kDeleted = 2;  // no longer found by id; freed at the last release
inline constexpr uint8_t kFreed = 4;    // given up for all who refer to it, who are told so

struct ObjectEntry {
  ObjectId id;
  uint64_t pins[kHolderWords];
  uint64_t refs[kHolderWords];
  uint64_t size;
  uint64_t created_at;  // ms since the epoch
  uint32_t metadata_size;
  uint32_t block;
  uint32_t hash_next;
  uint32_t lru_prev;  // towards the older; also the link of the freeing list
  uint32_t lru_next;
  uint32_t edges;         // first of the edges to what this object contains
  uint32_t contained_by;  // how many edges lead here
  uint32_t free_next;
  uint32_t generation;
  uint16_t creator;   // client that writes it
  uint16_t promiser;  // client that owes the bytes of a promised object
  ObjectState state;
  uint8_t flags;
  uint16_t reserved;
  uint32_t copy_file;  // the spill file with a copy of its bytes, or kNone
  uint32_t reserved2;
  uint64_t copy_offset;  // where in it, data and metadata
  uint64_t copy_sum;     // their checksum
  uint64_t reserved3[3];
};
static_assert(sizeof(ObjectEntry) == 192);

// "container contains contained", on the container's list.
struct Edge {
  uint32_t contained;
  uint32_t next;
  uint32_t free_next;
  uint32_t reserved;
};

enum class BlockState : uint32_t { kUnused = 0, kFree = 1, kUsed = 2 };

// Blocks tile the data area in address order through prev/next.
struct Block {
  uint64_t start;  // units
  uint64_t units;
  uint32_t prev;
  uint32_t next;
  uint32_t bin_prev;
  uint32_t bin_next;
  uint32_t free_next;
  uint32_t owner;  // entry of a used block
  BlockState state;
  uint32_t last_client;  // the process that wrote here last: its page tables know these pages
};
static_assert(sizeof(Block) == 48);

struct Bins {
  uint64_t first_level;
  uint32_t second_level[kFirstLevels];
  uint32_t heads[kFirstLevels][kSecondLevels];
};

// kWriting: `writer` has created it, or is about to, and adds copies. kDoomed: no copy is of use
// any more; it is on the doomed list until somebody has unlinked it.
enum class SpillState : uint32_t { kFree = 0, kWriting = 1, kReady = 2, kDoomed = 3 };

// A file in Header::spill_directory with copies of objects' bytes.
struct SpillFile {
  uint64_t number;   // its name; no other file of the segment ever has it
  uint64_t bytes;    // at most so many
  uint32_t objects;  // entries whose copy_file it is
  SpillState state;
  uint32_t writer;     // client
  uint32_t free_next;  // also the link of the doomed list
};
static_assert(sizeof(SpillFile) == 32);

// Counting equations (check() verifies them):
//   charged_bytes   = sum of weight over entries that own a block
//   evictable_bytes = sum of weight over entries on the LRU list that the policy may evict, or that
//                     have a copy in a spill file; listed_bytes: over all on the list
//   sealed, unsealed, spilled = entries in state sealed, created, spilled or restoring (deleted
//                     ones included)
//   spill_bytes     = sum of bytes over spill files in use; files_in_writing of them are kWriting;
//                     `objects` of each is the number of entries whose copy it has, none if doomed
//   largest_copy   >= weight of every entry that has a copy; 0 if spill_bytes is
//   pinned_objects, pinned_bytes = count and sum of weight of entries with a bit in `pins`
// The LRU list holds exactly the sealed entries with no bit in `pins`, oldest first. Those up to
// lru_copied, if that is any, were copied to make room, and are the first to go.
struct StoreState {
  LockArea lock;
  Table entries;
  Table blocks;
  Table edges;
  Table files;
  uint64_t charged_bytes;
  uint64_t evictable_bytes;
  uint64_t listed_bytes;
  uint64_t spill_bytes;
  uint64_t largest_copy;
  uint64_t committed_chunks;
  uint32_t lru_oldest;
  uint32_t lru_youngest;
  uint32_t lru_copied;
  uint32_t freeing_head;
  uint32_t paging_block;  // a used block without owner whose pages `paging_client` is changing
  uint32_t paging_client;
  uint32_t doomed_file;  // first of the doomed list
  uint32_t files_in_writing;
  uint64_t sealed;
  uint64_t unsealed;
  uint64_t spilled;
  uint64_t pinned_objects;
  uint64_t pinned_bytes;
  uint64_t puts;
  uint64_t hits;
  uint64_t misses;
  uint64_t evictions;
  uint64_t evicted_bytes;
  uint64_t copies;  // made in spill files so far
  uint64_t copied_bytes;
  uint64_t restored;
  uint64_t restored_bytes;
  uint64_t next_file;
  uint64_t reclaimed_clients;
  uint64_t next_auto_id;
  Bins bins;
  uint64_t waiters[kAllBuckets][kHolderWords];
};

// --- Queues ------------------------------------------------------------------------------------

inline constexpr uint32_t kCellSize = 256;
inline constexpr uint64_t kArgumentUnit = 64 << 10;  // bytes
inline constexpr uint32_t kHeadPayload = 176;        // payload bytes in a record's first cell
inline constexpr uint32_t kMorePayload = 240;        // and in each cell that continues it

// Frozen: travels between processes.
enum class RecordKind : uint32_t {
  kTask = 1,        // to whoever takes it
  kCall = 2,        // to an actor
  kCompletion = 3,  // to the peer that sent the task or call
  kMessage = 4,     // to a peer
  kBounced = 5,     // a task or call back at its sender: whoever should have run it is gone
  kItem = 6,        // to the peer that sent the task or call, which goes on
};

struct List {
  uint32_t head;
  uint32_t reserved;
  uint32_t tail;
  uint32_t count;
};

// The first cell of a record. While the cell is free only free_next means anything.
struct Cell {
  uint32_t free_next;
  uint32_t more;  // next cell of the same record
  uint32_t next;  // on a list the neighbours, in a heap left child and parent
  uint32_t prev;
  RecordKind kind;
  uint32_t length;  // payload bytes
  uint32_t sender;  // peer
  uint32_t sender_uid;
  uint32_t target;      // shape, peer or actor
  uint32_t target_uid;  // priority (int32_t), uid, generation; number of an item
  uint32_t flags;  // of a call: how often it may be begun again (int32_t); -1: as often as it takes
  uint8_t rank;    // in a heap: edges to the nearest place without a child, plus 1
  uint8_t lent;    // in flight, and waits: the cpus of a task are given back for now
  uint16_t reserved;
  uint64_t sequence;
  uint64_t order;    // of tasks: among equals the lower first
  uint64_t devices;  // of a task in flight: a bit per device that it may use; of a call: how often
                     // it was begun before
  uint32_t holder;   // the peer that has a task or call in flight, or kNone
  uint32_t right;    // in a heap: right child; of a task in flight: kArgumentUnits of arguments
  uint8_t payload[kHeadPayload];
};
static_assert(sizeof(Cell) == kCellSize);

struct MoreCell {
  uint32_t free_next;
  uint32_t more;
  uint64_t reserved;
  uint8_t payload[kMorePayload];
};
static_assert(sizeof(MoreCell) == kCellSize);

enum class PeerState : uint32_t { kFree = 0, kLive = 1, kRetiring = 2 };

// uid is never used twice in a segment, so (slot, uid) names a peer for ever.
struct PeerSlot {
  PeerState state;
  uint32_t uid;
  uint32_t client;
  uint32_t client_generation;
  uint32_t pid;
  int32_t bell_fd;
  uint64_t bell_device;
  uint64_t bell_inode;
  uint32_t armed;      // its event loop sleeps or will look once more before it does
  uint32_t idle_kind;  // the kind of worker whose tasks it waits for, or kNone
  List mailbox;
  List in_flight;
  uint32_t is_worker;  // the runtime's driver has started it
  uint32_t blamed;     // it is about to be ended for the last of in_flight
  uint32_t waiting;    // the one of in_flight that waits for room for its arguments, or kNone
  uint32_t reserved[9];
};
static_assert(sizeof(PeerSlot) == 128);

// kPending: it never had a host. kRestarting: it had one, and is to have another.
enum class ActorState : uint32_t { kFree = 0, kPending = 1, kAlive = 2, kRestarting = 3 };

struct ActorSlot {
  ActorState state;
  uint32_t generation;
  uint32_t host;
  uint32_t host_uid;
  uint32_t owner;
  uint32_t owner_uid;
  uint32_t free_next;
  int32_t restarts;   // how many more hosts it may have after this one; -1: as many as it takes
  List pending;       // calls that wait for a host
  uint32_t returned;  // the last of them that has come back from a host, or kNone
  uint32_t attempt;   // the number of the last host
  uint32_t made;      // the last of them that has made it, or kNone: this one may have begun calls
  uint32_t reserved[17];
};
static_assert(sizeof(ActorSlot) == 128);

// Amounts of resources are in ten-thousandths.
inline constexpr int64_t kWhole = 10'000;
inline constexpr uint32_t kCpu = 0;
inline constexpr uint32_t kGpu = 1;

struct Resource {
  uint64_t name[8];  // UTF-8, ends with a zero
  int64_t total;
  int64_t available;  // of cpu possibly below zero
};

// A heap is leftist: no path to the right is longer than the logarithm of its records.
struct Shape {
  uint32_t kind;       // of worker
  uint32_t resources;  // a bit per resource that it asks for
  List queue;          // tasks of priority 0, in order of submission
  uint32_t heap;       // root of the tasks of other priorities, or kNone
  uint32_t heap_count;
  int64_t amounts[kMaxResources];
};
static_assert(sizeof(Shape) == 288);

// Facts (check_queue() verifies them):
//   1. Every cell below cells.used is free or in one record; every record is on one list or heap.
//   2. Tasks stand in shapes and in_flight, calls in mailboxes, pending and in_flight, all else in
//      mailboxes. A free peer and an actor with a live host have none waiting.
//   3. `holder` of a task or call is the peer on whose in_flight it is, or kNone.
//   4. A peer with an idle_kind waits for tasks of that kind. Its bit in `idle` is set, or it has
//      been rung for a task since: summoned[kind] counts the latter.
//   5. A peer's process, an actor's owner and its host have not ended, or are being retired.
//   6. In a heap no record goes before its parent, and of two children the right one's rank is the
//      lower or equal; rank is that of the right child plus 1, and 1 without.
//   7. A bit in `nonempty` stands for a shape of that kind with tasks.
//   8. available = total - the sum of what tasks in flight hold: the amounts of their shape, but no
//      cpu while they are lent. device_free adds up to gpu's available; a whole device belongs to
//      one task, parts of one add up to no more than the device.
//   9. submitted = tasks in shapes + tasks in flight + answered + withdrawn.
//  10. actors_ended = the sum of the actors' generations - actors in use; actors_restarting of
//      those are kRestarting.
//  11. `returned` of an actor is one of its pending calls, or kNone.
//  12. argument_units = the sum of those of tasks in flight that are not lent. argument_waiters
//      peers have a task that is `waiting`: one that they have in flight.
struct QueueState {
  LockArea lock;
  Table cells;
  Table actors;
  uint64_t idle[kWorkerKinds][kMaxPeers / 64];
  uint64_t nonempty[kWorkerKinds][kMaxShapes / 64];
  uint32_t summoned[kWorkerKinds];
  uint32_t next_uid;
  uint32_t peers_used;
  uint32_t shapes_used;
  uint32_t resources_used;
  uint32_t driver;  // the peer that owns the runtime, or kNone
  uint32_t driver_uid;
  uint64_t submitted;  // tasks so far; also the order of the next
  uint64_t answered;
  uint64_t withdrawn;  // bounced, cancelled, or dropped with their sender
  uint64_t finished;   // ended with a value
  uint64_t failed;     // ended without, as their senders say
  uint64_t retried;    // submitted for another time
  uint64_t bounced;    // records sent back, calls too
  uint64_t actors_ended;
  uint64_t actors_restarting;
  uint64_t argument_units;
  uint32_t argument_waiters;
  uint32_t arguments_freed;  // there are fewer units than when a peer began to wait
  int64_t device_free[kMaxDevices];
  Resource resources[kMaxResources];
  Shape shapes[kMaxShapes];
  PeerSlot peers[kMaxPeers];
};

uint64_t layout_hash();

inline uint64_t round_up(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

inline uint64_t weight_of(uint64_t size, uint64_t metadata_size) {
  uint64_t bytes = round_up(size + metadata_size, kUnit);
  return bytes == 0 ? kUnit : bytes;
}

inline bool test_bit(const uint64_t* words, uint32_t bit) {
  return (words[bit / 64] >> (bit % 64) & 1) != 0;
}

}  // namespace mobula::shm

#endif  // MOBULA_SHM_LAYOUT_H_
