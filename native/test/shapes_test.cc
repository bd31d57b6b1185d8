// Which task starts next: priorities, resources, lending, and what comes back from whom.

#include <algorithm>
#include <random>

#include "test/endpoint.h"

namespace mobula::test {
namespace {

using shm::RecordKind;

using Sequences = std::vector<uint64_t>;

}  // namespace

TEST("resources that cannot all be had leave none") {
  auto store = store_with({});
  store::Client& client = *store->client();
  std::unique_ptr<queue::Peer> peer;
  REQUIRE_OK(queue::Peer::open(client.segment(), client.queue_lock(), client.bells(), client.slot(),
                               client.generation(), &peer));
  EXPECT_CODE(peer->set_resources({{"license", 2}, {"cpu", 3}, {"disk", -1}}), kOutOfRange);
  std::vector<queue::ResourceInfo> resources;
  REQUIRE_OK(peer->resources(&resources));
  REQUIRE(resources.size() == 2);
  EXPECT_EQ(resources[0].total, 0.0);
  expect_sound(*store);
}

TEST("tasks of higher priority start first, equal ones in the order of their submission") {
  auto store = store_with({{"cpu", 100}});
  Endpoint driver(*store), worker(*store);
  uint32_t shape = driver.shape(1);
  for (uint64_t i = 0; i < 9; ++i) {
    driver.submit_to(shape, i, "x", static_cast<int32_t>(i % 3) - 1);
  }
  driver.exchange();
  expect_sound(*store);
  EXPECT_EQ(sequences(worker.exchange(9)), (Sequences{2, 5, 8, 1, 4, 7, 0, 3, 6}));
  expect_sound(*store);
}

TEST("priorities count across what tasks ask for") {
  auto store = store_with({{"cpu", 100}});
  Endpoint driver(*store), worker(*store);
  driver.submit_to(driver.shape(1), 1, "x");
  driver.submit_to(driver.shape(2), 2, "x", 7);
  driver.submit_to(driver.shape(3), 3, "x");
  driver.submit_to(driver.shape(1), 4, "x", -7);
  driver.submit_to(driver.shape(0), 5, "x", 7);
  driver.exchange();
  EXPECT_EQ(sequences(worker.exchange(9)), (Sequences{2, 5, 1, 3, 4}));
  expect_sound(*store);
}

TEST("thousands of tasks of random priorities, some of them cancelled, start in order") {
  auto store = store_with({{"cpu", 10'000}});
  Endpoint driver(*store), worker(*store, 4 * kMiB);
  std::mt19937_64 random(seed());
  uint32_t shape = driver.shape(1);
  std::vector<std::pair<int32_t, uint64_t>> expected;
  for (uint64_t i = 1; i <= 3000; ++i) {
    auto priority = static_cast<int32_t>(random() % 41) - 20;
    driver.submit_to(shape, i, "x", priority);
    expected.push_back({-priority, i});
  }
  driver.exchange();
  expect_sound(*store);
  std::shuffle(expected.begin(), expected.end(), random);
  for (int i = 0; i < 1000; ++i) {
    EXPECT(driver.peer().cancel_queued(expected.back().second));
    expected.pop_back();
    if (i % 100 == 0) expect_sound(*store);
  }
  std::sort(expected.begin(), expected.end());
  Sequences in_order;
  for (auto& [priority, sequence] : expected) in_order.push_back(sequence);
  EXPECT(sequences(worker.exchange(3000)) == in_order);
  expect_sound(*store);
}

TEST("a task waits until the runtime affords it, and smaller ones pass it meanwhile") {
  auto store = store_with({{"cpu", 4}});
  Endpoint driver(*store), worker(*store);
  driver.submit_to(driver.shape(3), 1, "x");
  driver.submit_to(driver.shape(2), 2, "x");
  driver.submit_to(driver.shape(1), 3, "x");
  driver.exchange();
  std::vector<Received> tasks = worker.exchange(9);
  EXPECT_EQ(sequences(tasks), (Sequences{1, 3}));
  EXPECT_EQ(driver.available("cpu"), 0);
  worker.complete(tasks[0].handle, "done");
  EXPECT_EQ(sequences(worker.exchange(9)), (Sequences{2}));
  EXPECT_EQ(driver.available("cpu"), 1);
  expect_sound(*store);
}

TEST("an idle worker is rung when resources come back that a task waits for") {
  auto store = store_with({{"cpu", 1}});
  Endpoint driver(*store), busy(*store), idle(*store);
  driver.submit(1, "x");
  driver.submit(2, "x");
  driver.exchange();
  std::vector<Received> tasks = busy.exchange(1);
  REQUIRE(tasks.size() == 1);
  EXPECT(idle.exchange(1).empty());
  idle.rung();
  busy.complete(tasks[0].handle, "done");
  busy.exchange();
  EXPECT(idle.rung());
  EXPECT_EQ(idle.exchange(1).size(), 1u);
  expect_sound(*store);
}

TEST("a worker that was rung and takes nothing passes the ring on") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), a(*store), b(*store);
  EXPECT(eventually([&] {
    a.exchange(1), b.exchange(1);
    a.exchange(1), b.exchange(1);
    a.rung(), b.rung();
    driver.submit(1, "x");
    driver.exchange();
    Endpoint& first = a.rung() ? a : b;
    Endpoint& second = &first == &a ? b : a;
    if (second.rung()) return false;
    first.exchange();
    return second.rung();
  }));
  expect_sound(*store);
}

TEST("custom resources and parts of them are counted") {
  auto store = store_with({{"cpu", 4}, {"licence", 1}, {"\u00e4", 0.5}});
  Endpoint driver(*store), worker(*store);
  uint32_t third = driver.shape(0, {{"licence", 1.0 / 3}});
  uint32_t both = driver.shape(0, {{"licence", 0.1}, {"\u00e4", 0.5}});
  for (uint64_t i = 1; i <= 4; ++i) driver.submit_to(third, i, "x");
  for (uint64_t i = 5; i <= 6; ++i) driver.submit_to(both, i, "x");
  driver.exchange();
  std::vector<Received> tasks = worker.exchange(9);
  EXPECT_EQ(sequences(tasks), (Sequences{1, 2, 3}));
  for (const Received& task : tasks) worker.complete(task.handle, "done");
  EXPECT_EQ(sequences(worker.exchange(9)), (Sequences{4, 5}));
  expect_sound(*store);
}

TEST("equal demands have one shape") {
  auto store = store_with({{"cpu", 4}, {"gpu", 2}, {"x", 1}, {"y", 1}});
  Endpoint a(*store), b(*store);
  uint32_t shape = a.shape(0, {{"cpu", 1}, {"x", 1}, {"y", 0.5}});
  EXPECT_EQ(b.shape(0, {{"y", 0.5}, {"gpu", 0}, {"x", 1}, {"cpu", 1}}), shape);
  EXPECT(b.shape(1, {{"cpu", 1}, {"x", 1}, {"y", 0.5}}) != shape);
  EXPECT(b.shape(0, {{"cpu", 1}, {"x", 1}, {"y", 1}}) != shape);
  expect_sound(*store);
}

TEST("what the runtime will never have is unschedulable, and the message says why") {
  auto store = store_with({{"cpu", 4}, {"gpu", 1.5}, {"x", 1}});
  Endpoint driver(*store);
  auto refused = [&](const char* name, double amount) {
    uint32_t index = 0;
    Status status = driver.peer().shape(0, {{name, amount}}, &index);
    EXPECT_CODE(status, kUnschedulable);
    return status.message();
  };
  EXPECT(refused("cpu", 5).find("asks for 5 of the resource \"cpu\", and this runtime has 4") !=
         std::string::npos);
  EXPECT(refused("gpu", 2).find("has 1.5 in all") != std::string::npos);
  EXPECT(refused("unheard-of", 0.1).find("\"unheard-of\"") != std::string::npos);
  uint32_t index = 0;
  EXPECT_CODE(driver.peer().shape(0, {{"gpu", 1.5}}, &index), kOutOfRange);
  EXPECT_CODE(driver.peer().shape(0, {{"cpu", -1}}, &index), kOutOfRange);
}

TEST("whole gpus are devices of one's own, parts share the first that has room") {
  auto store = store_with({{"cpu", 100}, {"gpu", 4}});
  Endpoint driver(*store), worker(*store);
  auto devices_of = [&](uint64_t sequence, double gpus) {
    driver.submit_to(driver.shape(1, gpus), sequence, "x");
    driver.exchange();
    std::vector<Received> tasks = worker.exchange(1);
    if (tasks.empty()) return std::pair<uint64_t, uint32_t>{0, 0};
    return std::pair<uint64_t, uint32_t>{tasks[0].devices, tasks[0].handle};
  };
  EXPECT_EQ(devices_of(1, 0.6).first, 0b0001u);
  EXPECT_EQ(devices_of(2, 0.6).first, 0b0010u);
  EXPECT_EQ(devices_of(3, 0.4).first, 0b0001u);
  auto [two, handle] = devices_of(4, 2);
  EXPECT_EQ(two, 0b1100u);
  EXPECT_EQ(devices_of(5, 1).first, 0u);
  EXPECT_EQ(devices_of(6, 0.4).first, 0b0010u);
  expect_sound(*store);
  worker.complete(handle, "done");
  std::vector<Received> tasks = worker.exchange(1);
  REQUIRE(tasks.size() == 1);
  EXPECT_EQ(tasks[0].sequence, 5u);
  EXPECT_EQ(tasks[0].devices, 0b0100u);
  EXPECT_EQ(driver.available("gpu"), 1);
  expect_sound(*store);
}

TEST("a task that lends its cpu lets another start, and has it back at once") {
  auto store = store_with({{"cpu", 1}, {"gpu", 1}});
  Endpoint driver(*store), worker(*store);
  for (uint64_t i = 1; i <= 3; ++i) driver.submit_to(driver.shape(1, i == 1 ? 1 : 0), i, "x");
  driver.exchange();
  uint32_t first = worker.exchange(9).at(0).handle;
  worker.lend(first);
  worker.lend(first);
  EXPECT_EQ(sequences(worker.exchange(9)), (Sequences{2}));
  EXPECT_EQ(driver.available("gpu"), 0);
  worker.resume(first);
  worker.resume(first);
  EXPECT(worker.exchange(9).empty());
  EXPECT_EQ(driver.available("cpu"), -1);
  expect_sound(*store);
  worker.complete(first, "done");
  EXPECT(worker.exchange(9).empty());
  EXPECT_EQ(driver.available("cpu"), 0);
  EXPECT_EQ(driver.available("gpu"), 1);
  expect_sound(*store);
}

TEST("the end of a task that lends gives back only what it holds") {
  auto store = store_with({{"cpu", 2}, {"x", 2}});
  Endpoint driver(*store);
  auto worker = std::make_unique<Endpoint>(*store);
  for (uint64_t i = 1; i <= 2; ++i) {
    driver.submit_to(driver.shape(0, {{"cpu", 1}, {"x", 1}}), i, "x");
  }
  driver.exchange();
  std::vector<Received> tasks = worker->exchange(2);
  REQUIRE(tasks.size() == 2);
  for (const Received& task : tasks) worker->lend(task.handle);
  worker->complete(tasks[0].handle, "done");
  worker->exchange();
  EXPECT_EQ(driver.available("cpu"), 2);
  EXPECT_EQ(driver.available("x"), 1);
  worker.reset();
  EXPECT_EQ(driver.available("cpu"), 2);
  EXPECT_EQ(driver.available("x"), 2);
  expect_sound(*store);
}

TEST("a task for a shape that does not exist comes back") {
  auto store = new_store(queue_options());
  Endpoint driver(*store);
  driver.submit_to(1000, 1, "x");
  std::vector<Received> records = driver.exchange();
  REQUIRE(records.size() == 1);
  EXPECT_EQ(records[0].kind, RecordKind::kBounced);
  expect_sound(*store);
}

}  // namespace mobula::test
