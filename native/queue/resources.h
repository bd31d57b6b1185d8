#ifndef MOBULA_QUEUE_RESOURCES_H_
#define MOBULA_QUEUE_RESOURCES_H_

#include <string>
#include <vector>

#include "mobula/status.h"
#include "shm/lock.h"
#include "shm/segment.h"

namespace mobula::queue {

// So much of a resource: `amount` in the user's units, kept to the ten-thousandth.
struct Amount {
  std::string name;
  double amount;
};

struct ResourceInfo {
  std::string name;
  double total;
  double available;  // of cpu possibly below zero, while tasks that lent theirs have it back
};

// What a runtime has, and what its running tasks hold of it. All calls need the queue lock.
//
// A gpu is a device. Whole gpus are devices that nobody else has; a part of one is a part of the
// first device that has as much left.
class Resources {
 public:
  Resources(const shm::Segment& segment, shm::Lock& lock) : segment_(segment), lock_(lock) {}

  // What there is from now on. Before the first shape is made; cpu and gpu are there already, with
  // an amount of 0.
  Status set(const std::vector<Amount>& totals);
  std::vector<ResourceInfo> list() const;
  // The amounts and the bits of a shape. kUnschedulable, with the reason, when there will never be
  // as much.
  Status measure(const std::vector<Amount>& amounts, shm::Shape* out) const;

  bool affords(const shm::Shape& shape) const;
  // A task that the runtime affords starts: it holds what its shape asks for.
  void take(uint32_t task);
  // It ends: what it still holds is free.
  void give_back(uint32_t task);
  // Its cpus are free until it resumes, or ends. Both may be repeated.
  void lend(uint32_t task);
  void resume(uint32_t task);

 private:
  uint32_t find(const std::string& name) const;
  uint64_t devices_for(int64_t amount) const;
  void add_to_devices(uint64_t devices, int64_t amount);
  void add(uint32_t resources, const shm::Shape& shape, int64_t sign);
  const shm::Shape& shape_of(uint32_t task) const;

  const shm::Segment& segment_;
  shm::Lock& lock_;
};

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_RESOURCES_H_
