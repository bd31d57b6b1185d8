// Several threads of one process on one store, at once.

#include <atomic>
#include <thread>

#include "test/endpoint.h"

namespace mobula::test {
namespace {

void run_threads(int count, const std::function<void(uint32_t)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body, static_cast<uint32_t>(i));
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST("threads that put, get, remove and release disturb each other's objects in nothing") {
  auto store = new_store(store_options(256 * kKiB));
  run_threads(4, [&](uint32_t thread) {
    for (uint32_t i = 0; i < 500; ++i) {
      ObjectId own = id_of(thread * 1000 + i % 7);
      Status status = put(*store, own, 100 + i * 37 % 3000);
      EXPECT(status.is_ok() || status.code() == Code::kExists);
      Reading reading;
      ObjectId other = id_of((thread + 1) % 4 * 1000 + i % 7);
      if (store->get(other, &reading).is_ok()) {
        std::vector<uint8_t> expected(reading.size);
        fill(other, expected.data(), reading.size);
        EXPECT(std::equal(expected.begin(), expected.end(), reading.data));
        REQUIRE_OK(store->unpin(reading.ref));
      }
      if (i % 3 == 0) (void)store->remove(own);
    }
  });
  EXPECT_EQ(stats_of(*store).pinned_objects, 0u);
  expect_sound(*store);
}

TEST("threads that submit, run and answer tasks lose none") {
  constexpr uint64_t kTasks = 2000;
  auto store = new_store(queue_options());
  std::atomic<uint64_t> answered{0}, sum{0};
  run_threads(4, [&](uint32_t thread) {
    Endpoint endpoint(*store);
    if (thread == 0) {
      for (uint64_t i = 0; i < kTasks; ++i) endpoint.submit(i, std::to_string(i));
      while (answered < kTasks) {
        for (const Received& answer : endpoint.await()) {
          EXPECT_EQ(answer.payload, std::to_string(answer.sequence) + "!");
          sum += answer.sequence;
          ++answered;
        }
      }
      return;
    }
    while (answered < kTasks) {
      for (const Received& task : endpoint.await_for(20, 8)) {
        endpoint.complete(task.handle, task.payload + "!");
      }
      endpoint.exchange();
    }
  });
  EXPECT_EQ(sum.load(), kTasks * (kTasks - 1) / 2);
  expect_sound(*store);
}

}  // namespace mobula::test
