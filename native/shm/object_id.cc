#include "mobula/object_id.h"

namespace mobula {
namespace {

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

}  // namespace

bool ObjectId::parse(std::string_view hex, ObjectId* out) {
  if (hex.size() != kHexLength) return false;
  for (size_t i = 0; i < out->bytes.size(); ++i) {
    int high = hex_value(hex[2 * i]);
    int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out->bytes[i] = static_cast<uint8_t>(high << 4 | low);
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
