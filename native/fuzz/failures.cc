// What the fuzzers have in place of the test runner: the first failed expectation is a finding.

#include <stdio.h>
#include <stdlib.h>

#include "test/test.h"

namespace mobula::test {

void fail(const char* file, int line, const std::string& message) {
  fprintf(stderr, "%s:%d: %s\n", file, line, message.c_str());
  abort();
}

void finish() { abort(); }

}  // namespace mobula::test
