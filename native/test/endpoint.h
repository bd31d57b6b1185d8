#ifndef MOBULA_TEST_ENDPOINT_H_
#define MOBULA_TEST_ENDPOINT_H_

#include <memory>
#include <string>
#include <vector>

#include "queue/peer.h"
#include "test/support.h"

namespace mobula::test {

struct Received {
  shm::RecordKind kind;
  uint32_t handle;  // of a task or call: answer with it
  uint32_t target_uid;
  uint32_t flags;
  uint64_t sequence;
  uint32_t sender;
  uint32_t sender_uid;
  uint64_t devices;
  std::string payload;
};

std::vector<uint64_t> sequences(const std::vector<Received>& records);

struct Actor {
  uint32_t index = 0;
  uint32_t generation = 0;
};

// What there is unless a test says otherwise (store_with). A task asks for one cpu.
inline constexpr double kCpus = 1'000'000;
inline constexpr double kGpus = 4;
inline constexpr uint64_t kMostArguments = kMiB;

// A peer as a JavaScript thread would use it: collects records, exchanges them at once.
class Endpoint {
 public:
  explicit Endpoint(ObjectStore& store, size_t inbox_bytes = 64 * kKiB);

  queue::Peer& peer() { return *peer_; }
  uint32_t slot() const { return peer_->slot(); }
  uint32_t uid() const { return peer_->uid(); }

  // Into the outbox.
  void submit(uint64_t sequence, const std::string& payload, uint32_t kind = 0);
  void submit_to(uint32_t shape, uint64_t sequence, const std::string& payload,
                 int32_t priority = 0, queue::Op op = queue::Op::kSubmit);
  // A task whose payload is wanted back.
  void submit_wanted(uint64_t sequence, const std::string& payload);
  void call(const Actor& actor, uint64_t sequence, const std::string& payload, int32_t retries = 0);
  void return_call(uint32_t handle, bool begun);
  void complete(uint32_t handle, const std::string& payload, uint32_t flags = 0);
  void item(uint32_t handle, uint32_t number, const std::string& payload);
  void lend(uint32_t handle);
  void resume(uint32_t handle);
  void tally(int32_t finished, int32_t failed);
  void message(uint32_t peer, uint32_t uid, uint64_t sequence, const std::string& payload);

  // Sends the outbox, receives all that is there.
  std::vector<Received> exchange(uint32_t max_tasks = 0, uint32_t kind = 0);
  // Exchanges once; the outbox may be left in part.
  Status exchange_once(uint32_t max_tasks, uint32_t kind, std::vector<Received>* received,
                       bool* more);
  // As an event loop: waits for the bell, ten seconds at most, then exchanges; until something
  // has come.
  std::vector<Received> await(uint32_t max_tasks = 0);
  // The same, once, for at most `ms`.
  std::vector<Received> await_for(int ms, uint32_t max_tasks);

  uint32_t shape(uint32_t kind, const std::vector<queue::Amount>& amounts);
  uint32_t shape(double cpus, double gpus = 0);
  double available(const std::string& resource);
  queue::Counts counts();

  Actor create_actor(int32_t restarts = 0);
  Status host(const Actor& actor, const Endpoint& host, uint32_t attempt = 0);
  // As its host.
  Status make(const Actor& actor, uint32_t attempt = 0);
  // For arguments of a task, of at most kMostArguments of them all.
  bool hold(uint32_t handle, uint64_t bytes);
  // Whether the bell has been rung since the last look.
  bool rung();

 private:
  void add(queue::Op op, uint32_t target, uint32_t target_uid, uint64_t sequence, uint32_t flags,
           const std::string& payload);

  std::unique_ptr<queue::Peer> peer_;
  std::vector<uint8_t> outbox_;
  std::vector<uint8_t> inbox_;
};

StoreOptions queue_options();
// A store whose tasks have these resources.
std::unique_ptr<ObjectStore> store_with(const std::vector<queue::Amount>& resources);

}  // namespace mobula::test

#endif  // MOBULA_TEST_ENDPOINT_H_
