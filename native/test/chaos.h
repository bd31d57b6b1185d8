#ifndef MOBULA_TEST_CHAOS_H_
#define MOBULA_TEST_CHAOS_H_

#include <atomic>
#include <random>
#include <vector>

#include "test/support.h"

namespace mobula::test {

enum class ChaosStep : uint32_t {
  kPut,
  kCreate,
  kSealOrAbort,
  kGet,
  kRelease,
  kRemove,
  kEvict,
  kWatch,
  kPromise,
  kRefer,
  kDropRef,
  kCheck,
  kLook,
  kLetGo
};
const char* name_of(ChaosStep step);

// What one thread is doing, seen by all processes of the test.
struct Seat {
  std::atomic<uint64_t> steps;
  std::atomic<uint64_t> stalled;  // calls that found a lock holder stopped
  std::atomic<ChaosStep> step;
  std::atomic<uint32_t> died_at;  // 1 + the fail point at which this process has killed itself
};

// Works at random on objects that all share: checks that every call answers what it may, and that
// the bytes of what it holds are those that were put. Used by one thread.
class ChaosThread {
 public:
  ChaosThread(ObjectStore& store, uint64_t seed, Seat& seat)
      : store_(store), random_(seed), seat_(seat) {}

  void step();
  // Gives back all that it holds.
  void let_go();

 private:
  uint64_t pick(uint64_t below) { return random_() % below; }
  ObjectId any_id();
  uint64_t any_size();
  bool allowed(const Status& status, std::initializer_list<Code> codes);
  template <class T>
  T take(std::vector<T>& from);

  void put();
  void create();
  void seal_or_abort();
  void get();
  void release();
  void remove();
  void evict();
  void watch();
  bool is_ready(const ObjectId& id);
  void promise();
  void refer();
  void drop_ref();
  void check();
  void look();
  SealOptions any_options(const ObjectId& id, std::vector<ObjectId>* contained);
  void expect_intact(const ObjectId& id, const Reading& reading);

  struct Read {
    ObjectId id;
    Reading reading;
  };

  ObjectStore& store_;
  std::mt19937_64 random_;
  Seat& seat_;
  std::vector<Writing> written_;
  std::vector<Read> read_;
  std::vector<EntryRef> pinned_;
  std::vector<EntryRef> referred_;
};

}  // namespace mobula::test

#endif  // MOBULA_TEST_CHAOS_H_
