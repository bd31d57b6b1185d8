#include "mobula/object_id.h"

#include <bit>

namespace mobula {
namespace {

constexpr uint64_t each(uint8_t byte) { return 0x0101010101010101u * byte; }

// The values of eight digits, one a byte. A letter of the wrong case, or no digit at all, does not
// come out again when its value is written as a digit.
bool parse_digits(uint64_t text, uint64_t* values) {
  uint64_t value = (text & each(0x0f)) + (text >> 6 & each(1)) * 9;
  uint64_t is_letter = (value + each(6)) >> 4 & each(1);
  *values = value;
  return (value & each(0xf0)) == 0 && value + each('0') + is_letter * ('a' - '0' - 10) == text;
}

// Puts the values of eight digits together, two to a byte.
uint32_t join_digits(uint64_t values) {
  uint64_t bytes = (values << 4 | values >> 8) & 0x00ff00ff00ff00ffu;
  bytes = (bytes | bytes >> 8) & 0x0000ffff0000ffffu;
  return static_cast<uint32_t>(bytes | bytes >> 16);
}

}  // namespace

bool ObjectId::parse(std::string_view hex, ObjectId* out) {
  static_assert(std::endian::native == std::endian::little);
  if (hex.size() != kHexLength) return false;
  for (size_t i = 0; i < out->bytes.size(); i += 4) {
    uint64_t text, values;
    std::memcpy(&text, hex.data() + 2 * i, sizeof text);
    if (!parse_digits(text, &values)) return false;
    uint32_t bytes = join_digits(values);
    std::memcpy(out->bytes.data() + i, &bytes, sizeof bytes);
  }
  return true;
}

void ObjectId::format(char* out) const {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (uint8_t byte : bytes) {
    *out++ = kDigits[byte >> 4];
    *out++ = kDigits[byte & 15];
  }
}

std::string ObjectId::hex() const {
  std::string text(kHexLength, '0');
  format(text.data());
  return text;
}

}  // namespace mobula
