#ifndef MOBULA_STORE_CHECKSUM_H_
#define MOBULA_STORE_CHECKSUM_H_

#include <cstddef>
#include <cstdint>

namespace mobula::store {

// XXH64 with seed 0, as its specification has it (xxHash, Yann Collet): tells chance damage, not
// malice. About as fast as memory on one core.
uint64_t checksum(const void* bytes, size_t length);

}  // namespace mobula::store

#endif  // MOBULA_STORE_CHECKSUM_H_
