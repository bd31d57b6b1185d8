#ifndef MOBULA_PORT_PORT_H_
#define MOBULA_PORT_PORT_H_

// Every operating-system primitive that the core needs, with its preconditions. The only code with
// ifdefs and raw atomics stands behind this header. All functions may be called from any thread
// unless they say otherwise. Functions that return int give 0 or an errno value.

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace mobula::port {

// Names the C library whose mutex layout a segment holds, e.g. "glibc".
const char* libc_name();

// --- Order -----------------------------------------------------------------------------------

// Keeps the compiler from moving memory accesses across it. Enough for crash consistency: when a
// process is killed, its stores are visible to survivors in program order.
inline void compiler_barrier() { std::atomic_signal_fence(std::memory_order_seq_cst); }

// A word of shared memory that others may write at this moment: some value that it had, whole.
template <class T>
T load_word(const T& word) {
  return std::atomic_ref<T>(const_cast<T&>(word)).load(std::memory_order_relaxed);
}
template <class T>
void store_word(T& word, T value) {
  std::atomic_ref<T>(word).store(value, std::memory_order_relaxed);
}

inline void cpu_relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// --- Robust process-shared mutex ---------------------------------------------------------------

// Lives in shared memory. The kernel marks it when the owning *thread* dies.
struct alignas(64) RobustMutex {
  pthread_mutex_t native;
};
static_assert(sizeof(RobustMutex) == 64);

enum class LockResult { kAcquired, kOwnerDied, kBusy, kBroken };

// Locking a mutex whose memory holds something else gives kBroken.
int mutex_init(RobustMutex* mutex);
LockResult mutex_try_lock(RobustMutex* mutex);
// Waits at most `timeout_ms`; kBusy on expiry. kOwnerDied means the caller owns it and must call
// mutex_make_consistent before it unlocks.
LockResult mutex_lock_for(RobustMutex* mutex, uint32_t timeout_ms);
void mutex_make_consistent(RobustMutex* mutex);
void mutex_unlock(RobustMutex* mutex);
// A mutex that is held for long may be damaged meanwhile, and unlocking follows pointers in it.
// `as_locked` is its image from when the same thread had just locked it; a mutex that differs stays
// locked until the thread ends.
struct MutexImage {
  unsigned char bytes[sizeof(RobustMutex)];
};
MutexImage mutex_image(const RobustMutex& mutex);
void mutex_unlock_as(RobustMutex* mutex, const MutexImage& as_locked);
bool mutex_is_locked(const RobustMutex& mutex);
// The id of the thread that holds it; 0 when there is none.
uint32_t mutex_owner(const RobustMutex& mutex);
// Its owner has died, and nobody has taken it over yet.
bool mutex_is_abandoned(const RobustMutex& mutex);

// --- Futex on a shared word --------------------------------------------------------------------

// Returns when woken, when *word != expected, on a signal, or after `timeout_ms`.
void futex_wait(const std::atomic<uint32_t>* word, uint32_t expected, uint32_t timeout_ms);
void futex_wake_all(std::atomic<uint32_t>* word);

// --- Memory files ------------------------------------------------------------------------------

// Each creates a file of exactly `size` sparse bytes, sealed against resizing where the system
// can, close-on-exec. The fd is the caller's.
int memory_file_create(const char* debug_name, uint64_t size, int* fd);
// A 0600 file in the shared-memory directory; EEXIST when the name is taken.
int named_file_create(const char* name, uint64_t size, int* fd);
int named_file_open(const char* name, int* fd);
// Where named files are, with a slash at its end.
const char* shared_memory_directory();
int named_file_unlink(const char* name);
// Opens what descriptor `remote_fd` of process `pid` refers to, with access rights checked anew.
int process_file_open(uint32_t pid, int remote_fd, int* fd);
// The same open file under a further descriptor, close-on-exec.
int file_duplicate(int fd, int* duplicate);
int file_size(int fd, uint64_t* size);
// Identifies the open file for as long as anybody has it open.
int file_identity(int fd, uint64_t* device, uint64_t* inode);

// Allocates the pages of [offset, offset + length): later access cannot fault for want of space.
int file_commit(int fd, uint64_t offset, uint64_t length);
// Gives the pages back; they read as zero.
int file_punch(int fd, uint64_t offset, uint64_t length);
// Writes all bytes, allocating pages without zeroing them first.
int file_write(int fd, uint64_t offset, const void* bytes, uint64_t length);
// Bytes of the file system that the file is on, in all and left; 0 when it has no limit of its own.
uint64_t file_system_size(int fd);
uint64_t file_system_free(int fd);
void file_close(int fd);

// --- Files on disk -----------------------------------------------------------------------------

// A new 0600 file to write to; EEXIST when there is one.
int disk_file_create(const char* path, int* fd);
int disk_file_open(const char* path, int* fd);  // to read from
// Writes all of them, one after the other. `parts` is used up.
struct Part {
  const void* bytes;
  uint64_t length;
};
int disk_file_write(int fd, uint64_t offset, const Part* parts, uint32_t count);
// EIO when the file ends before that.
int disk_file_read(int fd, uint64_t offset, void* bytes, uint64_t length);
int disk_file_remove(const char* path);

// Makes a 0700 directory, or takes one that nobody has taken, for as long as this process has `fd`
// open. EWOULDBLOCK when somebody has.
int directory_take(const char* path, bool create, int* fd);
// With the files in it, those too that somebody adds meanwhile.
int directory_remove(const char* path);
// When SIGINT or SIGTERM ends this process, the directory goes first, with the files in it; not
// when the program handles them itself. A number for directory_spare(); -1 when there are too many.
int directory_doom(const char* path);
void directory_spare(int doomed_directory);
// Calls `found` for each name in it.
int directory_list(const char* path, void (*found)(void* context, const char* name), void* context);

// --- Mappings ----------------------------------------------------------------------------------

// Null on failure, with errno set.
void* map_shared(int fd, uint64_t length, bool writable);
// Zero-filled private memory that costs nothing until touched.
void* map_private(uint64_t length);
// As file_commit for a part of a writable shared mapping, and enters the pages into the process's
// page tables: writing does not fault then. Systems without this need file_commit: EINVAL.
int map_commit(void* address, uint64_t length);
// Asks for huge pages under a mapping. False when the system has none for memory files, or gives
// them without being asked.
bool map_advise_huge(void* address, uint64_t length);
void unmap(void* address, uint64_t length);
// Makes whole pages of a writable map_shared() mapping read-only, or writable again. ENOMEM, with
// nothing changed, when the process would have too many mappings.
int protect(void* address, uint64_t length, bool writable);
uint64_t page_size();

// --- Faults ------------------------------------------------------------------------------------

// Calls `explain` from now on, on the thread and with the address, when the process writes to
// memory that it may only read. Explained (true), the process ends by SIGSEGV; all other faults go
// where they would go without this. `explain` runs in a signal handler: it may call only what is
// async-signal-safe. To be called once in a process.
int explain_write_faults(bool (*explain)(const void* address));
// To standard error, as far as it takes it without waiting. Async-signal-safe.
void write_error(const char* text, size_t length);

// --- Processes ---------------------------------------------------------------------------------

uint32_t process_id();
uint32_t thread_id();
// Clock ticks after boot at which the process started; 0 when there is no such process.
uint64_t process_start_time(uint32_t pid);
// True once `pid`, started at `start_time`, can no longer write to memory it had mapped: it is
// gone, a zombie, its pid belongs to somebody else, or it has exec'd and no longer maps a file
// whose name contains `mapping_name`.
bool process_is_gone(uint32_t pid, uint64_t start_time, const char* mapping_name);
// True from the moment on at which the process cannot go on: killed, exiting or gone.
bool process_is_ending(uint32_t pid, uint64_t start_time);
// Whether a thread `tid` runs in a process that maps a file whose name contains `mapping_name`.
// Nothing when this process may not know.
std::optional<bool> thread_maps(uint32_t tid, const char* mapping_name);
// True while the thread is stopped by a signal or a tracer.
bool thread_is_stopped(uint32_t pid, uint32_t tid);
uint64_t pid_namespace();
// The kernel kills this process when the thread that started it ends; it does so no longer when
// `parent` is 0. Returns false when that thread's process, `parent`, is gone already. To be called
// by the same thread each time.
bool die_with_parent(uint32_t parent);
// Kills this process, and if it leads its process group all others of that group.
[[noreturn]] void kill_group();
// How a child has ended: its exit code, or minus the signal that killed it. Nothing while it runs.
// Who waits for the child learns of its end as if nobody had asked.
std::optional<int> child_end(uint32_t pid);
// Takes a name that only one socket at a time can have, among the processes that share a network.
// EADDRINUSE when somebody has it. It is free again when the fd and its copies are closed, in
// particular when the process dies. At most 100 bytes; /proc/net/unix lists it behind a '@'.
int name_claim(const char* name, int* fd);
// A pipe for a child's output: reading does not block, writing does. Both ends are close-on-exec.
int pipe_create(int* read_fd, int* write_fd);

// --- Doorbell: a pipe that one event loop polls and anybody may ring -----------------------------

int bell_create(int* read_fd, int* write_fd);
// Opens the writing side of a bell of another process; verifies its identity.
int bell_open(uint32_t pid, int remote_fd, uint64_t device, uint64_t inode, int* write_fd);
void bell_ring(int write_fd);
void bell_drain(int read_fd);
// True once it has been rung since it was drained; false after `timeout_ms`, or on a signal.
bool bell_wait(int read_fd, uint32_t timeout_ms);

// --- Fail points -------------------------------------------------------------------------------

// Places that tests want to see: there they end or stop the process, or look at memory.
enum class FailPoint {
  kCommitting,      // a transaction is whole, the log of its LockArea not yet emptied
  kUndoing,         // a dead holder's words are back, its log is not yet empty
  kBeforeWake,      // a change is committed, who waits for it is not woken
  kEvicted,         // between two evictions
  kFreed,           // between two steps of taking a container apart
  kReaping,         // between two objects of a dead client
  kPagesCommitted,  // the system has given pages, the store does not know it
  kPaging,          // a free block is taken, its pages have come or gone
  kClaiming,        // a liveness mutex is held, the slot still free
  kCopied,          // a spill file is written, no entry knows it
  kReadBack,        // a block has its bytes again, its entry does not say so
  kUnlinked,        // a spill file is gone, its row is not
};
inline constexpr uint32_t kFailPoints = 12;

#if defined(MOBULA_FAIL_POINTS)
void fail_point(FailPoint point, const void* subject = nullptr);  // test/fail_points.h
#else
inline void fail_point(FailPoint, const void* = nullptr) {}
#endif

// --- Threads, time, randomness -------------------------------------------------------------------

// A detached thread with a small stack and every signal blocked. `name` has at most 15 characters.
int thread_start(const char* name, void (*run)(void*), void* argument);
uint64_t wall_clock_ms();
uint64_t monotonic_ms();
uint64_t monotonic_us();
void sleep_ms(uint32_t ms);  // or less, on a signal
void random_bytes(void* out, size_t length);

}  // namespace mobula::port

#endif  // MOBULA_PORT_PORT_H_
