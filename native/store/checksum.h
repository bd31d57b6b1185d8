#ifndef MOBULA_STORE_CHECKSUM_H_
#define MOBULA_STORE_CHECKSUM_H_

#include <cstddef>
#include <cstdint>

namespace mobula::store {

// XXH64 with seed 0, as its specification has it (xxHash, Yann Collet): tells chance damage, not
// malice. Faster than memory on one core: best given what is in its cache.
class Checksum {
 public:
  // What `add` takes but for the last time is a multiple of this.
  static constexpr size_t kStripe = 32;

  void add(const void* bytes, size_t length);
  uint64_t sum() const;

 private:
  uint64_t lanes_[4] = {0x60EA27EEADC0B5D6, 0xC2B2AE3D27D4EB4F, 0, 0x61C8864E7A143579};
  uint64_t length_ = 0;
  size_t tail_length_ = 0;
  uint8_t tail_[kStripe];
};

}  // namespace mobula::store

#endif  // MOBULA_STORE_CHECKSUM_H_
