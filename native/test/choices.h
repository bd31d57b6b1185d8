#ifndef MOBULA_TEST_CHOICES_H_
#define MOBULA_TEST_CHOICES_H_

#include <cstddef>
#include <cstdint>

namespace mobula::test {

// Decisions read from bytes, those of a fuzzer for example; all zero once the bytes are used up.
class Choices {
 public:
  Choices(const uint8_t* bytes, size_t size) : next_(bytes), end_(bytes + size) {}

  bool exhausted() const { return next_ == end_; }
  uint64_t bits(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes && next_ != end_; ++i) value = value << 8 | *next_++;
    return value;
  }
  uint64_t operator()(uint64_t below) {
    int bytes = 1;
    while (bytes < 8 && below > uint64_t{1} << (8 * bytes)) ++bytes;
    return bits(bytes) % below;
  }

 private:
  const uint8_t* next_;
  const uint8_t* const end_;
};

}  // namespace mobula::test

#endif  // MOBULA_TEST_CHOICES_H_
