#include "test/segment_image.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>

#include "port/port.h"
#include "test/support.h"

namespace mobula::test {
namespace {

// The robust futex of a mutex is its first word in glibc, its second in musl.
void leave_locked(port::RobustMutex* mutex) {
  if (!port::mutex_is_locked(*mutex)) return;
  size_t word = strcmp(port::libc_name(), "glibc") == 0 ? 0 : 1;
  reinterpret_cast<uint32_t*>(mutex)[word] = FUTEX_OWNER_DIED;
}

}  // namespace

SegmentImage::SegmentImage(const shm::Segment& segment)
    : bytes_(segment.base(), segment.base() + segment.header().data_offset),
      file_size_(segment.size()) {
  static uint64_t images = 0;
  ++images;
  memcpy(header().store_id.bytes.data(), &images, sizeof images);
}

void SegmentImage::kill_clients() {
  leave_locked(&at<shm::StoreState>(header().store_offset).lock.mutex);
  auto* clients = &at<shm::ClientSlot>(header().clients_offset);
  for (uint32_t slot = 0; slot < shm::kMaxClients; ++slot) {
    leave_locked(&clients[slot].liveness);
    clients[slot].start_time += 1;
  }
}

Status SegmentImage::attach(std::unique_ptr<ObjectStore>* out) {
  int fd = -1;
  REQUIRE(port::memory_file_create("mobula-image", file_size_, &fd) == 0);
  REQUIRE(port::file_write(fd, 0, bytes_.data(), bytes_.size()) == 0);
  Status status = ObjectStore::attach({port::process_id(), fd, header().store_id}, out);
  port::file_close(fd);
  return status;
}

void detach(std::unique_ptr<ObjectStore> store) {
  int fd = store->client()->segment().fd();
  store.reset();
  while (fcntl(fd, F_GETFD) == 0) sched_yield();
}

}  // namespace mobula::test
