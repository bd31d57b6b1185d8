#include "test/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  mobula::test::fuzz_operations(bytes, size);
  return 0;
}
