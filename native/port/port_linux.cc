#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "port/port.h"
#include "port/small_file.h"

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace mobula::port {
namespace {

constexpr const char* kSharedMemoryDirectory = "/dev/shm/";

// The two words of the C library's mutex that say whether it is one and who holds it. Both
// libraries keep the kernel's robust futex format in the second.
#if defined(__GLIBC__)
uint32_t kind_of(const RobustMutex& mutex) {
  return static_cast<uint32_t>(load_word(mutex.native.__data.__kind));
}
uint32_t word_of(const RobustMutex& mutex) {
  return static_cast<uint32_t>(load_word(mutex.native.__data.__lock));
}
#else
uint32_t kind_of(const RobustMutex& mutex) {
  return static_cast<uint32_t>(load_word(reinterpret_cast<const int*>(&mutex)[0]));
}
uint32_t word_of(const RobustMutex& mutex) {
  return static_cast<uint32_t>(load_word(reinterpret_cast<const int*>(&mutex)[1]));
}
#endif

const uint32_t kRobustKind = [] {
  RobustMutex mutex;
  return mutex_init(&mutex) == 0 ? kind_of(mutex) : 0;
}();

timespec realtime_in(uint32_t ms) {
  timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  at.tv_sec += ms / 1000;
  at.tv_nsec += static_cast<long>(ms % 1000) * 1'000'000;
  if (at.tv_nsec >= 1'000'000'000) {
    at.tv_sec += 1;
    at.tv_nsec -= 1'000'000'000;
  }
  return at;
}

LockResult lock_result(int error) {
  switch (error) {
    case 0:
      return LockResult::kAcquired;
    case EOWNERDEAD:
      return LockResult::kOwnerDied;
    case EBUSY:
    case ETIMEDOUT:
      return LockResult::kBusy;
    default:
      return LockResult::kBroken;
  }
}

uint64_t clock_ms(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

std::string shared_memory_path(const char* name) {
  return std::string(kSharedMemoryDirectory) + name;
}

int size_file(int fd, uint64_t size) {
  return ftruncate(fd, static_cast<off_t>(size)) == 0 ? 0 : errno;
}

struct ThreadStart {
  void (*run)(void*);
  void* argument;
  char name[16];
};

void* thread_main(void* raw) {
  auto* start = static_cast<ThreadStart*>(raw);
  ThreadStart copy = *start;
  free(start);
  pthread_setname_np(pthread_self(), copy.name);
  copy.run(copy.argument);
  return nullptr;
}

}  // namespace

const char* libc_name() {
#if defined(__GLIBC__)
  return "glibc";
#else
  return "musl";
#endif
}

int mutex_init(RobustMutex* mutex) {
  pthread_mutexattr_t attributes;
  if (int error = pthread_mutexattr_init(&attributes)) return error;
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  int error = pthread_mutex_init(&mutex->native, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return error;
}

LockResult mutex_try_lock(RobustMutex* mutex) {
  if (kind_of(*mutex) != kRobustKind) return LockResult::kBroken;
  return lock_result(pthread_mutex_trylock(&mutex->native));
}

LockResult mutex_lock_for(RobustMutex* mutex, uint32_t timeout_ms) {
  if (kind_of(*mutex) != kRobustKind) return LockResult::kBroken;
  timespec at = realtime_in(timeout_ms);
  int error = pthread_mutex_timedlock(&mutex->native, &at);
#if defined(__SANITIZE_THREAD__)
  // ThreadSanitizer believes that only a zero here means locked.
  if (error == EOWNERDEAD) {
    __tsan_mutex_pre_lock(&mutex->native, 0);
    __tsan_mutex_post_lock(&mutex->native, 0, 0);
  }
#endif
  return lock_result(error);
}

void mutex_make_consistent(RobustMutex* mutex) { pthread_mutex_consistent(&mutex->native); }
void mutex_unlock(RobustMutex* mutex) { pthread_mutex_unlock(&mutex->native); }

MutexImage mutex_image(const RobustMutex& mutex) {
  MutexImage image;
  memcpy(image.bytes, &mutex, sizeof image.bytes);
  return image;
}

// Both libraries keep the links of the thread's list of robust mutexes here.
void mutex_unlock_as(RobustMutex* mutex, const MutexImage& as_locked) {
  constexpr size_t kLinks = 3 * sizeof(void*), kLinksSize = 2 * sizeof(void*);
  MutexImage now = mutex_image(*mutex);
  bool same = memcmp(now.bytes + kLinks, as_locked.bytes + kLinks, kLinksSize) == 0;
  if (same && kind_of(*mutex) == kRobustKind) mutex_unlock(mutex);
}

bool mutex_is_locked(const RobustMutex& mutex) { return word_of(mutex) != 0; }
uint32_t mutex_owner(const RobustMutex& mutex) { return word_of(mutex) & FUTEX_TID_MASK; }
bool mutex_is_abandoned(const RobustMutex& mutex) {
  return (word_of(mutex) & FUTEX_OWNER_DIED) != 0;
}

void futex_wait(const std::atomic<uint32_t>* word, uint32_t expected, uint32_t timeout_ms) {
  timespec timeout{static_cast<time_t>(timeout_ms / 1000),
                   static_cast<long>(timeout_ms % 1000) * 1'000'000};
  syscall(SYS_futex, word, FUTEX_WAIT, expected, &timeout, nullptr, 0);
}

void futex_wake_all(std::atomic<uint32_t>* word) {
  syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
}

int memory_file_create(const char* debug_name, uint64_t size, int* fd) {
  int file = memfd_create(debug_name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return errno;
  int error = size_file(file, size);
  if (error == 0 && fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    error = errno;
  }
  if (error != 0) {
    close(file);
    return error;
  }
  *fd = file;
  return 0;
}

const char* shared_memory_directory() { return kSharedMemoryDirectory; }

int named_file_create(const char* name, uint64_t size, int* fd) {
  std::string path = shared_memory_path(name);
  int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return errno;
  if (int error = size_file(file, size)) {
    unlink(path.c_str());
    close(file);
    return error;
  }
  *fd = file;
  return 0;
}

int named_file_open(const char* name, int* fd) {
  int file = open(shared_memory_path(name).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return errno;
  struct stat status;
  if (fstat(file, &status) != 0 || status.st_uid != geteuid()) {
    close(file);
    return EACCES;
  }
  *fd = file;
  return 0;
}

int named_file_unlink(const char* name) {
  return unlink(shared_memory_path(name).c_str()) == 0 ? 0 : errno;
}

int process_file_open(uint32_t pid, int remote_fd, int* fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/fd/%d", pid, remote_fd);
  int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return errno;
  *fd = file;
  return 0;
}

int file_duplicate(int fd, int* duplicate) {
  int file = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (file < 0) return errno;
  *duplicate = file;
  return 0;
}

int file_size(int fd, uint64_t* size) {
  struct stat status;
  if (fstat(fd, &status) != 0) return errno;
  *size = static_cast<uint64_t>(status.st_size);
  return 0;
}

int file_identity(int fd, uint64_t* device, uint64_t* inode) {
  struct stat status;
  if (fstat(fd, &status) != 0) return errno;
  *device = status.st_dev;
  *inode = status.st_ino;
  return 0;
}

int file_commit(int fd, uint64_t offset, uint64_t length) {
  int result;
  do {
    result = fallocate(fd, 0, static_cast<off_t>(offset), static_cast<off_t>(length));
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

int file_punch(int fd, uint64_t offset, uint64_t length) {
  int result = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                         static_cast<off_t>(length));
  return result == 0 ? 0 : errno;
}

int file_write(int fd, uint64_t offset, const void* bytes, uint64_t length) {
  auto* from = static_cast<const char*>(bytes);
  while (length > 0) {
    ssize_t written = pwrite(fd, from, length, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    from += written;
    offset += static_cast<uint64_t>(written);
    length -= static_cast<uint64_t>(written);
  }
  return 0;
}

uint64_t file_system_size(int fd) {
  struct statfs status;
  if (fstatfs(fd, &status) != 0) return 0;
  return static_cast<uint64_t>(status.f_blocks) * static_cast<uint64_t>(status.f_bsize);
}

uint64_t file_system_free(int fd) {
  struct statfs status;
  if (fstatfs(fd, &status) != 0) return 0;
  return static_cast<uint64_t>(status.f_bavail) * static_cast<uint64_t>(status.f_bsize);
}

void file_close(int fd) { close(fd); }

void* map_shared(int fd, uint64_t length, bool writable) {
  int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void* address = mmap(nullptr, length, protection, MAP_SHARED | MAP_NORESERVE, fd, 0);
  return address == MAP_FAILED ? nullptr : address;
}

void* map_private(uint64_t length) {
  void* address = mmap(nullptr, length, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

int map_commit(void* address, uint64_t length) {
  constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE, since Linux 5.14
  int result;
  do {
    result = madvise(address, length, kPopulateWrite);
  } while (result != 0 && (errno == EINTR || errno == EAGAIN));
  if (result == 0) return 0;
  return errno == EFAULT ? ENOSPC : errno;
}

bool map_advise_huge(void* address, uint64_t length) {
  char text[128];
  return read_small_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled", text, sizeof text) &&
         strstr(text, "[advise]") != nullptr && madvise(address, length, MADV_HUGEPAGE) == 0;
}

void unmap(void* address, uint64_t length) { munmap(address, length); }

uint64_t page_size() {
  static const uint64_t size = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return size;
}

int bell_create(int* read_fd, int* write_fd) {
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return errno;
  *read_fd = ends[0];
  *write_fd = ends[1];
  return 0;
}

// Opened for reading too, so that ringing a bell whose owner has died raises no SIGPIPE.
int bell_open(uint32_t pid, int remote_fd, uint64_t device, uint64_t inode, int* write_fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/fd/%d", pid, remote_fd);
  int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return errno;
  struct stat status;
  if (fstat(fd, &status) != 0 || status.st_dev != device || status.st_ino != inode) {
    close(fd);
    return ESRCH;
  }
  *write_fd = fd;
  return 0;
}

void bell_ring(int write_fd) {
  char byte = 1;
  while (write(write_fd, &byte, 1) < 0 && errno == EINTR) {
  }
}

void bell_drain(int read_fd) {
  char bytes[256];
  while (read(read_fd, bytes, sizeof bytes) == static_cast<ssize_t>(sizeof bytes)) {
  }
}

bool bell_wait(int read_fd, uint32_t timeout_ms) {
  pollfd bell{read_fd, POLLIN, 0};
  return poll(&bell, 1, static_cast<int>(timeout_ms)) == 1;
}

int thread_start(const char* name, void (*run)(void*), void* argument) {
  auto* start = static_cast<ThreadStart*>(malloc(sizeof(ThreadStart)));
  start->run = run;
  start->argument = argument;
  snprintf(start->name, sizeof start->name, "%s", name);

  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, thread_main, start);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) free(start);
  return error;
}

uint64_t wall_clock_ms() { return clock_ms(CLOCK_REALTIME); }
void sleep_ms(uint32_t ms) {
  timespec time{static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000) * 1'000'000};
  nanosleep(&time, nullptr);
}

uint64_t monotonic_ms() { return clock_ms(CLOCK_MONOTONIC); }

uint64_t monotonic_us() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

void random_bytes(void* out, size_t length) {
  auto* bytes = static_cast<char*>(out);
  while (length > 0) {
    ssize_t got = getrandom(bytes, length, 0);
    if (got <= 0) continue;
    bytes += got;
    length -= static_cast<size_t>(got);
  }
}

}  // namespace mobula::port
