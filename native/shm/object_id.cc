#include "mobula/object_id.h"

namespace mobula {
namespace {

constexpr uint8_t kNoDigit = 0xff;

constexpr std::array<uint8_t, 256> kHexValues = [] {
  std::array<uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (uint8_t i = 0; i < 10; ++i) values[static_cast<size_t>('0' + i)] = i;
  for (uint8_t i = 0; i < 6; ++i)
    values[static_cast<size_t>('a' + i)] = static_cast<uint8_t>(10 + i);
  return values;
}();

uint8_t hex_value(char digit) { return kHexValues[static_cast<uint8_t>(digit)]; }

}  // namespace

bool ObjectId::parse(std::string_view hex, ObjectId* out) {
  if (hex.size() != kHexLength) return false;
  uint8_t seen = 0;
  for (size_t i = 0; i < out->bytes.size(); ++i) {
    uint8_t high = hex_value(hex[2 * i]);
    uint8_t low = hex_value(hex[2 * i + 1]);
    seen |= high | low;
    out->bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return seen < 16;
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
