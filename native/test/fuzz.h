#ifndef MOBULA_TEST_FUZZ_H_
#define MOBULA_TEST_FUZZ_H_

#include <cstddef>
#include <cstdint>

// What the fuzzers run on each input (native/fuzz), and the tests on random ones. Any bytes are an
// input. A failed expectation, a crash and a hang are findings.
namespace mobula::test {

// Attaches to a store in which the bytes have damaged anything but the objects, goes on to damage
// it while attached, and calls everything: each call comes back with a status.
void fuzz_hostile(const uint8_t* bytes, size_t size);

// Operations on a store and a model of it, with crashes between any two stores to shared memory:
// who recovers finds the store sound, and as it was before the operation or after it.
void fuzz_operations(const uint8_t* bytes, size_t size);

}  // namespace mobula::test

#endif  // MOBULA_TEST_FUZZ_H_
