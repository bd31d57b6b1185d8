#include "queue/resources.h"

#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>

namespace mobula::queue {

using shm::Cell;
using shm::kCpu;
using shm::kGpu;
using shm::kNone;
using shm::kWhole;
using shm::QueueState;
using shm::Resource;
using shm::Shape;

namespace {

constexpr double kMostOfAResource = 1e12;
constexpr uint32_t kCpuBit = 1u << kCpu;
constexpr uint32_t kGpuBit = 1u << kGpu;

std::string show(double amount) {
  char text[32];
  snprintf(text, sizeof text, "%.10g", amount);
  return text;
}

const char* name_of(const Resource& resource) {
  return reinterpret_cast<const char*>(resource.name);
}

double in_units(int64_t amount) { return static_cast<double>(amount) / kWhole; }

bool to_fixed(const Amount& amount, int64_t* out) {
  if (!(amount.amount >= 0 && amount.amount <= kMostOfAResource)) return false;
  *out = std::llround(amount.amount * kWhole);
  return true;
}

Status out_of_range(const Amount& amount, const char* expected) {
  return {Code::kOutOfRange, "The amount of the resource \"" + amount.name +
                                 "\" is out of range. It must be " + expected + ". Received " +
                                 show(amount.amount)};
}

Status unschedulable(const Amount& asked, double total) {
  return {Code::kUnschedulable, "it asks for " + show(asked.amount) + " of the resource \"" +
                                    asked.name + "\", and this runtime has " + show(total) +
                                    " in all: ask for less, or give init() more in its resources"};
}

}  // namespace

Status Resources::set(const std::vector<Amount>& totals) {
  QueueState& state = segment_.queue();
  if (state.shapes_used > 0) return {Code::kExists, "the resources are in use already"};
  for (const Amount& total : totals) {
    uint32_t index = find(total.name);
    if (index == shm::kMaxResources) {
      return {Code::kOutOfRange, "A runtime has at most " + std::to_string(shm::kMaxResources) +
                                     " kinds of resources, cpu and gpu included"};
    }
    Resource& resource = state.resources[index];
    if (total.name.size() >= sizeof resource.name) {
      return {Code::kOutOfRange, "The name of the resource \"" + total.name +
                                     "\" is too long. It must have at most 63 bytes"};
    }
    int64_t amount = 0;
    if (!to_fixed(total, &amount)) return out_of_range(total, "between 0 and 1e12");
    if (index == kGpu && amount > shm::kMaxDevices * kWhole) {
      return out_of_range(total, "at most 64");
    }
    uint64_t name[std::size(Resource{}.name)] = {};
    memcpy(name, total.name.data(), total.name.size());
    for (size_t i = 0; i < std::size(name); ++i) lock_.set(resource.name[i], name[i]);
    lock_.set(resource.total, amount);
    lock_.set(resource.available, amount);
    if (index == state.resources_used) lock_.add(state.resources_used, 1);
  }
  int64_t left = state.resources[kGpu].total;
  for (int64_t& device : state.device_free) {
    lock_.set(device, std::min(left, kWhole));
    left -= device;
  }
  return Status::ok();
}

// Where the resource of that name is, or would be.
uint32_t Resources::find(const std::string& name) const {
  const QueueState& state = segment_.queue();
  uint32_t index = 0;
  while (index < state.resources_used && name != name_of(state.resources[index])) ++index;
  return index;
}

std::vector<ResourceInfo> Resources::list() const {
  const QueueState& state = segment_.queue();
  std::vector<ResourceInfo> infos;
  for (uint32_t i = 0; i < state.resources_used; ++i) {
    const Resource& resource = state.resources[i];
    infos.push_back({name_of(resource), in_units(resource.total), in_units(resource.available)});
  }
  return infos;
}

Status Resources::measure(const std::vector<Amount>& amounts, Shape* out) const {
  const QueueState& state = segment_.queue();
  for (const Amount& asked : amounts) {
    int64_t amount = 0;
    if (!to_fixed(asked, &amount)) return out_of_range(asked, "between 0 and 1e12");
    if (amount == 0) continue;
    uint32_t index = find(asked.name);
    if (index == state.resources_used) return unschedulable(asked, 0);
    const Resource& resource = state.resources[index];
    if (amount > resource.total) return unschedulable(asked, in_units(resource.total));
    if (index == kGpu && amount > kWhole && amount % kWhole != 0) {
      return out_of_range(asked, "a whole number, or less than 1");
    }
    out->amounts[index] = amount;
    out->resources |= 1u << index;
  }
  return Status::ok();
}

bool Resources::affords(const Shape& shape) const {
  const QueueState& state = segment_.queue();
  for (uint32_t left = shape.resources; left != 0; left &= left - 1) {
    auto index = static_cast<uint32_t>(std::countr_zero(left));
    if (state.resources[index].available < shape.amounts[index]) return false;
  }
  return (shape.resources & kGpuBit) == 0 || devices_for(shape.amounts[kGpu]) != 0;
}

// A bit per device, or 0 when those that are free are not enough or not whole.
uint64_t Resources::devices_for(int64_t amount) const {
  const QueueState& state = segment_.queue();
  int64_t of_each = std::min(amount, kWhole);
  uint64_t devices = 0;
  for (uint32_t i = 0; i < shm::kMaxDevices && amount > 0; ++i) {
    if (state.device_free[i] < of_each) continue;
    devices |= uint64_t{1} << i;
    amount -= of_each;
  }
  return amount > 0 ? 0 : devices;
}

void Resources::take(uint32_t task) {
  const Shape& shape = shape_of(task);
  if ((shape.resources & kGpuBit) != 0) {
    uint64_t devices = devices_for(shape.amounts[kGpu]);
    lock_.set(segment_.cell(task).devices, devices);
    add_to_devices(devices, -std::min(shape.amounts[kGpu], kWhole));
  }
  add(shape.resources, shape, -1);
}

void Resources::give_back(uint32_t task) {
  Cell& cell = segment_.cell(task);
  const Shape& shape = shape_of(task);
  if (cell.devices != 0) add_to_devices(cell.devices, std::min(shape.amounts[kGpu], kWhole));
  add(cell.lent != 0 ? shape.resources & ~kCpuBit : shape.resources, shape, 1);
}

void Resources::lend(uint32_t task) {
  Cell& cell = segment_.cell(task);
  if (cell.lent != 0) return;
  lock_.set(cell.lent, 1);
  add(shape_of(task).resources & kCpuBit, shape_of(task), 1);
}

void Resources::resume(uint32_t task) {
  Cell& cell = segment_.cell(task);
  if (cell.lent == 0) return;
  lock_.set(cell.lent, 0);
  add(shape_of(task).resources & kCpuBit, shape_of(task), -1);
}

void Resources::add(uint32_t resources, const Shape& shape, int64_t sign) {
  for (uint32_t left = resources; left != 0; left &= left - 1) {
    auto index = static_cast<uint32_t>(std::countr_zero(left));
    lock_.add(segment_.queue().resources[index].available, sign * shape.amounts[index]);
  }
}

void Resources::add_to_devices(uint64_t devices, int64_t amount) {
  for (uint64_t left = devices; left != 0; left &= left - 1) {
    lock_.add(segment_.queue().device_free[std::countr_zero(left)], amount);
  }
}

const Shape& Resources::shape_of(uint32_t task) const {
  return segment_.queue().shapes[segment_.cell(task).target];
}

}  // namespace mobula::queue
