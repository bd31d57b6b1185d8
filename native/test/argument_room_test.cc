// Arguments of tasks in flight take a share of the store at most.

#include "queue/retire.h"
#include "test/endpoint.h"

namespace mobula::test {
namespace {

constexpr uint64_t kHalf = kMostArguments / 2;

// Three tasks, each in flight at a worker of its own.
struct Workers {
  std::unique_ptr<ObjectStore> store = new_store(queue_options());
  Endpoint driver{*store};
  Endpoint a{*store}, b{*store}, c{*store};
  uint32_t first = 0, second = 0, third = 0;

  Workers() {
    for (uint64_t i = 1; i <= 3; ++i) driver.submit(i, "x");
    driver.exchange();
    first = a.exchange(1).at(0).handle;
    second = b.exchange(1).at(0).handle;
    third = c.exchange(1).at(0).handle;
    for (Endpoint* worker : {&a, &b, &c}) worker->rung();
  }

  void end(Endpoint& worker, uint32_t handle) {
    worker.complete(handle, "done");
    worker.exchange();
    expect_sound(*store);
  }
};

}  // namespace

TEST("arguments that fit the share together are held together") {
  Workers workers;
  EXPECT(workers.a.hold(workers.first, kHalf));
  EXPECT(workers.b.hold(workers.second, kHalf));
  EXPECT(!workers.c.hold(workers.third, kHalf));
  expect_sound(*workers.store);
}

TEST("a task that waits for room is rung when another ends, and has it then") {
  Workers workers;
  REQUIRE(workers.a.hold(workers.first, kMostArguments));
  EXPECT(!workers.b.hold(workers.second, kHalf));
  EXPECT(!workers.b.rung());
  workers.end(workers.a, workers.first);
  EXPECT(workers.b.rung());
  EXPECT(workers.b.hold(workers.second, kHalf));
  expect_sound(*workers.store);
}

TEST("arguments of more than the share are held alone") {
  Workers workers;
  EXPECT(workers.a.hold(workers.first, 3 * kMostArguments));
  EXPECT(!workers.b.hold(workers.second, kHalf));
  workers.end(workers.a, workers.first);
  EXPECT(workers.b.hold(workers.second, kHalf));
  EXPECT(!workers.c.hold(workers.third, 3 * kMostArguments));
  workers.end(workers.b, workers.second);
  EXPECT(workers.c.hold(workers.third, 3 * kMostArguments));
}

TEST("what was submitted first has room first, so that small ones do not starve large ones") {
  Workers workers;
  REQUIRE(workers.a.hold(workers.first, kHalf));
  EXPECT(!workers.b.hold(workers.second, kMostArguments));
  EXPECT(!workers.c.hold(workers.third, kHalf));
  workers.end(workers.a, workers.first);
  EXPECT(workers.b.rung() && workers.c.rung());
  EXPECT(!workers.c.hold(workers.third, kHalf));
  EXPECT(workers.b.hold(workers.second, kMostArguments));
}

TEST("those behind one that waited no more are rung too") {
  Workers workers;
  REQUIRE(workers.a.hold(workers.first, kHalf));
  EXPECT(!workers.b.hold(workers.second, kMostArguments));
  EXPECT(!workers.c.hold(workers.third, kHalf));
  workers.end(workers.b, workers.second);
  EXPECT(workers.c.rung());
  EXPECT(workers.c.hold(workers.third, kHalf));
}

TEST("a task that waits for others holds no room, and has it back at once") {
  Workers workers;
  REQUIRE(workers.a.hold(workers.first, kMostArguments));
  workers.a.lend(workers.first);
  workers.a.lend(workers.first);
  workers.a.exchange();
  expect_sound(*workers.store);
  EXPECT(workers.b.hold(workers.second, kMostArguments));
  workers.a.resume(workers.first);
  workers.a.resume(workers.first);
  workers.a.exchange();
  expect_sound(*workers.store);
  workers.end(workers.b, workers.second);
  EXPECT(!workers.c.hold(workers.third, kHalf));
  workers.end(workers.a, workers.first);
  EXPECT(workers.c.hold(workers.third, kHalf));
}

TEST("the end of a peer gives back the room that its tasks held, and waits no more") {
  Workers workers;
  REQUIRE(workers.a.hold(workers.first, kMostArguments));
  EXPECT(!workers.b.hold(workers.second, kMostArguments));
  EXPECT(!workers.c.hold(workers.third, kHalf));
  workers.b = Endpoint(*workers.store);
  workers.a = Endpoint(*workers.store);
  expect_sound(*workers.store);
  EXPECT(workers.c.rung());
  EXPECT(workers.c.hold(workers.third, kHalf));
}

TEST("who missed his ring for room is rung by the next tick") {
  Workers workers;
  REQUIRE(workers.a.hold(workers.first, kMostArguments));
  EXPECT(!workers.b.hold(workers.second, kHalf));
  workers.end(workers.a, workers.first);
  REQUIRE(workers.b.rung());
  store::Client& client = *workers.store->client();
  queue::ring_overdue(client.segment(), client.queue_lock(), client.bells());
  EXPECT(workers.b.rung());
}

TEST("small arguments, and those of a task that has ended, need no room") {
  Workers workers;
  REQUIRE(workers.a.hold(workers.first, kMostArguments));
  EXPECT(workers.b.hold(workers.second, 1000));
  workers.b.complete(workers.second, "done");
  workers.b.exchange();
  EXPECT(workers.b.hold(workers.second, kMostArguments));
  expect_sound(*workers.store);
}

}  // namespace mobula::test
