#ifndef MOBULA_OBJECT_ID_H_
#define MOBULA_OBJECT_ID_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

namespace mobula {

// Sixteen bytes that name an object, unique across machines; written as 32 lowercase hex digits.
// A value type without invariants: any sixteen bytes are an id.
struct ObjectId {
  std::array<uint8_t, 16> bytes{};

  static constexpr size_t kHexLength = 32;

  // False, leaving `out` unspecified, unless `hex` is exactly 32 lowercase hex digits.
  static bool parse(std::string_view hex, ObjectId* out);
  // Writes 32 characters without a terminator.
  void format(char* out) const;
  std::string hex() const;

  // Ids that differ in their last 12 bits only, as those that count, get neighbouring hashes: a
  // table of them is walked in order, not at random. Whatever else differs spreads them.
  uint64_t hash() const {
    uint64_t first, last;
    std::memcpy(&first, bytes.data(), 8);
    std::memcpy(&last, bytes.data() + 8, 8);
    last = __builtin_bswap64(last);
    uint64_t mixed = first ^ last >> 12;
    mixed = (mixed ^ mixed >> 32) * 0x9e3779b97f4a7c15u;
    return (mixed ^ mixed >> 29) + last;
  }

  // Ids that a runtime gives to what it needs itself (lib/runtime/objects/ids.ts). Their objects
  // are never evicted while somebody refers to them. A watch on one of them tells of the end of
  // any, and of nothing else.
  bool is_system() const { return bytes[6] == 0xff && bytes[7] == 0xff; }

  friend bool operator==(const ObjectId&, const ObjectId&) = default;
};

static_assert(sizeof(ObjectId) == 16);

}  // namespace mobula

template <>
struct std::hash<mobula::ObjectId> {
  size_t operator()(const mobula::ObjectId& id) const { return id.hash(); }
};

#endif  // MOBULA_OBJECT_ID_H_
