#ifndef MOBULA_TEST_SUPPORT_H_
#define MOBULA_TEST_SUPPORT_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mobula/object_store.h"
#include "shm/segment.h"
#include "store/client.h"
#include "test/test.h"

namespace mobula::test {

inline constexpr const char* kRoleOption = "--role";

// True for the long versions of tests, see CONTRIBUTING.md.
bool long_run();
// The seed of random tests: MOBULA_SEED, or chosen and printed.
uint64_t seed();

// Asks until it holds, for ten seconds at most.
bool eventually(const std::function<bool()>& holds);

// --- Stores -----------------------------------------------------------------------------------

inline constexpr uint64_t kKiB = 1024;
inline constexpr uint64_t kMiB = 1024 * 1024;

StoreOptions store_options(uint64_t memory = kMiB, uint32_t max_objects = 256);
std::unique_ptr<ObjectStore> new_store(const StoreOptions& options = store_options());
// Fails the test unless every structure of store and queue is sound.
void expect_sound(ObjectStore& store);

// Gives back what dead processes held. A keeper may be at it already, so waits until this process
// is the only client.
void reap_all(ObjectStore& store);

ObjectId id_of(uint32_t number);
// Puts an object whose bytes depend on its id and position; is_intact() recognises them.
Status put(ObjectStore& store, const ObjectId& id, uint64_t size, const SealOptions& options = {},
           std::vector<ObjectInfo>* evicted = nullptr);
bool is_intact(ObjectStore& store, const ObjectId& id);
void fill(const ObjectId& id, uint8_t* bytes, uint64_t size);
StoreStats stats_of(ObjectStore& store);
Availability availability(ObjectStore& store, const ObjectId& id);
bool contains(ObjectStore& store, const ObjectId& id);  // sealed and present
std::vector<ObjectInfo> list(ObjectStore& store);

// --- Processes --------------------------------------------------------------------------------

// A further process, clean of this one's attachments: this executable, started anew in a role and
// attached to `store`. The two exchange lines, each call waiting for ten seconds at most. Killed
// and awaited by the destructor.
class Process {
 public:
  Process(const char* role, const StoreHandle& handle,
          const std::vector<std::string>& arguments = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void tell(const std::string& line);
  std::string hear();
  void kill();  // SIGKILL, and waits for the end
  // True when it has been stopped, or has ended, since the last look; with its wait status.
  bool has_changed(int* status);
  // Waits for the role to return; fails the test unless all of its checks held.
  void finish();

 private:
  pid_t pid_ = -1;
  int socket_ = -1;
};

// What a role sees.
class Subject {
 public:
  Subject(int argc, char** argv);

  ObjectStore& store() { return *store_; }
  const std::string& argument(size_t index) const { return arguments_.at(index); }
  void tell(const std::string& line);
  std::string hear();
  // Lets go of the store, as the end of the process does not; and attaches anew.
  void detach() { store_.reset(); }
  void attach();
  // Tells `line`, then waits to be killed.
  [[noreturn]] void tell_and_linger(const std::string& line);
  // Around the operation that a sweep (sweep.h) kills this process in.
  void begin_operation();
  void end_operation();

 private:
  StoreHandle handle_;
  std::unique_ptr<ObjectStore> store_;
  std::vector<std::string> arguments_;
};

}  // namespace mobula::test

#endif  // MOBULA_TEST_SUPPORT_H_
