#ifndef MOBULA_SHM_ROWS_H_
#define MOBULA_SHM_ROWS_H_

#include <cstdint>

#include "shm/corrupt.h"
#include "shm/layout.h"

namespace mobula::shm {

// A growing table: its counters in shared memory, which need the table's lock, and this process's
// own copy of where its rows lie.
class RowTable {
 public:
  // `planned` holds the offset, stride and capacity; `counters` is the table in the segment.
  RowTable(const Table& planned, Table* counters, uint8_t* base)
      : counters_(counters),
        first_(base + planned.offset),
        offset_(planned.offset),
        stride_(planned.stride),
        capacity_(planned.capacity) {}

  Table& counters() const { return *counters_; }
  uint64_t offset() const { return offset_; }
  uint32_t stride() const { return stride_; }
  uint32_t capacity() const { return capacity_; }

  // Rows below this one have been handed out: where a loop over the table ends.
  uint32_t used() const {
    uint32_t used = counters_->used;
    require(used <= capacity_, "a table is longer than its space");
    return used;
  }
  // True when `count` rows can be taken with no further memory from the system.
  bool has(uint32_t count) const {
    return uint64_t{counters_->free_count} + (counters_->committed - counters_->used) >= count;
  }
  bool can_grow() const { return counters_->committed < capacity_; }
  bool is_exhausted() const { return counters_->free_count == 0 && counters_->used == capacity_; }

 protected:
  Table* const counters_;
  uint8_t* const first_;
  const uint64_t offset_;
  const uint32_t stride_;
  const uint32_t capacity_;
};

template <class Row>
class Rows : public RowTable {
 public:
  using RowTable::RowTable;

  Row& operator[](uint32_t index) const {
    require(index < capacity_, "an index leads outside its table");
    return reinterpret_cast<Row*>(first_)[index];
  }
};

}  // namespace mobula::shm

#endif  // MOBULA_SHM_ROWS_H_
