// The fuzzers' targets on random inputs. A round that crashes or hangs ends its child process and
// is named with its seed; MOBULA_SEED runs it again.

#include "test/fuzz.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <random>

#include "port/port.h"
#include "test/support.h"

namespace mobula::test {
namespace {

constexpr unsigned kHangSeconds = 60;
constexpr uint64_t kRoundsPerChild = 100;
constexpr size_t kInputSize = 400;

using Target = void (*)(const uint8_t*, size_t);

std::vector<uint8_t> input_of(uint64_t round_seed) {
  std::mt19937_64 random(round_seed);
  std::vector<uint8_t> bytes(1 + random() % kInputSize);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

void fuzz(Target target, uint64_t rounds) {
  uint64_t first_seed = seed();
  void* shared = mmap(nullptr, sizeof(std::atomic<uint64_t>), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* round = new (shared) std::atomic<uint64_t>(0);
  for (uint64_t start = 0; start < rounds; start += kRoundsPerChild) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      alarm(kHangSeconds);
      for (uint64_t i = 0; i < kRoundsPerChild; ++i) {
        *round = first_seed + start + i;
        std::vector<uint8_t> input = input_of(*round);
        target(input.data(), input.size());
      }
      finish();
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status == 0) continue;
    printf("  round MOBULA_SEED=%llu ended by %s\n", static_cast<unsigned long long>(round->load()),
           WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "a failed expectation");
    REQUIRE(status == 0);
  }
}

}  // namespace

TEST("whatever the bytes of a segment are, every call comes back with a status") {
  fuzz(&fuzz_hostile, long_run() ? 200'000 : 1000);
}

TEST("whatever the operations and wherever they are cut off, recovery finds a state of the model") {
  fuzz(&fuzz_operations, long_run() ? 100'000 : 500);
}

}  // namespace mobula::test
