// A process that is killed after any machine instruction of a queue operation loses no record of
// the others, repeats none, and leaves nobody asleep.

#include "test/queue_scene.h"

namespace mobula::test {
namespace {

using shm::RecordKind;

// The worker sleeps until a task comes, whoever dies ringing it.
class IdleWorker : public Peers {
 public:
  IdleWorker() { worker_.exchange(1); }

  void go_on() override {
    worker_.rung();
    driver_.submit(99, "next");
    driver_.exchange();
    ring_overdue(*store_);
    EXPECT(worker_.rung());
    std::vector<Received> tasks = worker_.exchange(100);
    REQUIRE(tasks.size() == 1);
    EXPECT_EQ(tasks[0].sequence, 99u);
  }
};

class SleepingDriver : public Peers {
 public:
  SleepingDriver() { driver_.exchange(); }

  void go_on() override {
    bool waiting = store_->client()->segment().queue().peers[driver_.slot()].mailbox.count > 0;
    driver_.rung();
    ring_overdue(*store_);
    EXPECT_EQ(driver_.rung(), waiting);
    std::vector<Received> messages = driver_.exchange();
    EXPECT_EQ(messages.size(), waiting ? 1u : 0u);
    if (waiting) EXPECT(messages[0].payload == kPayload);
  }
};

// Two tasks of the driver, each of which must run or come back, once.
class TwoTasks : public Peers {
 public:
  TwoTasks() {
    driver_.submit(1, kPayload);
    driver_.submit(2, kPayload);
    driver_.exchange();
  }

  void go_on() override {
    std::vector<Received> records = driver_.exchange();
    for (const Received& task : worker_.exchange(100)) records.push_back(task);
    uint64_t sum = 0;
    for (const Received& record : records) {
      sum += record.sequence;
      EXPECT(record.payload == kPayload);
    }
    EXPECT_EQ(records.size(), 2u);
    EXPECT_EQ(sum, 3u);
  }
};

// A task that the subject has taken comes back or is answered, once.
class OneTask : public Peers {
 public:
  OneTask() {
    driver_.submit(1, kPayload);
    driver_.exchange();
  }

  void go_on() override {
    std::vector<Received> records = driver_.exchange();
    REQUIRE(records.size() == 1);
    EXPECT_EQ(records[0].sequence, 1u);
    bool answered = records[0].kind == RecordKind::kCompletion;
    EXPECT(answered || records[0].kind == RecordKind::kBounced);
    EXPECT(records[0].payload == (answered ? std::string(1000, 'a') : kPayload));
  }
};

// A task that comes back whatever happens: as its own answer, or bounced.
class WantedTask : public Peers {
 public:
  WantedTask() {
    driver_.submit_wanted(1, kPayload);
    driver_.exchange();
  }

  void go_on() override {
    std::vector<Received> records = driver_.exchange();
    REQUIRE(records.size() == 1);
    EXPECT_EQ(records[0].sequence, 1u);
    EXPECT(records[0].payload == kPayload);
    EXPECT_EQ(driver_.available("cpu"), kCpus);
  }
};

// A task at the worker, and one for the subject: room for the arguments of either is there again
// when the other has ended.
class Arguments : public Peers {
 public:
  Arguments() {
    for (uint64_t i = 1; i <= 2; ++i) driver_.submit(i, kPayload);
    driver_.exchange();
    own_ = worker_.exchange(1).at(0).handle;
  }

  void go_on() override {
    EXPECT(worker_.hold(own_, kMostArguments));
    Peers::go_on();
  }

 protected:
  uint32_t own_ = 0;
};

class HeldArguments : public Arguments {
 public:
  HeldArguments() { REQUIRE(worker_.hold(own_, kMostArguments)); }
};

// Two tasks that ask for gpus, each of which must run or come back, once; the gpus come back.
class TwoGpuTasks : public TwoTasks {
 public:
  TwoGpuTasks() {
    REQUIRE(driver_.peer().cancel_queued(1) && driver_.peer().cancel_queued(2));
    driver_.submit_to(driver_.shape(1, 2), 1, kPayload, 5);
    driver_.submit_to(driver_.shape(1, 0.5), 2, kPayload, -5);
    driver_.exchange();
  }

  void go_on() override {
    EXPECT_EQ(driver_.available("gpu"), kGpus);
    TwoTasks::go_on();
  }
};

// A heap of seven tasks, which must all run, in order.
class HeapOfTasks : public Peers {
 public:
  HeapOfTasks() {
    uint32_t shape = driver_.shape(1);
    for (int32_t i : {4, 2, 6, 1, 3, 5, 7}) {
      driver_.submit_to(shape, static_cast<uint64_t>(i), kPayload, i);
    }
    driver_.exchange();
  }

  void go_on() override {
    std::vector<Received> records = worker_.exchange(100);
    uint64_t above = 100;
    for (const Received& record : records) {
      EXPECT(record.sequence < above && record.payload == kPayload);
      above = record.sequence;
    }
    EXPECT_EQ(records.size(), 7u);
  }
};

// A task that the subject runs, and that may have given items before it comes back.
class Stream : public OneTask {
 public:
  void go_on() override {
    std::vector<Received> records = driver_.exchange();
    REQUIRE(!records.empty());
    for (const Received& record : records) {
      bool last = &record == &records.back();
      EXPECT_EQ(record.sequence, 1u);
      EXPECT_EQ(record.kind, last ? RecordKind::kBounced : RecordKind::kItem);
      EXPECT(record.payload == (last ? kPayload : std::string(1000, 'i')));
    }
    EXPECT_EQ(driver_.available("cpu"), kCpus);
  }
};

// Two tasks of which the subject may blame either for the end of the one who runs them.
class Blamed : public TwoTasks {
 public:
  Blamed() { REQUIRE(worker_.exchange(2).size() == 2); }

  void go_on() override {
    uint32_t slot = 0, uid = 0;
    for (uint64_t i : {1, 2}) {
      EXPECT(driver_.peer().where_is(i, &slot, &uid));
      EXPECT_EQ(slot, worker_.slot());
    }
  }
};

ROLE(opening_a_peer) {
  self.begin_operation();
  Endpoint endpoint(self.store(), 1024);
  self.end_operation();
}

ROLE(submitting) {
  Endpoint endpoint(self.store(), 1024);
  for (uint64_t i = 0; i < 3; ++i) endpoint.submit(i, kPayload);
  self.begin_operation();
  endpoint.exchange();
  self.end_operation();
}

ROLE(submitting_what_needs_new_cells) {
  Endpoint endpoint(self.store(), 1024);
  endpoint.submit(1, std::string(300'000, 'x'));
  self.begin_operation();
  endpoint.exchange();
  self.end_operation();
}

ROLE(sending_a_message) {
  Endpoint endpoint(self.store(), 1024);
  endpoint.message(0, self.store().client()->segment().queue().peers[0].uid, 1, kPayload);
  self.begin_operation();
  endpoint.exchange();
  self.end_operation();
}

ROLE(taking_tasks) {
  Endpoint endpoint(self.store());
  self.begin_operation();
  std::vector<Received> tasks = endpoint.exchange(2);
  self.end_operation();
  REQUIRE(tasks.size() == 2);
}

ROLE(submitting_with_priorities) {
  Endpoint endpoint(self.store(), 1024);
  uint32_t shape = endpoint.shape(1);
  for (int32_t i : {8, 0, -1}) endpoint.submit_to(shape, 8, kPayload, i);
  self.begin_operation();
  endpoint.exchange();
  self.end_operation();
}

ROLE(taking_back_tasks) {
  Endpoint endpoint(self.store(), 1024);
  uint32_t shape = endpoint.shape(1);
  for (uint64_t i = 1; i <= 4; ++i) {
    endpoint.submit_to(shape, i, kPayload, static_cast<int32_t>(5 - i) % 4);
  }
  endpoint.exchange();
  self.begin_operation();
  for (uint64_t i = 1; i <= 4; ++i) endpoint.peer().cancel_queued(i);
  self.end_operation();
}

ROLE(giving_items) {
  Endpoint endpoint(self.store());
  uint32_t handle = endpoint.exchange(1).at(0).handle;
  for (uint32_t i = 0; i < 2; ++i) endpoint.item(handle, i, std::string(1000, 'i'));
  self.begin_operation();
  endpoint.exchange();
  self.end_operation();
}

ROLE(lending_and_resuming) {
  Endpoint endpoint(self.store());
  uint32_t handle = endpoint.exchange(1).at(0).handle;
  endpoint.lend(handle);
  endpoint.resume(handle);
  self.begin_operation();
  endpoint.exchange();
  self.end_operation();
}

ROLE(holding_arguments) {
  Endpoint endpoint(self.store());
  uint32_t handle = endpoint.exchange(1).at(0).handle;
  self.begin_operation();
  bool held = endpoint.hold(handle, kMostArguments);
  self.end_operation();
  (void)held;
}

ROLE(ending_with_arguments) {
  Endpoint endpoint(self.store());
  uint32_t handle = endpoint.exchange(1).at(0).handle;
  REQUIRE(endpoint.hold(handle, kMostArguments));
  endpoint.lend(handle);
  endpoint.resume(handle);
  endpoint.complete(handle, "done");
  self.begin_operation();
  endpoint.exchange();
  self.end_operation();
}

ROLE(blaming) {
  Endpoint endpoint(self.store(), 1024);
  const shm::PeerSlot* peers = self.store().client()->segment().queue().peers;
  self.begin_operation();
  bool blamed = endpoint.peer().blame(1, peers[1].uid, peers[0].uid, 1);
  self.end_operation();
  REQUIRE(blamed);
}

ROLE(making_a_shape) {
  Endpoint endpoint(self.store(), 1024);
  self.begin_operation();
  endpoint.shape(3, 1);
  self.end_operation();
}

ROLE(answering_and_submitting) {
  Endpoint endpoint(self.store());
  endpoint.complete(endpoint.exchange(1).at(0).handle, std::string(1000, 'a'));
  endpoint.submit(7, std::string(1000, 'b'));
  self.begin_operation();
  endpoint.exchange();
  self.end_operation();
}

ROLE(giving_back_a_task) {
  Endpoint endpoint(self.store());
  endpoint.complete(endpoint.exchange(1).at(0).handle, "", 1);
  self.begin_operation();
  endpoint.exchange();
  self.end_operation();
}

ROLE(closing_a_peer) {
  auto endpoint = std::make_unique<Endpoint>(self.store());
  REQUIRE(endpoint->exchange(1).size() == 1);
  self.begin_operation();
  endpoint.reset();
  self.end_operation();
}

}  // namespace

TEST("a kill while opening a peer leaves none") { sweep({"opening_a_peer", {}, 1}, make<Peers>); }
TEST("a kill while submitting leaves whole tasks and wakes a worker for the next") {
  sweep({"submitting", {}, 4}, make<IdleWorker>);
}
TEST("a kill while the queue region grows leaves a whole task or none") {
  sweep({"submitting_what_needs_new_cells"}, make<IdleWorker>);
}
TEST("a kill while sending a message leaves it whole or unsent, and its reader awake") {
  sweep({"sending_a_message"}, make<SleepingDriver>);
}
TEST("a kill while taking tasks loses and repeats none") {
  sweep({"taking_tasks", {}, 3}, make<TwoTasks>);
}
TEST("a kill while submitting with priorities leaves a sound heap") {
  sweep({"submitting_with_priorities", {}, 4}, make<HeapOfTasks>);
}
TEST("a kill while taking back tasks leaves a sound heap") {
  sweep({"taking_back_tasks", {}, 5}, make<HeapOfTasks>);
}
TEST("a kill while taking tasks gives their gpus back") {
  sweep({"taking_tasks", {}, 3}, make<TwoGpuTasks>);
}
TEST("a kill while giving items leaves whole ones and brings the task back") {
  sweep({"giving_items", {}, 3}, make<Stream>);
}
TEST("a kill while lending and resuming gives back what the task held") {
  sweep({"lending_and_resuming", {}, 1}, make<Stream>);
}
TEST("a kill while holding arguments gives their room back") {
  sweep({"holding_arguments", {}, 1}, make<Arguments>);
}
TEST("a kill while waiting for room for arguments holds up nobody") {
  sweep({"holding_arguments", {}, 1}, make<HeldArguments>);
}
TEST("a kill while a task with arguments lends, resumes and ends gives their room back") {
  sweep({"ending_with_arguments", {}, 3}, make<Arguments>);
}
TEST("a kill while blaming leaves all that runs where it was") {
  sweep({"blaming", {}, 1}, make<Blamed>);
}
TEST("a kill while making a shape leaves a whole one or none") {
  sweep({"making_a_shape", {}, 2}, make<Peers>);
}
TEST("a kill while answering a task answers it or brings it back whole") {
  sweep({"answering_and_submitting", {}, 2}, make<OneTask>);
}
TEST("a kill while answering a task that is wanted back brings it back whole") {
  sweep({"giving_back_a_task", {}, 1}, make<WantedTask>);
}
TEST("a kill while closing a peer brings back what it ran") {
  sweep({"closing_a_peer", {}, 1}, make<OneTask>);
}
}  // namespace mobula::test
