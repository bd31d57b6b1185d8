// Run queues, mailboxes, completions, doorbells, and the end of those who use them.

#include "test/endpoint.h"

namespace mobula::test {
namespace {

using shm::RecordKind;

std::string payload_of(size_t length) {
  std::string payload(length, 0);
  fill(id_of(static_cast<uint32_t>(length)), reinterpret_cast<uint8_t*>(payload.data()), length);
  return payload;
}

uint32_t cells_in_use(ObjectStore& store) {
  const shm::Table& cells = store.client()->segment().queue().cells;
  return cells.used - cells.free_count;
}

// Takes a task and dies with it, or idles.
ROLE(worker) {
  Endpoint endpoint(self.store());
  if (self.argument(0) == "idle") {
    endpoint.exchange(1);
    self.tell_and_linger("idle");
  }
  std::vector<Received> tasks = endpoint.await(1);
  REQUIRE(tasks.size() == 1);
  if (self.argument(0) == "answer") {
    endpoint.complete(tasks[0].handle, tasks[0].payload + " done");
    endpoint.exchange();
    return;
  }
  self.tell_and_linger("running");
}

ROLE(submitter) {
  Endpoint endpoint(self.store());
  endpoint.submit(1, "first");
  endpoint.submit(2, "second");
  endpoint.exchange();
  self.tell_and_linger("submitted");
}

}  // namespace

TEST("a task reaches a worker with all that its submitter wrote") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  driver.submit(7, "work");
  EXPECT(driver.exchange().empty());
  std::vector<Received> tasks = worker.exchange(1);
  REQUIRE(tasks.size() == 1);
  EXPECT_EQ(tasks[0].kind, RecordKind::kTask);
  EXPECT_EQ(tasks[0].sequence, 7u);
  EXPECT_EQ(tasks[0].flags, 21u);
  EXPECT_EQ(tasks[0].payload, "work");
  EXPECT_EQ(tasks[0].sender, driver.slot());
  EXPECT_EQ(tasks[0].sender_uid, driver.uid());
  expect_sound(*store);
}

TEST("a completion carries its task's number to the submitter and leaves no cell behind") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  driver.submit(7, "work");
  driver.exchange();
  worker.complete(worker.exchange(1).at(0).handle, "result");
  worker.exchange();
  std::vector<Received> answers = driver.exchange();
  REQUIRE(answers.size() == 1);
  EXPECT_EQ(answers[0].kind, RecordKind::kCompletion);
  EXPECT_EQ(answers[0].sequence, 7u);
  EXPECT_EQ(answers[0].payload, "result");
  EXPECT_EQ(cells_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("a message reaches the peer it is for and no other") {
  auto store = new_store(queue_options());
  Endpoint a(*store), b(*store), c(*store);
  a.message(b.slot(), b.uid(), 3, "hello");
  a.exchange();
  EXPECT(c.exchange(1).empty());
  std::vector<Received> messages = b.exchange();
  REQUIRE(messages.size() == 1);
  EXPECT_EQ(messages[0].kind, RecordKind::kMessage);
  EXPECT_EQ(messages[0].payload, "hello");
  expect_sound(*store);
}

TEST("a message to a peer that has ended is dropped") {
  auto store = new_store(queue_options());
  Endpoint a(*store);
  auto b = std::make_unique<Endpoint>(*store);
  uint32_t slot = b->slot(), uid = b->uid();
  b.reset();
  Endpoint successor(*store);
  EXPECT_EQ(successor.slot(), slot);
  a.message(slot, uid, 3, "hello");
  a.exchange();
  EXPECT(successor.exchange().empty());
  EXPECT_EQ(cells_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("records of every size around a cell's bounds arrive whole") {
  auto store = new_store(queue_options());
  Endpoint driver(*store, 4 * kMiB), worker(*store, 4 * kMiB);
  std::vector<size_t> sizes;
  for (size_t cells = 0; cells < 4; ++cells) {
    for (size_t i = 0; i < 18; ++i)
      sizes.push_back(shm::kHeadPayload + cells * shm::kMorePayload + i - 9);
  }
  for (size_t size : {0u, 1u, 7u, 8u, 100'000u, 1'000'000u}) sizes.push_back(size);
  for (size_t size : sizes) driver.submit(size, payload_of(size));
  driver.exchange();
  expect_sound(*store);
  std::vector<Received> tasks = worker.exchange(1000);
  REQUIRE(tasks.size() == sizes.size());
  for (size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(tasks[i].sequence, sizes[i]);
    EXPECT(tasks[i].payload == payload_of(sizes[i]));
    worker.complete(tasks[i].handle, tasks[i].payload);
  }
  worker.exchange();
  std::vector<Received> answers = driver.exchange();
  REQUIRE(answers.size() == sizes.size());
  for (size_t i = 0; i < sizes.size(); ++i) EXPECT(answers[i].payload == payload_of(sizes[i]));
  EXPECT_EQ(cells_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("tasks start in the order of their submission") {
  auto store = new_store(queue_options());
  Endpoint a(*store), b(*store), worker(*store);
  for (uint64_t i = 0; i < 100; ++i) {
    Endpoint& driver = i % 2 == 0 ? a : b;
    driver.submit(i, "x");
    driver.exchange();
  }
  uint64_t expected = 0;
  for (const Received& task : worker.exchange(1000)) EXPECT_EQ(task.sequence, expected++);
  EXPECT_EQ(expected, 100u);
}

TEST("a worker gets no more tasks than it asks for and none of another run queue") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  for (uint64_t i = 0; i < 5; ++i) driver.submit(i, "x", 0);
  driver.submit(100, "y", 1);
  driver.exchange();
  EXPECT_EQ(worker.exchange(2).size(), 2u);
  std::vector<Received> other = worker.exchange(10, 1);
  REQUIRE(other.size() == 1);
  EXPECT_EQ(other[0].sequence, 100u);
  EXPECT_EQ(worker.exchange(10).size(), 3u);
  expect_sound(*store);
}

TEST("records beyond the committed cells and beyond an inbox all arrive") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  constexpr uint64_t kTasks = 5000;
  for (uint64_t i = 0; i < kTasks; ++i) driver.submit(i, payload_of(i % 500));
  driver.exchange();
  expect_sound(*store);
  std::vector<Received> tasks;
  bool more = true;
  while (more) REQUIRE_OK(worker.exchange_once(kTasks, 0, &tasks, &more));
  EXPECT_EQ(tasks.size(), kTasks);
  expect_sound(*store);
}

TEST("an idle worker's bell is readable once there is a task for it") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  worker.exchange(1);
  EXPECT(!worker.rung());
  driver.submit(1, "x");
  driver.exchange();
  EXPECT(worker.rung());
  EXPECT_EQ(worker.exchange(1).size(), 1u);
}

TEST("a busy worker's bell stays silent for tasks and rings for records in its mailbox") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  driver.submit(1, "x");
  driver.exchange();
  EXPECT_EQ(worker.exchange(1).size(), 1u);
  driver.submit(2, "y");
  driver.exchange();
  EXPECT(!worker.rung());
  driver.message(worker.slot(), worker.uid(), 1, "hello");
  driver.exchange();
  EXPECT(worker.rung());
}

// The keepers ring what waits for long, so what must stay silent is asked again.
TEST("one task rings one idle worker, the next task the next") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), a(*store), b(*store);
  EXPECT(eventually([&] {
    a.exchange(1), b.exchange(1);
    a.exchange(1), b.exchange(1);
    a.rung(), b.rung();
    driver.submit(1, "x");
    driver.exchange();
    bool first_a = a.rung(), first_b = b.rung();
    driver.submit(2, "y");
    driver.exchange();
    bool second_a = a.rung(), second_b = b.rung();
    return first_a != first_b && second_a != second_b && first_a != second_a;
  }));
  expect_sound(*store);
}

TEST("records that come in one sleep ring the bell once") {
  auto store = new_store(queue_options());
  Endpoint a(*store), b(*store);
  EXPECT(eventually([&] {
    b.exchange();
    b.rung();
    a.message(b.slot(), b.uid(), 1, "x");
    a.exchange();
    EXPECT(b.rung());
    a.message(b.slot(), b.uid(), 2, "y");
    a.exchange();
    return !b.rung();
  }));
  EXPECT_EQ(b.exchange().size(), 2u);
}

TEST("a ring that its sender never gave is given by the keepers") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  worker.exchange(1);
  driver.submit(1, "x");
  driver.exchange();
  EXPECT(worker.rung());
  EXPECT(eventually([&] { return worker.rung(); }));
}

TEST("what an ended worker was running comes back to its submitter") {
  auto store = new_store(queue_options());
  Endpoint driver(*store);
  auto worker = std::make_unique<Endpoint>(*store);
  driver.submit(5, payload_of(1000));
  driver.exchange();
  EXPECT_EQ(worker->exchange(1).size(), 1u);
  uint32_t worker_uid = worker->uid();
  driver.rung();
  worker.reset();
  EXPECT(driver.rung());
  std::vector<Received> bounced = driver.exchange();
  REQUIRE(bounced.size() == 1);
  EXPECT_EQ(bounced[0].kind, RecordKind::kBounced);
  EXPECT_EQ(bounced[0].sequence, 5u);
  EXPECT_EQ(bounced[0].handle, shm::kNone);
  EXPECT_EQ(bounced[0].target_uid, worker_uid);
  EXPECT(bounced[0].payload == payload_of(1000));
  EXPECT_EQ(cells_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("what a killed worker was running comes back to its submitter") {
  auto store = new_store(queue_options());
  Endpoint driver(*store);
  driver.submit(5, "x");
  driver.exchange();
  Process worker("worker", store->handle(), {"run"});
  EXPECT_EQ(worker.hear(), "running");
  worker.kill();
  std::vector<Received> bounced = driver.await();
  REQUIRE(bounced.size() == 1);
  EXPECT_EQ(bounced[0].kind, RecordKind::kBounced);
  EXPECT_EQ(bounced[0].sequence, 5u);
  EXPECT(eventually([&] { return stats_of(*store).clients == 1; }));
  expect_sound(*store);
}

TEST("a worker in another process is woken, runs a task and answers it") {
  auto store = new_store(queue_options());
  Endpoint driver(*store);
  Process worker("worker", store->handle(), {"answer"});
  EXPECT(eventually([&] { return store->client()->segment().queue().idle[0][0] != 0; }));
  driver.submit(5, "job");
  driver.exchange();
  std::vector<Received> answers = driver.await();
  REQUIRE(answers.size() == 1);
  EXPECT_EQ(answers[0].payload, "job done");
  worker.finish();
}

TEST("a killed idle worker is not rung for the next task") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), other(*store);
  {
    Process worker("worker", store->handle(), {"idle"});
    EXPECT_EQ(worker.hear(), "idle");
    worker.kill();
  }
  reap_all(*store);
  expect_sound(*store);
  other.exchange(1);
  driver.submit(1, "x");
  driver.exchange();
  EXPECT(other.rung());
}

TEST("queued tasks of a killed submitter are dropped") {
  auto store = new_store(queue_options());
  Endpoint worker(*store);
  Process submitter("submitter", store->handle());
  EXPECT_EQ(submitter.hear(), "submitted");
  submitter.kill();
  reap_all(*store);
  EXPECT(worker.exchange(10).empty());
  EXPECT_EQ(cells_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("the answer to a submitter that has ended is dropped") {
  auto store = new_store(queue_options());
  auto driver = std::make_unique<Endpoint>(*store);
  Endpoint worker(*store);
  driver->submit(1, "x");
  driver->exchange();
  std::vector<Received> tasks = worker.exchange(1);
  REQUIRE(tasks.size() == 1);
  driver.reset();
  worker.complete(tasks[0].handle, "result");
  worker.exchange();
  EXPECT_EQ(cells_in_use(*store), 0u);
  expect_sound(*store);
}

TEST("a peer slot is used again under a new uid") {
  auto store = new_store(queue_options());
  uint32_t uid;
  {
    Endpoint first(*store);
    uid = first.uid();
    EXPECT(first.peer().is_live(first.slot(), uid));
  }
  Endpoint second(*store);
  EXPECT_EQ(second.slot(), 0u);
  EXPECT(second.uid() != uid);
  EXPECT(!second.peer().is_live(0, uid));
}

}  // namespace mobula::test
