#include "test/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>

#include "port/port.h"
#include "test/test.h"

namespace mobula::test {
namespace {

// What a sweep may cost, in instructions stepped and in processes killed.
struct Budget {
  uint64_t steps;
  uint64_t kills;
};
constexpr Budget kShort{100'000, 25};
constexpr Budget kLong{40'000'000, 20'000};

// By how many instructions runs of one operation differ: a lock that a keeper holds at the moment
// is waited for.
constexpr uint64_t kJitter = 500;

std::vector<pid_t> threads_of(pid_t pid) {
  std::vector<pid_t> threads;
  DIR* directory = opendir(("/proc/" + std::to_string(pid) + "/task").c_str());
  REQUIRE(directory != nullptr);
  while (const dirent* entry = readdir(directory)) {
    auto thread = static_cast<pid_t>(strtol(entry->d_name, nullptr, 10));
    if (thread > 0) threads.push_back(thread);
  }
  closedir(directory);
  return threads;
}

pid_t wait_for(pid_t thread, int* status) {
  pid_t result;
  do {
    result = waitpid(thread, status, __WALL);
  } while (result < 0 && errno == EINTR);
  return result;
}

// Whether what stopped the process is that somebody else stops or continues all of this run.
bool is_job_control(pid_t pid) {
  siginfo_t info;
  bool is_group_stop = ptrace(PTRACE_GETSIGINFO, pid, nullptr, &info) != 0;
  if (is_group_stop) return true;
  return (info.si_signo == SIGSTOP || info.si_signo == SIGCONT) && info.si_pid != pid;
}

struct Outcome {
  std::string state;
  uint64_t steps = 0;
};

Outcome kill_after(const Operation& operation, Scene& scene, uint64_t steps) {
  Outcome outcome;
  {
    Process subject(operation.role, scene.handle(), operation.arguments);
    Stepper stepper(subject);
    scene.begin();
    while (outcome.steps < steps && stepper.step()) ++outcome.steps;
  }
  scene.recover();
  reap_all(scene.store());
  expect_sound(scene.store());
  outcome.state = scene.state();
  scene.go_on();
  expect_sound(scene.store());
  return outcome;
}

// The distance between points that keeps the sweep within its budget.
uint64_t stride_for(uint64_t instructions) {
  Budget budget = long_run() ? kLong : kShort;
  uint64_t by_steps = instructions * instructions / 2 / budget.steps;
  uint64_t by_kills = instructions / budget.kills;
  return std::max({by_steps, by_kills, uint64_t{1}});
}

}  // namespace

Stepper::Stepper(Process& process) : process_(process) {
  int status = 0;
  REQUIRE(wait_for(process.pid(), &status) == process.pid());
  if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP) {
    fail(__FILE__, __LINE__, "the role ended before its operation");
    test::finish();
  }
  for (pid_t thread : threads_of(process.pid())) {
    if (thread == process.pid()) continue;
    bool traced = ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) == 0;
    if (!traced) {
      fail(__FILE__, __LINE__, std::string("this machine permits no tracing: ") + strerror(errno));
      test::finish();
    }
    REQUIRE(ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) == 0);
    REQUIRE(wait_for(thread, &status) == thread);
    stopped_.push_back(thread);
  }
}

// The end of the leader is reported once the threads that were traced have been waited for.
Stepper::~Stepper() {
  ::kill(process_.pid(), SIGKILL);
  for (pid_t thread : stopped_) {
    int status = 0;
    while (wait_for(thread, &status) == thread && WIFSTOPPED(status)) {
    }
  }
  process_.kill();
}

bool Stepper::step() {
  int status = 0;
  do {
    REQUIRE(ptrace(PTRACE_SINGLESTEP, process_.pid(), nullptr, nullptr) == 0);
    REQUIRE(wait_for(process_.pid(), &status) == process_.pid());
  } while (WIFSTOPPED(status) && is_job_control(process_.pid()));
  if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP) return true;
  bool ended = WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
  if (!ended) {
    fail(__FILE__, __LINE__, "the operation failed, status " + std::to_string(status));
    test::finish();
  }
  return false;
}

void stay_on_one_processor() {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  CPU_SET(static_cast<size_t>(sched_getcpu()), &processors);
  sched_setaffinity(0, sizeof processors, &processors);
}

std::string Scene::state() {
  std::string text = describe_objects(*store_);
  if (store_->client()->segment().header().has_queue) text += describe_queues(*store_);
  return text;
}

void Scene::go_on() {
  ObjectId id = id_of(0xffff);
  EXPECT_CODE(put(*store_, id, 100), kOk);
  EXPECT(is_intact(*store_, id));
}

void sweep(const Operation& operation, const std::function<std::unique_ptr<Scene>()>& make_scene) {
  stay_on_one_processor();
  std::vector<std::string> states;
  auto kill_at = [&](uint64_t steps) {
    std::unique_ptr<Scene> scene = make_scene();
    return kill_after(operation, *scene, steps);
  };
  states.push_back(kill_at(0).state);
  Outcome whole = kill_at(UINT64_MAX);
  uint64_t stride = stride_for(whole.steps);
  uint64_t first = 0, points = 0, entered = 0;
  port::random_bytes(&first, sizeof first);
  for (uint64_t steps = 1 + first % stride; steps < whole.steps; steps += stride, ++points) {
    std::string state = kill_at(steps).state;
    if (state == states.back()) continue;
    bool is_jitter = states.size() > 1 && state == states[states.size() - 2];
    if (is_jitter && steps - entered < kJitter) continue;
    bool known = std::find(states.begin(), states.end(), state) != states.end();
    if (known || states.size() == operation.states) {
      fail(__FILE__, __LINE__,
           "a kill after instruction " + std::to_string(steps) + " leaves " + state + "after " +
               states.back());
      return;
    }
    states.push_back(state);
    entered = steps;
  }
  if (whole.state != states.back()) states.push_back(whole.state);
  EXPECT(states.size() <= operation.states);
  if (operation.states > 1) EXPECT(states.size() > 1);
  printf("  %s: killed at %llu of %llu instructions\n", operation.role,
         static_cast<unsigned long long>(points), static_cast<unsigned long long>(whole.steps));
}

std::string describe_objects(ObjectStore& store) {
  std::vector<std::string> lines;
  for (const ObjectInfo& info : list(store)) {
    lines.push_back(info.id.hex() + " " + show(info.size) + " " + show(info.state) + " pinned by " +
                    show(info.pins));
  }
  std::sort(lines.begin(), lines.end());
  StoreStats stats = stats_of(store);
  const shm::StoreState& state = store.client()->segment().store();
  std::string text = "\nused " + show(stats.used_bytes) + " pinned " + show(stats.pinned_bytes) +
                     " sealed " + show(stats.sealed) + " unsealed " + show(stats.unsealed) +
                     " evictions " + show(stats.evictions) + " entries " +
                     show(state.entries.used - state.entries.free_count) + " edges " +
                     show(state.edges.used - state.edges.free_count) + "\n";
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string describe_queues(ObjectStore& store) {
  store::Client& client = *store.client();
  shm::LockGuard guard(client.queue_lock());
  REQUIRE_OK(guard.status());
  const shm::QueueState& state = client.segment().queue();
  std::string text = "cells " + show(state.cells.used - state.cells.free_count) + " queued";
  for (uint32_t i = 0; i < state.shapes_used; ++i) {
    const shm::Shape& shape = state.shapes[i];
    text.append(" ").append(show(shape.queue.count)).append("+").append(show(shape.heap_count));
  }
  text += "\nleft";
  for (uint32_t i = 0; i < state.resources_used; ++i) {
    text.append(" ").append(show(state.resources[i].available));
  }
  text += "\n";
  for (uint32_t i = 0; i < shm::kMaxPeers; ++i) {
    const shm::PeerSlot& peer = state.peers[i];
    if (peer.state == shm::PeerState::kFree) continue;
    text += "peer " + show(i) + " mailbox " + show(peer.mailbox.count) + " in flight " +
            show(peer.in_flight.count) + "\n";
  }
  for (uint32_t i = 0; i < state.actors.used; ++i) {
    const shm::ActorSlot& actor = client.segment().actor(i);
    if (actor.state == shm::ActorState::kFree) continue;
    text += "actor " + show(i) + " state " + show(actor.state) + " pending " +
            show(actor.pending.count) + " made " + show(actor.made) + "\n";
  }
  return text;
}

}  // namespace mobula::test
