#ifndef MOBULA_TEST_SWEEP_H_
#define MOBULA_TEST_SWEEP_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "test/support.h"

namespace mobula::test {

// Executes a process that stands at Subject::begin_operation() one machine instruction at a time,
// its other threads stopped. Used by the thread that started the process.
class Stepper {
 public:
  explicit Stepper(Process& process);
  // Ends the process after the last instruction executed.
  ~Stepper();

  // False when the operation has ended instead.
  bool step();

 private:
  Process& process_;
  std::vector<pid_t> stopped_;
};

// Tracer and tracee take turns, which is twice as fast when neither has to wake another processor.
void stay_on_one_processor();

// A store, and what surrounds the operation that a sweep interrupts. Made anew for every point.
class Scene {
 public:
  explicit Scene(const StoreOptions& options) : store_(new_store(options)) {}
  virtual ~Scene() = default;

  ObjectStore& store() { return *store_; }
  virtual StoreHandle handle() { return store_->handle(); }
  // The subject stands before its operation.
  virtual void begin() {}
  // The subject is dead: the survivors give back what it held.
  virtual void recover() {}
  // Everything that a user could observe of the structures.
  virtual std::string state();
  // Fails the test unless the survivors can go on.
  virtual void go_on();

 protected:
  std::unique_ptr<ObjectStore> store_;
};

struct Operation {
  const char* role;
  std::vector<std::string> arguments = {};
  // How many states the operation passes, the first and the last included: no kill may leave
  // another, nor an earlier one than a kill some instructions before it.
  size_t states = 2;
};

// Runs the operation again and again, each time in a new process that is killed one instruction
// later, or, unless this is a long run, some instructions later, from a random one on; recovers,
// checks, goes on.
void sweep(const Operation& operation, const std::function<std::unique_ptr<Scene>()>& make_scene);

// Sizes, states and holders of all objects, and the totals of the store.
std::string describe_objects(ObjectStore& store);
// How many records stand where, and the states of actors.
std::string describe_queues(ObjectStore& store);

}  // namespace mobula::test

#endif  // MOBULA_TEST_SWEEP_H_
