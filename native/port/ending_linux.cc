#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <iterator>
#include <mutex>

#include "port/port.h"

namespace mobula::port {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM};
constexpr int kMostAttempts = 1000;

struct Doomed {
  std::atomic<pid_t> owner{0};  // 0: free; -1: being filled
  char path[PATH_MAX];
};

constinit Doomed doomed[16];
constinit std::mutex handlers_mutex;
struct sigaction previous[std::size(kSignals)];

// As the kernel gives it; readdir() needs memory, which a signal handler must not ask for.
struct Entry {
  ino64_t inode;
  off64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

void remove_files(int directory) {
  alignas(Entry) char buffer[4096];
  for (;;) {
    long bytes = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (bytes <= 0) return;
    for (long at = 0; at < bytes;) {
      auto* entry = reinterpret_cast<const Entry*>(buffer + at);
      unlinkat(directory, entry->name, 0);
      at += entry->length;
    }
  }
}

// Others may be adding files.
void remove_now(const char* path) {
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (directory < 0) return;
    remove_files(directory);
    close(directory);
    if (rmdir(path) == 0 || errno != ENOTEMPTY) return;
  }
}

void on_end(int signal) {
  for (Doomed& one : doomed) {
    if (one.owner.load() == getpid()) remove_now(one.path);
  }
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    if (kSignals[i] == signal) sigaction(signal, &previous[i], nullptr);
  }
  // It comes when this handler returns.
  raise(signal);
}

// Whether the signal ends the process: by the default, or after a handler for once, which is how
// Node gives the terminal back. Any other handler is somebody's who decides what it does.
bool is_deadly(const struct sigaction& action) {
  if ((action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_DFL) return true;
  return (action.sa_flags & SA_RESETHAND) != 0 && action.sa_handler != SIG_IGN;
}

void handle_signals() {
  std::lock_guard lock(handlers_mutex);
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    struct sigaction now = {};
    if (sigaction(kSignals[i], nullptr, &now) != 0 || !is_deadly(now)) continue;
    previous[i] = now;
    struct sigaction action = {};
    action.sa_handler = on_end;
    action.sa_mask = now.sa_mask;
    sigaction(kSignals[i], &action, nullptr);
  }
}

}  // namespace

int directory_doom(const char* path) {
  if (strlen(path) >= PATH_MAX) return -1;
  for (size_t i = 0; i < std::size(doomed); ++i) {
    pid_t free = 0;
    if (!doomed[i].owner.compare_exchange_strong(free, -1)) continue;
    strcpy(doomed[i].path, path);
    doomed[i].owner = getpid();
    handle_signals();
    return static_cast<int>(i);
  }
  return -1;
}

void directory_spare(int doomed_directory) {
  if (doomed_directory >= 0) doomed[doomed_directory].owner = 0;
}

}  // namespace mobula::port
