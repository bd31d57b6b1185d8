#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/port.h"
#include "port/small_file.h"

namespace mobula::port {
namespace {

struct ProcStat {
  char state = 0;
  uint64_t flags = 0;
  uint64_t start_time = 0;
};

// The command name in field 2 may hold spaces and parentheses, so fields count from its last ')'.
bool parse_stat(const char* path, ProcStat* out) {
  char text[1024];
  if (!read_small_file(path, text, sizeof text)) return false;
  const char* field = strrchr(text, ')');
  if (field == nullptr || field[1] != ' ') return false;
  field += 2;
  out->state = *field;
  for (int number = 3; number < 22; ++number) {
    field = strchr(field, ' ');
    if (field == nullptr) return false;
    ++field;
    if (number == 8) out->flags = strtoull(field, nullptr, 10);
  }
  out->start_time = strtoull(field, nullptr, 10);
  return true;
}

bool has_pending_kill(const char* status, const char* set) {
  const char* line = strstr(status, set);
  return line != nullptr && (strtoull(line + strlen(set), nullptr, 16) >> (SIGKILL - 1) & 1) != 0;
}

// `id` names a process or any of its threads. Nothing when it may not be looked into, or when that
// thread has no memory any more, as the first one that has ended before the others.
std::optional<bool> process_maps(uint32_t id, const char* mapping_name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/maps", id);
  FILE* file = fopen(path, "re");
  if (file == nullptr) return std::nullopt;
  char* line = nullptr;
  size_t capacity = 0;
  bool any = false, found = false;
  while (!found && getline(&line, &capacity, file) > 0) {
    any = true;
    found = strstr(line, mapping_name) != nullptr;
  }
  free(line);
  fclose(file);
  return any ? std::optional(found) : std::nullopt;
}

// A zombie leader may still have siblings that run, or that the kernel copies for.
bool has_sibling_threads(uint32_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/task", pid);
  DIR* directory = opendir(path);
  if (directory == nullptr) return false;
  int threads = 0;
  while (const dirent* entry = readdir(directory)) threads += entry->d_name[0] != '.';
  closedir(directory);
  return threads > 1;
}

}  // namespace

bool read_small_file(const char* path, char* buffer, size_t capacity) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t length = read(fd, buffer, capacity - 1);
  close(fd);
  if (length <= 0) return false;
  buffer[length] = 0;
  return true;
}

// Both are asked for on every lock, and system calls cost more than the lock.
uint32_t process_id() {
  static std::atomic<uint32_t> cached{0};
  static const int registered = pthread_atfork(nullptr, nullptr, [] { cached = 0; });
  (void)registered;
  uint32_t id = cached.load(std::memory_order_relaxed);
  if (id != 0) return id;
  id = static_cast<uint32_t>(getpid());
  cached = id;
  return id;
}

uint32_t thread_id() {
  static thread_local uint32_t cached = 0;
  static thread_local uint32_t cached_for = 0;
  if (cached_for != process_id()) {
    cached = static_cast<uint32_t>(syscall(SYS_gettid));
    cached_for = process_id();
  }
  return cached;
}

uint64_t process_start_time(uint32_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/stat", pid);
  ProcStat stat;
  return parse_stat(path, &stat) ? stat.start_time : 0;
}

bool process_is_gone(uint32_t pid, uint64_t start_time, const char* mapping_name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/stat", pid);
  ProcStat stat;
  if (!parse_stat(path, &stat)) return access("/proc/self/stat", R_OK) == 0;
  if (stat.start_time != start_time) return true;
  if (stat.state == 'Z' || stat.state == 'X') return !has_sibling_threads(pid);
  return !process_maps(pid, mapping_name).value_or(true);
}

bool process_is_ending(uint32_t pid, uint64_t start_time) {
  constexpr uint64_t kExiting = 4;  // PF_EXITING
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/stat", pid);
  ProcStat stat;
  if (!parse_stat(path, &stat) || stat.start_time != start_time) return true;
  if (stat.state == 'Z' || stat.state == 'X' || (stat.flags & kExiting) != 0) return true;
  snprintf(path, sizeof path, "/proc/%u/status", pid);
  char text[4096];
  return read_small_file(path, text, sizeof text) &&
         (has_pending_kill(text, "SigPnd:") || has_pending_kill(text, "ShdPnd:"));
}

std::optional<int> child_end(uint32_t pid) {
  siginfo_t info{};
  if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return {};
  return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
}

std::optional<bool> thread_maps(uint32_t tid, const char* mapping_name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/stat", tid);
  ProcStat stat;
  if (parse_stat(path, &stat)) return process_maps(tid, mapping_name);
  if (access("/proc/self/stat", R_OK) == 0) return false;
  return std::nullopt;
}

bool thread_is_stopped(uint32_t pid, uint32_t tid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/task/%u/stat", pid, tid);
  ProcStat stat;
  return parse_stat(path, &stat) && (stat.state == 'T' || stat.state == 't');
}

uint64_t pid_namespace() {
  struct stat status;
  return stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

bool die_with_parent(uint32_t parent) {
  prctl(PR_SET_PDEATHSIG, parent == 0 ? 0 : SIGKILL);
  return parent == 0 || static_cast<uint32_t>(getppid()) == parent;
}

int name_claim(const char* name, int* fd) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  size_t length = strlen(name);
  if (length + 1 > sizeof address.sun_path) return ENAMETOOLONG;
  memcpy(address.sun_path + 1, name, length);  // abstract: behind a zero byte
  int claim = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (claim < 0) return errno;
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  if (bind(claim, reinterpret_cast<sockaddr*>(&address), size) != 0) {
    int error = errno;
    close(claim);
    return error;
  }
  *fd = claim;
  return 0;
}

int pipe_create(int* read_fd, int* write_fd) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  *read_fd = ends[0];
  *write_fd = ends[1];
  return 0;
}

void kill_group() {
  if (getpgrp() == getpid()) kill(0, SIGKILL);
  _exit(1);
}

}  // namespace mobula::port
