#ifndef MOBULA_TEST_SEGMENT_IMAGE_H_
#define MOBULA_TEST_SEGMENT_IMAGE_H_

#include <memory>
#include <vector>

#include "mobula/object_store.h"
#include "shm/segment.h"

namespace mobula::test {

// What a segment held at one moment, all but the objects' bytes, to be changed and attached to.
class SegmentImage {
 public:
  explicit SegmentImage(const shm::Segment& segment);

  std::vector<uint8_t>& bytes() { return bytes_; }
  template <class T>
  T& at(uint64_t offset) {
    return *reinterpret_cast<T*>(bytes_.data() + offset);
  }
  shm::Header& header() { return at<shm::Header>(0); }

  // As if all its processes had been killed: the kernel has marked the mutexes that they held.
  void kill_clients();
  // A store on a file of its own with these bytes.
  Status attach(std::unique_ptr<ObjectStore>* out);

 private:
  std::vector<uint8_t> bytes_;
  const uint64_t file_size_;
};

// Closes the last ObjectStore on its segment and waits until nothing of the attachment is left.
void detach(std::unique_ptr<ObjectStore> store);

}  // namespace mobula::test

#endif  // MOBULA_TEST_SEGMENT_IMAGE_H_
