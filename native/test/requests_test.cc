// What a sender and others can do about tasks and calls on their way: items, finding, taking back,
// blame, counts; and waiting for them.

#include "test/endpoint.h"

namespace mobula::test {
namespace {

using queue::Op;
using shm::RecordKind;
using Sequences = std::vector<uint64_t>;

}  // namespace

TEST("items of a task come before its answer, numbered, and leave it running") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  driver.submit(7, "work");
  driver.exchange();
  uint32_t handle = worker.exchange(1).at(0).handle;
  worker.item(handle, 0, "a");
  worker.item(handle, 1, "b");
  worker.exchange();
  uint32_t slot = 0, uid = 0;
  EXPECT(driver.peer().where_is(7, &slot, &uid));
  worker.complete(handle, "end");
  worker.exchange();
  std::vector<Received> records = driver.exchange();
  REQUIRE(records.size() == 3);
  EXPECT_EQ(sequences(records), (Sequences{7, 7, 7}));
  for (uint32_t i = 0; i < 2; ++i) {
    EXPECT_EQ(records[i].kind, RecordKind::kItem);
    EXPECT_EQ(records[i].target_uid, i);
    EXPECT_EQ(records[i].flags, 5u);
  }
  EXPECT_EQ(records[1].payload, "b");
  EXPECT_EQ(records[2].kind, RecordKind::kCompletion);
  expect_sound(*store);
}

TEST("items and answers of a task that has been answered are dropped") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  driver.submit(7, "work");
  driver.exchange();
  uint32_t handle = worker.exchange(1).at(0).handle;
  worker.complete(handle, "end");
  worker.item(handle, 0, "late");
  worker.lend(handle);
  worker.complete(handle, "again");
  worker.exchange();
  EXPECT_EQ(driver.exchange().size(), 1u);
  EXPECT_EQ(driver.available("cpu"), kCpus);
  expect_sound(*store);
}

TEST("a queued task can be taken back, one that runs can be found") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  uint32_t slot = 0, uid = 0;
  for (uint64_t i = 1; i <= 3; ++i) driver.submit(i, "x");
  driver.exchange();
  EXPECT(!driver.peer().where_is(2, &slot, &uid));
  EXPECT(driver.peer().cancel_queued(2));
  EXPECT(!driver.peer().cancel_queued(2));
  EXPECT_EQ(sequences(worker.exchange(9)), (Sequences{1, 3}));
  EXPECT(!driver.peer().cancel_queued(3));
  REQUIRE(driver.peer().where_is(3, &slot, &uid));
  EXPECT_EQ(slot, worker.slot());
  EXPECT_EQ(uid, worker.uid());
  EXPECT(!worker.peer().cancel_queued(3));
  EXPECT(!driver.peer().where_is(99, &slot, &uid));
  expect_sound(*store);
}

TEST("a task that has been answered is not found, though the answer is unread") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  driver.submit(1, "x");
  driver.exchange();
  worker.complete(worker.exchange(1).at(0).handle, "done");
  worker.exchange();
  uint32_t slot = 0, uid = 0;
  EXPECT(!driver.peer().where_is(1, &slot, &uid));
  EXPECT(!driver.peer().cancel_queued(1));
  EXPECT_EQ(driver.exchange().size(), 1u);
  expect_sound(*store);
}

TEST("a task that is wanted back is its own answer, if its result is stored") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  std::string spec(1000, 's');
  for (uint64_t i = 1; i <= 2; ++i) driver.submit_wanted(i, spec);
  driver.submit(4, spec);
  driver.exchange();
  std::vector<Received> tasks = worker.exchange(3);
  REQUIRE(tasks.size() == 3);
  worker.complete(tasks[0].handle, "", 1);
  worker.complete(tasks[1].handle, "value", 0);
  worker.complete(tasks[2].handle, "", 1);
  worker.exchange();
  expect_sound(*store);
  std::vector<Received> answers = driver.exchange();
  REQUIRE(answers.size() == 3);
  EXPECT_EQ(sequences(answers), (Sequences{1, 2, 4}));
  EXPECT_EQ(answers[0].payload, spec);
  EXPECT_EQ(answers[0].kind, RecordKind::kCompletion);
  EXPECT_EQ(answers[0].handle, 1u);
  EXPECT_EQ(answers[0].flags, 1u);
  EXPECT_EQ(answers[0].sender_uid, worker.uid());
  EXPECT_EQ(answers[1].payload, "value");
  EXPECT_EQ(answers[2].payload, "");
  EXPECT_EQ(driver.counts().finished, 3u);
  EXPECT_EQ(driver.counts().running, 0u);
  expect_sound(*store);
}

TEST("a task that is wanted back by a sender who has ended is dropped when it is answered") {
  auto store = new_store(queue_options());
  auto driver = std::make_unique<Endpoint>(*store);
  Endpoint worker(*store);
  driver->submit_wanted(1, "x");
  driver->exchange();
  uint32_t handle = worker.exchange(1).at(0).handle;
  driver.reset();
  worker.complete(handle, "", 1);
  worker.exchange();
  EXPECT_EQ(worker.counts().running, 0u);
  expect_sound(*store);
}

TEST("calls can be taken back while they wait for a host and while their host has not read them") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), host(*store);
  Actor actor = driver.create_actor();
  for (uint64_t i = 1; i <= 4; ++i) driver.call(actor, i, "x");
  driver.exchange();
  EXPECT(driver.peer().cancel_queued(2));
  REQUIRE_OK(driver.host(actor, host));
  EXPECT(driver.peer().cancel_queued(3));
  expect_sound(*store);
  EXPECT_EQ(sequences(host.exchange()), (Sequences{1, 4}));
  EXPECT(!driver.peer().cancel_queued(4));
  uint32_t slot = 0, uid = 0;
  EXPECT(driver.peer().where_is(4, &slot, &uid));
  EXPECT_EQ(slot, host.slot());
  expect_sound(*store);
}

TEST("to blame for a worker's end is what it took last") {
  auto store = new_store(queue_options());
  Endpoint driver(*store);
  auto worker = std::make_unique<Endpoint>(*store);
  for (uint64_t i = 1; i <= 3; ++i) driver.submit(i, "x");
  driver.exchange();
  EXPECT_EQ(worker->exchange(3).size(), 3u);
  worker.reset();
  for (const Received& record : driver.exchange()) {
    EXPECT_EQ(record.kind, RecordKind::kBounced);
    EXPECT_EQ(record.flags, record.sequence == 3 ? 1u : 0u);
  }
  expect_sound(*store);
}

TEST("of what a live peer has in flight, others see how new it is and its sender's flags") {
  auto store = new_store(queue_options());
  Endpoint driver(*store);
  auto worker = std::make_unique<Endpoint>(*store);
  for (uint64_t i = 1; i <= 3; ++i) driver.submit(i, "x");
  driver.exchange();
  EXPECT_EQ(worker->exchange(2).size(), 2u);
  std::vector<queue::HeldTask> tasks;
  REQUIRE_OK(driver.peer().tasks_at(worker->slot(), worker->uid(), &tasks));
  REQUIRE(tasks.size() == 2);
  for (size_t i = 0; i < tasks.size(); ++i) {
    EXPECT_EQ(tasks[i].sender, driver.slot());
    EXPECT_EQ(tasks[i].sender_uid, driver.uid());
    EXPECT_EQ(tasks[i].sequence, i + 1);
    EXPECT_EQ(tasks[i].flags, 3 * (i + 1));
  }
  EXPECT(tasks[0].order < tasks[1].order);
  tasks.clear();
  REQUIRE_OK(driver.peer().tasks_at(worker->slot(), worker->uid() + 1, &tasks));
  EXPECT(tasks.empty());
  expect_sound(*store);
}

TEST("to blame for a worker's end is what was said to be") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), killer(*store);
  auto worker = std::make_unique<Endpoint>(*store);
  for (uint64_t i = 1; i <= 3; ++i) driver.submit(i, "x");
  driver.exchange();
  EXPECT_EQ(worker->exchange(3).size(), 3u);
  EXPECT(killer.peer().blame(worker->slot(), worker->uid(), driver.uid(), 2));
  EXPECT(!killer.peer().blame(worker->slot(), worker->uid(), driver.uid(), 4));
  EXPECT(!killer.peer().blame(worker->slot(), worker->uid() + 1, driver.uid(), 2));
  worker.reset();
  for (const Received& record : driver.exchange()) {
    EXPECT_EQ(record.flags, record.sequence == 2 ? 1u : 0u);
  }
  expect_sound(*store);
}

TEST("all are to blame when a worker ended by a task of its own") {
  auto store = new_store(queue_options());
  Endpoint driver(*store);
  auto worker = std::make_unique<Endpoint>(*store);
  for (uint64_t i = 1; i <= 2; ++i) driver.submit(i, "x");
  driver.exchange();
  EXPECT_EQ(worker->exchange(2).size(), 2u);
  worker->submit(1, "own");
  EXPECT_EQ(worker->exchange(1).size(), 1u);
  worker.reset();
  std::vector<Received> bounced = driver.exchange();
  EXPECT_EQ(bounced.size(), 2u);
  for (const Received& record : bounced) EXPECT_EQ(record.flags, 1u);
  expect_sound(*store);
}

TEST("calls that a host has not read are not to blame for its end") {
  auto store = new_store(queue_options());
  Endpoint driver(*store);
  auto host = std::make_unique<Endpoint>(*store);
  Actor actor = driver.create_actor();
  REQUIRE_OK(driver.host(actor, *host));
  driver.call(actor, 1, "x");
  driver.exchange();
  host.reset();
  std::vector<Received> bounced = driver.exchange();
  REQUIRE(bounced.size() == 1);
  EXPECT_EQ(bounced[0].flags, 0u);
}

TEST("tasks are counted by what became of them") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  auto doomed = std::make_unique<Endpoint>(*store);
  for (uint64_t i = 1; i <= 6; ++i) driver.submit(i, "x");
  driver.exchange();
  EXPECT_EQ(doomed->exchange(1).size(), 1u);
  doomed.reset();
  EXPECT_EQ(driver.exchange().size(), 1u);
  driver.submit_to(driver.shape(1), 1, "x", 0, Op::kResubmit);
  driver.exchange();
  std::vector<Received> tasks = worker.exchange(4);
  REQUIRE(tasks.size() == 4);
  worker.complete(tasks[0].handle, "value", 0);
  worker.complete(tasks[1].handle, "stored", 1);
  worker.complete(tasks[2].handle, "thrown", 2);
  worker.exchange();
  EXPECT(driver.peer().cancel_queued(6));
  EXPECT_EQ(driver.counts().finished, 2u);
  EXPECT_EQ(driver.counts().failed, 0u);
  driver.tally(-1, 3);
  driver.exchange();
  queue::Counts counts = driver.counts();
  EXPECT_EQ(counts.queued, 1u);
  EXPECT_EQ(counts.running, 1u);
  EXPECT_EQ(counts.finished, 1u);
  EXPECT_EQ(counts.failed, 3u);
  EXPECT_EQ(counts.retried, 1u);
  EXPECT_EQ(counts.bounced, 1u);
  expect_sound(*store);
}

TEST("tasks in flight are found by who has sent them, also when that has ended") {
  auto store = new_store(queue_options());
  auto sender = std::make_unique<Endpoint>(*store);
  Endpoint other(*store), worker(*store);
  uint32_t uid = sender->uid();
  other.submit(7, "x");
  other.exchange();
  for (uint64_t i = 1; i <= 3; ++i) sender->submit(i, "x");
  sender->exchange();
  EXPECT_EQ(worker.exchange(3).size(), 3u);
  sender.reset();
  std::vector<queue::TakenTask> tasks;
  REQUIRE_OK(other.peer().tasks_of(uid, &tasks));
  REQUIRE(tasks.size() == 2);
  EXPECT_EQ(tasks[0].sequence, 1u);
  EXPECT_EQ(tasks[1].sequence, 2u);
  EXPECT_EQ(tasks[0].slot, worker.slot());
  EXPECT_EQ(tasks[0].uid, worker.uid());
}

TEST("it is quiet while nothing is queued and all that is in flight waits") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  Actor actor = driver.create_actor();
  REQUIRE_OK(driver.host(actor, worker));
  EXPECT(driver.peer().is_quiet());
  driver.submit(1, "task");
  driver.exchange();
  EXPECT(!driver.peer().is_quiet());
  uint32_t task = worker.exchange(1).at(0).handle;
  EXPECT(!driver.peer().is_quiet());
  worker.lend(task);
  worker.exchange();
  EXPECT(driver.peer().is_quiet());
  driver.call(actor, 2, "call");
  driver.exchange();
  uint32_t call = worker.exchange().at(0).handle;
  EXPECT(!driver.peer().is_quiet());
  worker.lend(call);
  worker.exchange();
  EXPECT(driver.peer().is_quiet());
  worker.resume(call);
  worker.exchange();
  EXPECT(!driver.peer().is_quiet());
  expect_sound(*store);
}

TEST("workers are counted while they live") {
  auto store = new_store(queue_options());
  Endpoint driver(*store);
  {
    Endpoint worker(*store);
    REQUIRE_OK(worker.peer().set_worker());
    EXPECT_EQ(driver.counts().workers, 1u);
    expect_sound(*store);
  }
  EXPECT_EQ(driver.counts().workers, 0u);
  Endpoint other(*store);
  EXPECT_EQ(driver.counts().workers, 0u);
}

TEST("the runtime's driver is known while it lives") {
  auto store = new_store(queue_options());
  Endpoint other(*store);
  uint32_t slot = 0, uid = 0;
  EXPECT(!other.peer().driver(&slot, &uid));
  {
    Endpoint driver(*store);
    REQUIRE_OK(driver.peer().set_driver());
    REQUIRE(other.peer().driver(&slot, &uid));
    EXPECT_EQ(slot, driver.slot());
    EXPECT_EQ(uid, driver.uid());
  }
  EXPECT(!other.peer().driver(&slot, &uid));
}

TEST("waiting ends with a record, with a ring for a task, or with the time") {
  auto store = new_store(queue_options());
  Endpoint driver(*store), worker(*store);
  worker.exchange();
  EXPECT(!worker.peer().wait(1));
  driver.message(worker.slot(), worker.uid(), 1, "hello");
  driver.exchange();
  EXPECT(worker.peer().wait(10'000));
  EXPECT_EQ(worker.exchange(1).size(), 1u);
  driver.submit(1, "x");
  driver.exchange();
  EXPECT(worker.peer().wait(10'000));
  EXPECT_EQ(worker.exchange(1).size(), 1u);
}

}  // namespace mobula::test
