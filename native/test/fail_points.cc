#include "test/fail_points.h"

#include <atomic>

namespace mobula {
namespace {

std::atomic<test::FailPointHook> installed{nullptr};

}  // namespace

void port::fail_point(FailPoint point, const void* subject) {
  if (auto hook = installed.load(std::memory_order_relaxed)) hook(point, subject);
}

namespace test {

void at_fail_points(FailPointHook hook) { installed = hook; }

const char* name_of(port::FailPoint point) {
  static constexpr const char* kNames[port::kFailPoints] = {
      "committing",      "undoing", "before wake", "evicted", "freed",     "reaping",
      "pages committed", "paging",  "claiming",    "copied",  "read back", "unlinked"};
  return kNames[static_cast<uint32_t>(point)];
}

}  // namespace test
}  // namespace mobula
