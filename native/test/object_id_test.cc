#include "mobula/object_id.h"

#include <algorithm>
#include <map>
#include <random>

#include "test/support.h"

namespace mobula::test {

TEST("an id that is written as digits is read as the same id") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    ObjectId id, read;
    for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(random());
    EXPECT(ObjectId::parse(id.hex(), &read));
    EXPECT_EQ(read, id);
  }
}

TEST("only 32 lowercase hexadecimal digits are an id") {
  const std::string good = "0123456789abcdef0123456789abcdef";
  ObjectId id;
  for (size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = good;
      text[at] = static_cast<char>(byte);
      bool is_digit = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
      EXPECT_EQ(ObjectId::parse(text, &id), is_digit);
    }
  }
  EXPECT(!ObjectId::parse(good + "0", &id));
  EXPECT(!ObjectId::parse(good.substr(1), &id));
  EXPECT(!ObjectId::parse("", &id));
}

TEST("ids that count in any of their bytes are spread over a table") {
  constexpr uint32_t kIds = 4096;
  for (size_t at = 0; at + 1 < sizeof(ObjectId); ++at) {
    std::map<uint64_t, int> buckets;
    int most = 0;
    for (uint32_t i = 0; i < kIds; ++i) {
      ObjectId id = id_of(0);
      id.bytes[at] = static_cast<uint8_t>(i);
      id.bytes[at + 1] = static_cast<uint8_t>(i >> 8);
      most = std::max(most, ++buckets[id.hash() % kIds]);
    }
    EXPECT(most <= 16);
  }
}

}  // namespace mobula::test
