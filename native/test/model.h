#ifndef MOBULA_TEST_MODEL_H_
#define MOBULA_TEST_MODEL_H_

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mobula/object_store.h"

namespace mobula::test {

// What an object store with one process should do, in plain containers: the reference that the
// real one is compared with. Knows no fragmentation and no limit on the number of objects.
class Model {
 public:
  struct Object {
    ObjectId id;
    uint64_t size = 0;
    uint32_t metadata_size = 0;
    enum State { kPromised, kCreated, kSealed, kLost, kFreed } state = kPromised;
    bool promised = false;
    bool managed = false;
    bool deleted = false;
    bool given_up = false;
    uint32_t pins = 0;
    uint32_t refs = 0;
    uint32_t contained_by = 0;
    std::vector<std::shared_ptr<Object>> contains;
  };
  using Handle = std::shared_ptr<Object>;

  Model(uint64_t memory, EvictionPolicy policy) : memory_(memory), policy_(policy) {}
  Model(const Model& other);  // with objects of its own
  Model& operator=(const Model&) = delete;

  Code create(const ObjectId& id, uint64_t size, uint32_t metadata_size, Handle* out,
              std::vector<ObjectId>* evicted);
  void seal(const Handle& object, bool add_ref, const std::vector<ObjectId>& contained);
  void abort(const Handle& object);
  Code get(const ObjectId& id, Handle* out);
  Code pin(const ObjectId& id, Handle* out);
  void unpin(const Handle& object);
  Code remove(const ObjectId& id);
  Code free(const ObjectId& id);
  uint64_t evict(uint64_t bytes, std::vector<ObjectId>* evicted);
  Code promise(const ObjectId& id, Handle* out);
  Code add_ref(const ObjectId& id, Handle* out);
  void drop_ref(const Handle& object);
  // Returns the bytes of the victim; 0 when there is none.
  uint64_t evict_one(bool forced, std::vector<ObjectId>* evicted);
  // The process has died, and everything that it held is given back.
  void end_process();

  Handle find(const ObjectId& id) const;
  Availability availability(const ObjectId& id) const;
  // What stats() says: bytes, objects and counters.
  std::string describe_totals() const;
  // A line for every object that list() shows.
  std::vector<std::string> describe() const;

 private:
  static uint64_t weight(const Object& object);
  static bool is_referenced(const Object& object);
  static bool is_garbage(const Object& object);
  bool may_evict(const Object& object) const;
  void lose_or_free(const Handle& object);
  void free_if_unheld(const Handle& object);
  void forget(const Handle& object);
  void let_go_of_contained(const Handle& object);
  Handle oldest(bool forced) const;

  const uint64_t memory_;
  const EvictionPolicy policy_;
  uint64_t used_ = 0;
  uint64_t puts_ = 0, hits_ = 0, misses_ = 0, evictions_ = 0, evicted_bytes_ = 0;
  std::map<std::string, Handle> by_id_;
  std::list<Handle> lru_;     // sealed and unpinned, oldest first
  std::list<Handle> hidden_;  // deleted, still pinned or written
};

// The same of a store.
std::string describe_totals(const StoreStats& stats);

}  // namespace mobula::test

#endif  // MOBULA_TEST_MODEL_H_
