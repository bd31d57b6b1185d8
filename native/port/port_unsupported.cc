// The port to a system that there is none for yet: nothing can be created or opened, so whatever
// works on what was created is never called. lib/store refuses such a system before it loads this.

#include <errno.h>
#include <stdlib.h>

#include "port/port.h"

namespace mobula::port {
namespace {

[[noreturn]] void unreachable() { abort(); }

}  // namespace

const char* libc_name() { return "unsupported"; }

int mutex_init(RobustMutex*) { return ENOSYS; }
LockResult mutex_try_lock(RobustMutex*) { return LockResult::kBroken; }
LockResult mutex_lock_for(RobustMutex*, uint32_t) { return LockResult::kBroken; }
void mutex_make_consistent(RobustMutex*) { unreachable(); }
void mutex_unlock(RobustMutex*) { unreachable(); }
MutexImage mutex_image(const RobustMutex&) { unreachable(); }
void mutex_unlock_as(RobustMutex*, const MutexImage&) { unreachable(); }
bool mutex_is_locked(const RobustMutex&) { unreachable(); }
uint32_t mutex_owner(const RobustMutex&) { unreachable(); }
bool mutex_is_abandoned(const RobustMutex&) { unreachable(); }

void futex_wait(const std::atomic<uint32_t>*, uint32_t, uint32_t) { unreachable(); }
void futex_wake_all(std::atomic<uint32_t>*) { unreachable(); }

int memory_file_create(const char*, uint64_t, int*) { return ENOSYS; }
int named_file_create(const char*, uint64_t, int*) { return ENOSYS; }
int named_file_open(const char*, int*) { return ENOSYS; }
const char* shared_memory_directory() { return ""; }
int named_file_unlink(const char*) { return ENOSYS; }
int process_file_open(uint32_t, int, int*) { return ENOSYS; }
int file_duplicate(int, int*) { return ENOSYS; }
int file_size(int, uint64_t*) { return ENOSYS; }
int file_identity(int, uint64_t*, uint64_t*) { return ENOSYS; }
int file_commit(int, uint64_t, uint64_t) { return ENOSYS; }
int file_punch(int, uint64_t, uint64_t) { return ENOSYS; }
int file_write(int, uint64_t, const void*, uint64_t) { return ENOSYS; }
uint64_t file_system_size(int) { return 0; }
uint64_t file_system_free(int) { return 0; }
void file_close(int) { unreachable(); }

int disk_file_create(const char*, int*) { return ENOSYS; }
int disk_file_open(const char*, int*) { return ENOSYS; }
int disk_file_write(int, uint64_t, const Part*, uint32_t) { return ENOSYS; }
int disk_file_read(int, uint64_t, void*, uint64_t) { return ENOSYS; }
int disk_file_remove(const char*) { return ENOSYS; }
int directory_take(const char*, bool, int*) { return ENOSYS; }
int directory_remove(const char*) { return ENOSYS; }
int directory_doom(const char*) { return -1; }
void directory_spare(int) {}
int directory_list(const char*, void (*)(void*, const char*), void*) { return ENOSYS; }

void* map_shared(int, uint64_t, bool) {
  errno = ENOSYS;
  return nullptr;
}
void* map_private(uint64_t) {
  errno = ENOSYS;
  return nullptr;
}
int map_commit(void*, uint64_t) { return ENOSYS; }
bool map_advise_huge(void*, uint64_t) { return false; }
void unmap(void*, uint64_t) { unreachable(); }
int protect(void*, uint64_t, bool) { return ENOSYS; }
uint64_t page_size() { return 4096; }

int explain_write_faults(bool (*)(const void*)) { return ENOSYS; }
void write_error(const char*, size_t) {}

uint32_t process_id() { unreachable(); }
uint32_t thread_id() { unreachable(); }
uint64_t process_start_time(uint32_t) { return 0; }
bool process_is_gone(uint32_t, uint64_t, const char*) { unreachable(); }
bool process_is_ending(uint32_t, uint64_t) { unreachable(); }
std::optional<bool> thread_maps(uint32_t, const char*) { return std::nullopt; }
bool thread_is_stopped(uint32_t, uint32_t) { return false; }
uint64_t pid_namespace() { return 0; }
bool die_with_parent(uint32_t) { return false; }
void kill_group() { unreachable(); }
std::optional<int> child_end(uint32_t) { return std::nullopt; }
int name_claim(const char*, int*) { return ENOSYS; }
int pipe_create(int*, int*) { return ENOSYS; }

int bell_create(int*, int*) { return ENOSYS; }
int bell_open(uint32_t, int, uint64_t, uint64_t, int*) { return ENOSYS; }
void bell_ring(int) { unreachable(); }
void bell_drain(int) { unreachable(); }
bool bell_wait(int, uint32_t) { unreachable(); }

int thread_start(const char*, void (*)(void*), void*) { return ENOSYS; }
uint64_t wall_clock_ms() { return 0; }
uint64_t monotonic_ms() { return 0; }
uint64_t monotonic_us() { return 0; }
void sleep_ms(uint32_t) {}
void random_bytes(void*, size_t) { unreachable(); }

}  // namespace mobula::port
