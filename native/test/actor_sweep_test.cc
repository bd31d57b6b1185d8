// A process that is killed after any machine instruction of an operation on an actor loses no call,
// repeats none that must not be, and leaves the actor to somebody.

#include "test/queue_scene.h"

namespace mobula::test {
namespace {

using shm::RecordKind;

// An actor of the driver with two calls that wait for a host.
class PendingActor : public Peers {
 public:
  PendingActor() : actor_(driver_.create_actor()) {
    driver_.call(actor_, 1, kPayload);
    driver_.call(actor_, 2, kPayload);
    driver_.exchange();
  }

  void go_on() override {
    (void)driver_.host(actor_, worker_);
    std::vector<Received> records = driver_.exchange();
    for (const Received& call : worker_.exchange()) records.push_back(call);
    EXPECT_EQ(records.size(), 2u);
    for (const Received& record : records) EXPECT(record.payload == kPayload);
  }

  static Actor of(ObjectStore& store) { return {0, store.client()->segment().actor(0).generation}; }

 private:
  const Actor actor_;
};

// An actor of the driver, of which three calls wait for a host: each must run, in order, and has
// begun once before at most.
class RestartingActor : public Peers {
 public:
  RestartingActor() : actor_(driver_.create_actor(-1)) {
    for (uint64_t i = 1; i <= 3; ++i) driver_.call(actor_, i, kPayload, kRetries);
    driver_.exchange();
  }

  void go_on() override {
    REQUIRE_OK(driver_.host(actor_, worker_));
    std::vector<Received> calls = worker_.exchange();
    EXPECT_EQ(sequences(calls), (std::vector<uint64_t>{1, 2, 3}));
    for (const Received& call : calls) {
      uint32_t used = kRetries - store_->client()->segment().cell(call.handle).flags;
      EXPECT(call.devices <= 1 && used <= call.devices);
    }
    EXPECT(driver_.exchange().empty());
  }

 protected:
  const Actor actor_;

 private:
  static constexpr uint32_t kRetries = 3;
};

// The subject may have become its owner, and then it has ended.
class AdoptedActor : public Peers {
 public:
  AdoptedActor() : actor_(driver_.create_actor()) {
    driver_.call(actor_, 1, kPayload);
    driver_.exchange();
  }

  void go_on() override {
    bool is_hosted = driver_.host(actor_, worker_).is_ok();
    std::vector<Received> records = is_hosted ? worker_.exchange() : driver_.exchange();
    REQUIRE(records.size() == 1);
    EXPECT(records[0].kind == (is_hosted ? RecordKind::kCall : RecordKind::kBounced));
  }

 private:
  const Actor actor_;
};

// It had a host before.
class HostedAgain : public RestartingActor {
 public:
  HostedAgain() {
    REQUIRE_OK(driver_.host(actor_, worker_));
    calls_ = worker_.exchange();
    REQUIRE_OK(driver_.peer().unhost_actor(actor_.index, actor_.generation));
    for (const Received& call : calls_) worker_.return_call(call.handle, false);
    worker_.exchange();
  }

 private:
  std::vector<Received> calls_;
};

// The worker hosts it and has read its calls.
class ActorOfWorker : public RestartingActor {
 public:
  ActorOfWorker() {
    REQUIRE_OK(driver_.host(actor_, worker_));
    REQUIRE_OK(worker_.make(actor_));
    calls_ = worker_.exchange();
  }

  void go_on() override {
    (void)driver_.peer().unhost_actor(actor_.index, actor_.generation);
    for (const Received& call : calls_) worker_.return_call(call.handle, true);
    worker_.exchange();
    RestartingActor::go_on();
  }

 private:
  std::vector<Received> calls_;
};

ROLE(creating_an_actor) {
  Endpoint endpoint(self.store(), 1024);
  self.begin_operation();
  endpoint.create_actor();
  self.end_operation();
}

ROLE(hosting_an_actor) {
  Endpoint endpoint(self.store(), 1024);
  Actor actor = PendingActor::of(self.store());
  self.begin_operation();
  Status status = endpoint.host(actor, endpoint);
  self.end_operation();
  REQUIRE_OK(status);
}

// Two of its calls are read, one is left in the mailbox.
std::vector<Received> host_pending(Endpoint& endpoint, const Actor& actor) {
  REQUIRE_OK(endpoint.host(actor, endpoint));
  REQUIRE_OK(endpoint.make(actor));
  std::vector<Received> calls;
  bool more = false;
  REQUIRE_OK(endpoint.exchange_once(0, 0, &calls, &more));
  REQUIRE(calls.size() == 2);
  return calls;
}

ROLE(restarting_an_actor) {
  Endpoint endpoint(self.store(), 2300);
  host_pending(endpoint, PendingActor::of(self.store()));
  self.begin_operation();
  queue::retire_peer(self.store().client()->segment(), self.store().client()->queue_lock(),
                     self.store().client()->bells(), endpoint.slot());
  self.end_operation();
}

ROLE(returning_calls) {
  Endpoint endpoint(self.store(), 2300);
  Actor actor = PendingActor::of(self.store());
  std::vector<Received> calls = host_pending(endpoint, actor);
  REQUIRE_OK(endpoint.peer().unhost_actor(actor.index, actor.generation));
  for (const Received& call : calls) endpoint.return_call(call.handle, true);
  std::vector<Received> last;
  bool more = false;
  self.begin_operation();
  (void)endpoint.exchange_once(0, 0, &last, &more);
  self.end_operation();
}

ROLE(making_an_actor) {
  Endpoint endpoint(self.store(), 2300);
  Actor actor = PendingActor::of(self.store());
  REQUIRE_OK(endpoint.host(actor, endpoint));
  endpoint.exchange();
  self.begin_operation();
  Status status = endpoint.make(actor);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(taking_an_actor_from_its_host) {
  Endpoint endpoint(self.store(), 1024);
  Actor actor = PendingActor::of(self.store());
  self.begin_operation();
  Status status = endpoint.peer().unhost_actor(actor.index, actor.generation);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(adopting_an_actor) {
  Endpoint endpoint(self.store(), 1024);
  Actor actor = PendingActor::of(self.store());
  self.begin_operation();
  (void)endpoint.peer().set_restarts(actor.index, actor.generation, 3);
  (void)endpoint.peer().adopt_actor(actor.index, actor.generation);
  self.end_operation();
}

ROLE(ending_an_actor) {
  Endpoint endpoint(self.store(), 1024);
  Actor actor = PendingActor::of(self.store());
  self.begin_operation();
  endpoint.peer().end_actor(actor.index, actor.generation);
  self.end_operation();
}

}  // namespace

TEST("a kill while creating an actor leaves none") {
  sweep({"creating_an_actor", {}, 1}, make<Peers>);
}
TEST("a kill while hosting an actor loses and repeats no call") {
  sweep({"hosting_an_actor"}, make<PendingActor>);
}
TEST("a kill while an actor gets its next host loses and repeats no call") {
  sweep({"hosting_an_actor", {}, 1}, make<HostedAgain>);
}
TEST("a kill while ending an actor loses and repeats no call") {
  sweep({"ending_an_actor", {}, 4}, make<PendingActor>);
}
TEST("a kill while restarting an actor keeps its calls, in order") {
  sweep({"restarting_an_actor", {}, 1}, make<RestartingActor>);
}
TEST("a kill while an actor's calls are returned keeps them, in order") {
  sweep({"returning_calls", {}, 1}, make<RestartingActor>);
}
TEST("a kill while taking an actor from its host keeps its calls, in order") {
  sweep({"taking_an_actor_from_its_host"}, make<ActorOfWorker>);
}
TEST("a kill while making an actor leaves its calls begun or not") {
  sweep({"making_an_actor"}, make<RestartingActor>);
}
TEST("a kill while adopting an actor leaves it to one owner") {
  sweep({"adopting_an_actor", {}, 2}, make<AdoptedActor>);
}

}  // namespace mobula::test
