#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "port/port.h"

namespace mobula::port {
namespace {

int opened(int result, int* fd) {
  *fd = result;
  return result >= 0 ? 0 : errno;
}

// A directory may be removed, and made anew, before it is locked.
bool is_still(int fd, const char* path) {
  struct stat held, named;
  return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_dev == named.st_dev &&
         held.st_ino == named.st_ino;
}

}  // namespace

int disk_file_create(const char* path, int* fd) {
  return opened(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), fd);
}

int disk_file_open(const char* path, int* fd) {
  return opened(open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), fd);
}

int disk_file_write(int fd, uint64_t offset, const Part* parts, uint32_t count) {
  constexpr uint32_t kAtOnce = 256;
  static_assert(kAtOnce <= IOV_MAX);
  iovec list[kAtOnce];
  uint64_t skip = 0;  // of the first part
  while (count > 0) {
    uint32_t taken = std::min(count, kAtOnce);
    for (uint32_t i = 0; i < taken; ++i) {
      uint64_t done = i == 0 ? skip : 0;
      auto* from = static_cast<const char*>(parts[i].bytes) + done;
      list[i] = {const_cast<char*>(from), parts[i].length - done};
    }
    ssize_t written = pwritev(fd, list, static_cast<int>(taken), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    offset += static_cast<uint64_t>(written);
    uint64_t left = static_cast<uint64_t>(written) + skip;
    while (count > 0 && left >= parts->length) {
      left -= parts->length;
      ++parts;
      --count;
    }
    skip = left;
  }
  return 0;
}

int disk_file_read(int fd, uint64_t offset, void* bytes, uint64_t length) {
  auto* to = static_cast<char*>(bytes);
  while (length > 0) {
    ssize_t read = pread(fd, to, length, static_cast<off_t>(offset));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return errno;
    if (read == 0) return EIO;
    to += read;
    offset += static_cast<uint64_t>(read);
    length -= static_cast<uint64_t>(read);
  }
  return 0;
}

int disk_file_remove(const char* path) { return unlink(path) == 0 ? 0 : errno; }

int directory_take(const char* path, bool create, int* fd) {
  for (;;) {
    if (create && mkdir(path, 0700) != 0 && errno != EEXIST) return errno;
    int error = opened(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), fd);
    if (error == ENOENT && create) continue;
    if (error != 0) return error;
    error = flock(*fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    if (error == 0 && is_still(*fd, path)) return 0;
    close(*fd);
    if (error == 0 && !create) return ENOENT;
    if (error != 0 && error != EINTR) return error;
  }
}

// Nobody adds files under a name that nobody knows.
int directory_remove(const char* path) {
  std::string aside = std::string(path) + ".removed";
  if (rename(path, aside.c_str()) != 0) return errno;
  auto remove_one = [](void* context, const char* name) {
    (void)unlink((*static_cast<const std::string*>(context) + '/' + name).c_str());
  };
  int error = directory_list(aside.c_str(), remove_one, &aside);
  if (error != 0) return error;
  return rmdir(aside.c_str()) == 0 ? 0 : errno;
}

int directory_list(const char* path, void (*found)(void* context, const char* name),
                   void* context) {
  DIR* directory = opendir(path);
  if (directory == nullptr) return errno;
  while (const dirent* entry = readdir(directory)) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") found(context, name.c_str());
  }
  closedir(directory);
  return 0;
}

}  // namespace mobula::port
