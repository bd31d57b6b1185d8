// Actors as the queues know them: pending until they have a host, then an address for calls.

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
