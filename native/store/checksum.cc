#include "store/checksum.h"

#include <bit>
#include <cstring>

namespace mobula::store {
namespace {

constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87;
constexpr uint64_t kPrime2 = 0xC2B2AE3D27D4EB4F;
constexpr uint64_t kPrime3 = 0x165667B19E3779F9;
constexpr uint64_t kPrime4 = 0x85EBCA77C2B2AE63;
constexpr uint64_t kPrime5 = 0x27D4EB2F165667C5;

static_assert(std::endian::native == std::endian::little);

template <class T>
uint64_t read(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

uint64_t round(uint64_t lane, uint64_t input) {
  return std::rotl(lane + input * kPrime2, 31) * kPrime1;
}

uint64_t merge(uint64_t sum, uint64_t lane) { return (sum ^ round(0, lane)) * kPrime1 + kPrime4; }

uint64_t mix_tail(uint64_t sum, const uint8_t* at, const uint8_t* end) {
  for (; end - at >= 8; at += 8) {
    sum = std::rotl(sum ^ round(0, read<uint64_t>(at)), 27) * kPrime1 + kPrime4;
  }
  if (end - at >= 4) {
    sum = std::rotl(sum ^ read<uint32_t>(at) * kPrime1, 23) * kPrime2 + kPrime3;
    at += 4;
  }
  for (; at != end; ++at) sum = std::rotl(sum ^ *at * kPrime5, 11) * kPrime1;
  return sum;
}

uint64_t avalanche(uint64_t sum) {
  sum = (sum ^ sum >> 33) * kPrime2;
  sum = (sum ^ sum >> 29) * kPrime3;
  return sum ^ sum >> 32;
}

}  // namespace

void Checksum::add(const void* bytes, size_t length) {
  auto* at = static_cast<const uint8_t*>(bytes);
  const uint8_t* end = at + length;
  length_ += length;
  uint64_t a = lanes_[0], b = lanes_[1], c = lanes_[2], d = lanes_[3];
  for (; end - at >= static_cast<ptrdiff_t>(kStripe); at += kStripe) {
    a = round(a, read<uint64_t>(at));
    b = round(b, read<uint64_t>(at + 8));
    c = round(c, read<uint64_t>(at + 16));
    d = round(d, read<uint64_t>(at + 24));
  }
  lanes_[0] = a, lanes_[1] = b, lanes_[2] = c, lanes_[3] = d;
  tail_length_ = static_cast<size_t>(end - at);
  std::memcpy(tail_, at, tail_length_);
}

uint64_t Checksum::sum() const {
  uint64_t sum = kPrime5;
  if (length_ >= kStripe) {
    sum = std::rotl(lanes_[0], 1) + std::rotl(lanes_[1], 7) + std::rotl(lanes_[2], 12) +
          std::rotl(lanes_[3], 18);
    for (uint64_t lane : lanes_) sum = merge(sum, lane);
  }
  return avalanche(mix_tail(sum + length_, tail_, tail_ + tail_length_));
}

}  // namespace mobula::store
