#include "test/costs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atomic>
#include <functional>
#include <new>

#include "queue/peer.h"
#include "test/endpoint.h"
#include "test/sweep.h"

namespace {

std::atomic<uint64_t> allocations{0};

}  // namespace

void* operator new(size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = malloc(bytes);
  if (memory == nullptr) abort();
  return memory;
}
void operator delete(void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }

namespace mobula::test {
namespace {

#define MOBULA_TEXT_OF(word) #word
#define MOBULA_TEXT(macro) MOBULA_TEXT_OF(macro)
#if defined(__clang__)
constexpr const char* kCompiler = "clang " MOBULA_TEXT(__clang_major__);
#else
constexpr const char* kCompiler = "gcc " MOBULA_TEXT(__GNUC__);
#endif

constexpr int kWarmUps = 256;
constexpr int kCounted = 32;
// Evictions after which no memory is new.
constexpr uint64_t kSettled = 20'000;
constexpr uint64_t kSmall = 64;

using Execution = std::function<void()>;

// A side of the transport that brings its records along, as JavaScript does.
class Side {
 public:
  explicit Side(ObjectStore& store) : endpoint_(store), inbox_(64 * kKiB) {}

  Endpoint& endpoint() { return endpoint_; }

  void add(queue::Op op, uint32_t target, uint64_t sequence) {
    queue::Wire wire{};
    wire.bytes = sizeof wire;
    wire.op = static_cast<uint32_t>(op);
    wire.target = target;
    wire.sequence = sequence;
    memcpy(outbox_ + length_, &wire, sizeof wire);
    length_ += sizeof wire;
  }

  // Sends all, and calls `receive` with each record that has come.
  template <class Receive>
  void exchange(uint32_t max_tasks, const Receive& receive) {
    size_t sent = 0;
    queue::Exchanged exchanged;
    REQUIRE_OK(endpoint_.peer().exchange(outbox_, length_, inbox_.data(), inbox_.size(), 0,
                                         max_tasks, &sent, &exchanged));
    length_ = 0;
    for (size_t at = 0; at < exchanged.received;) {
      queue::Wire wire;
      memcpy(&wire, inbox_.data() + at, sizeof wire);
      receive(wire);
      at += wire.bytes;
    }
  }

 private:
  Endpoint endpoint_;
  uint8_t outbox_[4096];
  size_t length_ = 0;
  std::vector<uint8_t> inbox_;
};

// So many tasks are submitted at once, taken at once and answered at once.
Execution tasks(ObjectStore& store, uint32_t count) {
  auto driver = std::make_shared<Side>(store);
  auto worker = std::make_shared<Side>(store);
  uint32_t shape = driver->endpoint().shape(1);
  return [=, next = uint64_t{1}]() mutable {
    auto ignore = [](const queue::Wire&) {};
    for (uint32_t i = 0; i < count; ++i) driver->add(queue::Op::kSubmit, shape, next++);
    driver->exchange(0, ignore);
    worker->exchange(
        count, [&](const queue::Wire& wire) { worker->add(queue::Op::kComplete, wire.target, 0); });
    worker->exchange(0, ignore);
    driver->exchange(0, ignore);
  };
}

struct Counted {
  const char* name;
  int per_execution;  // of kCounted
  Execution (*start)(ObjectStore& store);
};

Status put_small(ObjectStore& store, const ObjectId& id) {
  static const uint8_t kBytes[kSmall] = {};
  ObjectId made;
  return store.put(&id, kBytes, kSmall, nullptr, 0, {}, &made, nullptr);
}

const Counted kOperations[] = {
    {"nothing", 1, [](ObjectStore&) -> Execution { return [] {}; }},
    {"get and unpin", 1,
     [](ObjectStore& store) -> Execution {
       REQUIRE_OK(put_small(store, id_of(1)));
       return [&store] {
         Reading reading;
         REQUIRE_OK(store.get(id_of(1), &reading));
         REQUIRE_OK(store.unpin(reading.ref));
       };
     }},
    {"put and remove", 1,
     [](ObjectStore& store) -> Execution {
       return [&store] {
         REQUIRE_OK(put_small(store, id_of(1)));
         REQUIRE_OK(store.remove(id_of(1)));
       };
     }},
    {"put that evicts one", 1,
     [](ObjectStore& store) -> Execution {
       auto put_next = [&store, next = 1u]() mutable {
         REQUIRE_OK(put_small(store, id_of(next++)));
       };
       while (stats_of(store).evictions < kSettled) put_next();
       return put_next;
     }},
    {"put, refer, drop", 1,
     [](ObjectStore& store) -> Execution {
       return [&store] {
         REQUIRE_OK(put_small(store, id_of(1)));
         EntryRef ref;
         REQUIRE_OK(store.add_ref(id_of(1), &ref));
         REQUIRE_OK(store.drop_ref(ref));
       };
     }},
    {"task alone: submit, take, answer, receive", 1,
     [](ObjectStore& store) { return tasks(store, 1); }},
    {"task among 32: submit, take, answer, receive", 32,
     [](ObjectStore& store) { return tasks(store, 32); }},
};

// Its argument is the number of the operation.
ROLE(counting) {
  const Counted& counted = kOperations[strtoul(self.argument(0).c_str(), nullptr, 10)];
  Execution execute = counted.start(self.store());
  auto times = [&](int operations) {
    for (int i = 0; i < operations; i += counted.per_execution) execute();
  };
  times(kWarmUps);
  uint64_t before = allocations;
  times(kCounted);
  self.tell(std::to_string(allocations - before));
  self.begin_operation();
  times(kCounted);
  self.end_operation();
}

struct Cost {
  uint64_t instructions = 0;
  uint64_t allocations = 0;
};

// Of kCounted operations.
Cost cost_of(size_t number) {
  std::unique_ptr<ObjectStore> store = new_store(queue_options());
  Process subject("counting", store->handle(), {std::to_string(number)});
  Cost cost;
  cost.allocations = strtoull(subject.hear().c_str(), nullptr, 10);
  Stepper stepper(subject);
  while (stepper.step()) ++cost.instructions;
  return cost;
}

}  // namespace

int print_costs() {
  stay_on_one_processor();
  printf("%s\n", kCompiler);
  uint64_t nothing = cost_of(0).instructions;
  for (size_t i = 1; i < std::size(kOperations); ++i) {
    Cost cost = cost_of(i);
    printf("%s\t%.0f\t%.2f\n", kOperations[i].name,
           static_cast<double>(cost.instructions - nothing) / kCounted,
           static_cast<double>(cost.allocations) / kCounted);
  }
  finish();
}

}  // namespace mobula::test
