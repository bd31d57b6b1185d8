// Actors as the queues know them: pending until they have a host, then an address for calls.

#include "queue/retire.h"
#include "test/endpoint.h"

namespace mobula::test {
namespace {

using shm::RecordKind;

std::vector<uint64_t> sequences(const std::vector<Received>& records, RecordKind kind) {
  std::vector<uint64_t> numbers;
  for (const Received& record : records) {
    EXPECT_EQ(record.kind, kind);
    numbers.push_back(record.sequence);
  }
  return numbers;
}

ROLE(actor_owner) {
  Endpoint endpoint(self.store());
  Actor actor = endpoint.create_actor();
  self.tell(std::to_string(actor.index));
  self.tell_and_linger(std::to_string(actor.generation));
}

ROLE(restarting_host) {
  Endpoint endpoint(self.store());
  Actor actor{static_cast<uint32_t>(std::stoul(self.argument(0))),
              static_cast<uint32_t>(std::stoul(self.argument(1)))};
  REQUIRE_OK(endpoint.host(actor, endpoint));
  std::vector<Received> calls = endpoint.await();
  REQUIRE(calls.size() == 2);
  endpoint.complete(calls[0].handle, "answered");
  endpoint.exchange();
  self.tell_and_linger("hosting");
}

ROLE(actor_host) {
  Endpoint endpoint(self.store());
  Actor actor{static_cast<uint32_t>(std::stoul(self.argument(0))),
              static_cast<uint32_t>(std::stoul(self.argument(1)))};
  REQUIRE_OK(endpoint.host(actor, endpoint));
  std::vector<Received> calls = endpoint.await();
  REQUIRE(!calls.empty());
  self.tell_and_linger("hosting");
}

}  // namespace

TEST("calls made before an actor has a host reach the host in order") {
  auto store = new_store(queue_options());
  Endpoint caller(*store), host(*store);
  Actor actor = caller.create_actor();
  for (uint64_t i = 0; i < 5; ++i) caller.call(actor, i, "call");
  caller.exchange();
  EXPECT(host.exchange().empty());
  expect_sound(*store);
  REQUIRE_OK(caller.host(actor, host));
  EXPECT(host.rung());
  caller.call(actor, 5, "call");
  caller.exchange();
  std::vector<Received> calls = host.exchange();
  EXPECT_EQ(sequences(calls, RecordKind::kCall), (std::vector<uint64_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(calls.at(0).target_uid, actor.index);
  expect_sound(*store);
}

TEST("actors are counted while they live, and once they have ended") {
  auto store = new_store(queue_options());
  Endpoint owner(*store), host(*store);
  Actor hosted = owner.create_actor(), pending = owner.create_actor();
  REQUIRE_OK(owner.host(hosted, host));
  EXPECT_EQ(owner.counts().actors, 2u);
  EXPECT_EQ(owner.counts().actors_ended, 0u);
  owner.peer().end_actor(hosted.index, hosted.generation);
  owner.peer().end_actor(hosted.index, hosted.generation);
  owner.peer().end_actor(pending.index, pending.generation);
  owner.create_actor();
  EXPECT_EQ(owner.counts().actors, 1u);
  EXPECT_EQ(owner.counts().actors_ended, 2u);
  expect_sound(*store);
}

TEST("a call is answered to its caller with its number") {
  auto store = new_store(queue_options());
  Endpoint owner(*store), caller(*store), host(*store);
  Actor actor = owner.create_actor();
  REQUIRE_OK(owner.host(actor, host));
  caller.call(actor, 9, "ask");
  caller.exchange();
  host.complete(host.exchange().at(0).handle, "answer");
  host.exchange();
  EXPECT(owner.exchange().empty());
  std::vector<Received> answers = caller.exchange();
  REQUIRE(answers.size() == 1);
  EXPECT_EQ(answers[0].kind, RecordKind::kCompletion);
  EXPECT_EQ(answers[0].sequence, 9u);
  EXPECT_EQ(answers[0].payload, "answer");
  expect_sound(*store);
}

TEST("calls to an ended actor bounce, those that waited for a host too") {
  auto store = new_store(queue_options());
  Endpoint caller(*store);
  Actor actor = caller.create_actor();
  for (uint64_t i = 0; i < 200; ++i) caller.call(actor, i, "call");
  caller.exchange();
  caller.peer().end_actor(actor.index, actor.generation);
  EXPECT_EQ(sequences(caller.exchange(), RecordKind::kBounced).size(), 200u);
  caller.call(actor, 1, "call");
  EXPECT_EQ(sequences(caller.exchange(), RecordKind::kBounced), (std::vector<uint64_t>{1}));
  expect_sound(*store);
}

TEST("an ended actor cannot be hosted") {
  auto store = new_store(queue_options());
  Endpoint peer(*store);
  Actor actor = peer.create_actor();
  peer.peer().end_actor(actor.index, actor.generation);
  EXPECT_CODE(peer.host(actor, peer), kNotFound);
}

TEST("ending an actor spares the one that has its row now") {
  auto store = new_store(queue_options());
  Endpoint peer(*store);
  Actor first = peer.create_actor();
  peer.peer().end_actor(first.index, first.generation);
  Actor second = peer.create_actor();
  EXPECT_EQ(second.index, first.index);
  peer.peer().end_actor(first.index, first.generation);
  EXPECT_CODE(peer.host(second, peer), kOk);
}

TEST("calls to an actor whose host has ended bounce, running ones too") {
  auto store = new_store(queue_options());
  Endpoint caller(*store);
  auto host = std::make_unique<Endpoint>(*store);
  Actor actor = caller.create_actor();
  REQUIRE_OK(caller.host(actor, *host));
  caller.call(actor, 1, "running");
  caller.exchange();
  EXPECT_EQ(host->exchange().size(), 1u);
  caller.call(actor, 2, "waiting");
  caller.exchange();
  host.reset();
  caller.call(actor, 3, "late");
  EXPECT_EQ(sequences(caller.exchange(), RecordKind::kBounced), (std::vector<uint64_t>{1, 2, 3}));
  expect_sound(*store);
}

TEST("a killed host's calls bounce and its actor ends") {
  auto store = new_store(queue_options());
  Endpoint caller(*store);
  Actor actor = caller.create_actor();
  caller.call(actor, 1, "call");
  caller.exchange();
  Process host("actor_host", store->handle(),
               {std::to_string(actor.index), std::to_string(actor.generation)});
  EXPECT_EQ(host.hear(), "hosting");
  host.kill();
  EXPECT_EQ(sequences(caller.await(), RecordKind::kBounced), (std::vector<uint64_t>{1}));
  EXPECT(eventually([&] { return stats_of(*store).clients == 1; }));
  EXPECT_CODE(caller.host(actor, caller), kNotFound);
  expect_sound(*store);
}

TEST("an actor ends with the process of its owner") {
  auto store = new_store(queue_options());
  Endpoint caller(*store);
  Process owner("actor_owner", store->handle());
  Actor actor{static_cast<uint32_t>(std::stoul(owner.hear())),
              static_cast<uint32_t>(std::stoul(owner.hear()))};
  caller.call(actor, 1, "call");
  caller.exchange();
  owner.kill();
  EXPECT_EQ(sequences(caller.await(), RecordKind::kBounced), (std::vector<uint64_t>{1}));
  expect_sound(*store);
}

namespace {

shm::ActorState state_of(Endpoint& endpoint, const Actor& actor) {
  return endpoint.peer().actor_state(actor.index, actor.generation);
}

using Numbers = std::vector<uint64_t>;

}  // namespace

TEST("an actor with restarts left outlives its host, and its calls come to the next one in order") {
  auto store = new_store(queue_options());
  Endpoint caller(*store), next(*store);
  auto host = std::make_unique<Endpoint>(*store);
  Actor actor = caller.create_actor(1);
  REQUIRE_OK(caller.host(actor, *host));
  REQUIRE_OK(host->make(actor));
  for (uint64_t i = 0; i < 100; ++i) caller.call(actor, i, "call", 1);
  caller.exchange();
  host->complete(host->exchange().at(0).handle, "answer");
  host->exchange();
  EXPECT_EQ(sequences(caller.exchange(), RecordKind::kCompletion), Numbers{0});
  for (uint64_t i = 100; i < 200; ++i) caller.call(actor, i, "call");
  caller.exchange();
  host.reset();
  EXPECT(state_of(caller, actor) == shm::ActorState::kRestarting);
  EXPECT_EQ(caller.counts().actors_restarting, 1u);
  for (uint64_t i = 200; i < 250; ++i) caller.call(actor, i, "call");
  EXPECT(caller.exchange().empty());
  expect_sound(*store);
  REQUIRE_OK(caller.host(actor, next));
  std::vector<Received> calls = next.exchange();
  REQUIRE(calls.size() == 249);
  for (uint64_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(calls[i].sequence, i + 1);
    EXPECT_EQ(calls[i].devices, calls[i].sequence < 100 ? 1u : 0u);
    EXPECT_EQ(calls[i].flags, actor.generation);
  }
  EXPECT_EQ(caller.counts().actors_restarting, 0u);
  expect_sound(*store);
}

TEST("a call that its host may have begun is begun again as often as its retries say") {
  auto store = new_store(queue_options());
  Endpoint caller(*store);
  Actor actor = caller.create_actor(-1);
  caller.call(actor, 1, "once more", 1);
  caller.call(actor, 2, "once", 0);
  caller.call(actor, 3, "as often as it takes", -1);
  caller.exchange();
  std::vector<Numbers> received, bounced;
  for (uint64_t round = 0; round < 3; ++round) {
    Endpoint host(*store);
    REQUIRE_OK(caller.host(actor, host));
    REQUIRE_OK(host.make(actor));
    received.emplace_back();
    for (const Received& call : host.exchange()) {
      received.back().push_back(call.sequence);
      EXPECT_EQ(call.devices, round);
    }
    queue::retire_peer(store->client()->segment(), store->client()->queue_lock(),
                       store->client()->bells(), host.slot());
    bounced.push_back(sequences(caller.exchange(), RecordKind::kBounced));
  }
  EXPECT_EQ(received, (std::vector<Numbers>{{1, 2, 3}, {1, 3}, {3}}));
  EXPECT_EQ(bounced, (std::vector<Numbers>{{2}, {1}, {}}));
  expect_sound(*store);
}

TEST("a call that its host has not read is not counted as begun") {
  auto store = new_store(queue_options());
  Endpoint caller(*store), next(*store);
  auto host = std::make_unique<Endpoint>(*store);
  Actor actor = caller.create_actor(1);
  REQUIRE_OK(caller.host(actor, *host));
  REQUIRE_OK(host->make(actor));
  caller.call(actor, 1, "unread", 0);
  caller.exchange();
  host.reset();
  REQUIRE_OK(caller.host(actor, next));
  std::vector<Received> calls = next.exchange();
  REQUIRE(calls.size() == 1);
  EXPECT_EQ(calls[0].devices, 0u);
  expect_sound(*store);
}

TEST("a call that its host has read before it had made the actor is not counted as begun") {
  auto store = new_store(queue_options());
  Endpoint caller(*store), next(*store);
  Actor actor = caller.create_actor(-1);
  caller.call(actor, 1, "early", 0);
  caller.exchange();
  REQUIRE_OK(next.make(actor, 0));
  for (uint32_t attempt = 1; attempt < 3; ++attempt) {
    Endpoint host(*store);
    REQUIRE_OK(caller.host(actor, host, attempt));
    EXPECT_EQ(sequences(host.exchange()), Numbers{1});
  }
  EXPECT(caller.exchange().empty());
  REQUIRE_OK(caller.host(actor, next, 3));
  std::vector<Received> calls = next.exchange();
  REQUIRE(calls.size() == 1);
  EXPECT_EQ(calls[0].devices, 0u);
  expect_sound(*store);
}

TEST("a host may have made an actor before it is known as its host") {
  auto store = new_store(queue_options());
  Endpoint caller(*store);
  Actor actor = caller.create_actor(-1);
  caller.call(actor, 1, "early", 0);
  caller.exchange();
  {
    Endpoint host(*store);
    REQUIRE_OK(host.make(actor, 0));
    REQUIRE_OK(caller.host(actor, host, 0));
    EXPECT_EQ(sequences(host.exchange()), Numbers{1});
  }
  EXPECT_EQ(sequences(caller.exchange(), RecordKind::kBounced), Numbers{1});
  caller.peer().end_actor(actor.index, actor.generation);
  EXPECT_CODE(caller.make(actor, 1), kNotFound);
  expect_sound(*store);
}

TEST("a call for which its host was ended comes back, and the others lose no retry") {
  auto store = new_store(queue_options());
  Endpoint caller(*store);
  Actor actor = caller.create_actor(-1);
  for (uint64_t i = 1; i <= 3; ++i) caller.call(actor, i, "call", 1);
  caller.exchange();
  std::vector<Numbers> bounced;
  for (bool is_forced : {true, false, false}) {
    Endpoint host(*store);
    REQUIRE_OK(caller.host(actor, host));
    REQUIRE_OK(host.make(actor));
    host.exchange();
    if (is_forced) EXPECT(caller.peer().blame(host.slot(), host.uid(), caller.uid(), 2));
    queue::retire_peer(store->client()->segment(), store->client()->queue_lock(),
                       store->client()->bells(), host.slot());
    bounced.push_back(sequences(caller.exchange(), RecordKind::kBounced));
  }
  EXPECT_EQ(bounced, (std::vector<Numbers>{{2}, {}, {1, 3}}));
  expect_sound(*store);
}

TEST("an actor whose restarts are used up ends with its host") {
  auto store = new_store(queue_options());
  Endpoint caller(*store);
  Actor actor = caller.create_actor(2);
  for (int i = 0; i < 3; ++i) {
    EXPECT(state_of(caller, actor) != shm::ActorState::kFree);
    Endpoint host(*store);
    REQUIRE_OK(caller.host(actor, host));
  }
  EXPECT(state_of(caller, actor) == shm::ActorState::kFree);
  EXPECT_EQ(caller.counts().actors_ended, 1u);
  expect_sound(*store);
}

TEST("an actor that is taken from its host gets back what that returns, ahead of new calls") {
  auto store = new_store(queue_options());
  Endpoint caller(*store), host(*store), next(*store);
  Actor actor = caller.create_actor(1);
  REQUIRE_OK(caller.host(actor, host));
  REQUIRE_OK(host.make(actor));
  for (uint64_t i = 1; i <= 3; ++i) caller.call(actor, i, "call", i == 1 ? 0 : -1);
  caller.exchange();
  std::vector<Received> calls = host.exchange();
  REQUIRE_OK(caller.peer().unhost_actor(actor.index, actor.generation));
  caller.call(actor, 4, "new");
  caller.exchange();
  for (const Received& call : calls) host.return_call(call.handle, call.sequence < 3);
  EXPECT(host.exchange().empty());
  expect_sound(*store);
  EXPECT_EQ(sequences(caller.exchange(), RecordKind::kBounced), Numbers{1});
  REQUIRE_OK(caller.host(actor, next));
  calls = next.exchange();
  EXPECT_EQ(sequences(calls), (Numbers{2, 3, 4}));
  EXPECT_EQ(calls.at(0).devices, 1u);
  EXPECT_EQ(calls.at(1).devices, 0u);
  EXPECT_CODE(caller.peer().unhost_actor(actor.index, actor.generation), kNotFound);
  expect_sound(*store);
}

TEST("a call that waits for the next host can be taken back") {
  auto store = new_store(queue_options());
  Endpoint caller(*store), next(*store);
  auto host = std::make_unique<Endpoint>(*store);
  Actor actor = caller.create_actor(1);
  REQUIRE_OK(caller.host(actor, *host));
  REQUIRE_OK(host->make(actor));
  for (uint64_t i = 1; i <= 3; ++i) caller.call(actor, i, "call", -1);
  caller.exchange();
  host->exchange();
  host.reset();
  caller.call(actor, 4, "new");
  caller.exchange();
  EXPECT(caller.peer().cancel_queued(3));
  EXPECT(caller.peer().cancel_queued(4));
  EXPECT(caller.peer().cancel_queued(1));
  expect_sound(*store);
  caller.call(actor, 5, "newer");
  caller.exchange();
  REQUIRE_OK(caller.host(actor, next));
  EXPECT_EQ(sequences(next.exchange()), (Numbers{2, 5}));
  expect_sound(*store);
}

TEST("a detached actor is the driver's from the start") {
  auto store = new_store(queue_options());
  Endpoint driver(*store);
  REQUIRE_OK(driver.peer().set_driver());
  auto maker = std::make_unique<Endpoint>(*store);
  Actor actor;
  REQUIRE_OK(maker->peer().create_actor(0, true, &actor.index, &actor.generation));
  maker.reset();
  EXPECT(state_of(driver, actor) == shm::ActorState::kPending);
  expect_sound(*store);
}

TEST("an adopted actor outlives the peer that made it") {
  auto store = new_store(queue_options());
  Endpoint driver(*store);
  auto maker = std::make_unique<Endpoint>(*store);
  Actor adopted = maker->create_actor(), left = maker->create_actor();
  REQUIRE_OK(driver.peer().adopt_actor(adopted.index, adopted.generation));
  maker.reset();
  EXPECT(state_of(driver, adopted) == shm::ActorState::kPending);
  EXPECT(state_of(driver, left) == shm::ActorState::kFree);
  EXPECT_CODE(driver.peer().adopt_actor(left.index, left.generation), kNotFound);
  expect_sound(*store);
}

TEST("a killed host's calls wait for the next host, but for those that were answered") {
  auto store = new_store(queue_options());
  Endpoint caller(*store), next(*store);
  Actor actor = caller.create_actor(1);
  caller.call(actor, 1, "first", -1);
  caller.call(actor, 2, "second", -1);
  caller.exchange();
  Process host("restarting_host", store->handle(),
               {std::to_string(actor.index), std::to_string(actor.generation)});
  EXPECT_EQ(host.hear(), "hosting");
  host.kill();
  EXPECT(eventually([&] { return state_of(caller, actor) == shm::ActorState::kRestarting; }));
  EXPECT_EQ(sequences(caller.exchange(), RecordKind::kCompletion), Numbers{1});
  REQUIRE_OK(caller.host(actor, next));
  EXPECT_EQ(sequences(next.exchange(), RecordKind::kCall), Numbers{2});
  expect_sound(*store);
}

TEST("thousands of actors come and go") {
  auto store = new_store(queue_options());
  Endpoint caller(*store), host(*store);
  std::vector<Actor> actors;
  for (int i = 0; i < 5000; ++i) actors.push_back(caller.create_actor());
  for (const Actor& actor : actors) {
    REQUIRE_OK(caller.host(actor, host));
    caller.call(actor, actor.index, "call");
  }
  caller.exchange();
  EXPECT_EQ(host.exchange().size(), actors.size());
  expect_sound(*store);
  for (const Actor& actor : actors) caller.peer().end_actor(actor.index, actor.generation);
  const shm::Table& rows = store->client()->segment().queue().actors;
  EXPECT_EQ(rows.used - rows.free_count, 0u);
  expect_sound(*store);
}

}  // namespace mobula::test
