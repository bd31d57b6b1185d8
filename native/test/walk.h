#ifndef MOBULA_TEST_WALK_H_
#define MOBULA_TEST_WALK_H_

#include <functional>
#include <string>
#include <vector>

#include "mobula/object_store.h"
#include "test/model.h"

namespace mobula::test {

// Operations on a store and on a model of it, each result compared with the other's. The first
// difference ends the process: nothing that comes after it has a reference.
class Walk {
 public:
  // Where a walk takes its decisions from: any number below `below`.
  using Pick = std::function<uint64_t(uint64_t below)>;

  // The walk uses ids first_id to first_id + ids - 1.
  Walk(ObjectStore& store, EvictionPolicy policy, Pick pick, uint32_t first_id, uint32_t ids);

  void run(int steps);
  void step();
  // Of other walks on the same store nothing is known but that they keep off these ids.
  void compare();

  const Model& model() const { return model_; }
  // Whether the last step put objects into a container, which takes several transactions.
  bool has_contained() const { return contained_; }
  // What a store shows of this walk's ids, and what a model of it should: equal lines.
  std::vector<std::string> describe(ObjectStore& store) const;
  std::vector<std::string> describe(const Model& model) const;

 private:
  struct Held {
    EntryRef ref;
    Model::Handle object;
  };

  ObjectId any_id();
  uint64_t any_size();
  ObjectId older_id(const ObjectId& id);
  Held take(std::vector<Held>& from);
  bool is_mine(const ObjectId& id) const;

  uint32_t any_metadata_size();
  void expect_intact(const Held& held);

  void act();
  void create();
  void put();
  bool is_made(Code code, const ObjectId& id, uint64_t size, uint32_t metadata_size,
               const std::vector<ObjectInfo>& evicted, Held* held);
  void seal_or_abort();
  void pin();
  void unpin();
  void remove();
  void free();
  void promise();
  void add_ref();
  void refer(const Held& held);
  void drop_ref();
  void evict_or_create();

  ObjectStore& store_;
  Model model_;
  const Pick pick_;
  const uint32_t first_id_;
  const uint32_t ids_;
  bool contained_ = false;
  std::vector<Held> written_, pinned_, referred_;
  std::vector<ObjectId> seen_, expected_;
};

}  // namespace mobula::test

#endif  // MOBULA_TEST_WALK_H_
