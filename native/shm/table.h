#ifndef MOBULA_SHM_TABLE_H_
#define MOBULA_SHM_TABLE_H_

#include "shm/layout.h"
#include "shm/lock.h"
#include "shm/segment.h"

namespace mobula::shm {

// Rows of a growing table. All functions need the table's lock held. Row is any struct of the
// layout with a free_next field; rows() finds row `i`.

// True when `count` rows can be taken with no further memory from the system.
inline bool table_has(const Table& table, uint32_t count) {
  return uint64_t{table.free_count} + (table.committed - table.used) >= count;
}

inline bool table_can_grow(const Table& table) { return table.committed < table.capacity; }

inline bool table_is_exhausted(const Table& table) {
  return table.free_count == 0 && table.used == table.capacity;
}

// The caller has made sure of table_has(). The row's other fields are as its last user left them.
template <class Rows>
uint32_t table_take(Lock& lock, Table& table, Rows rows) {
  uint32_t index = table.free_head;
  if (index != kNone) {
    lock.set(table.free_head, rows(index).free_next);
    lock.subtract(table.free_count, 1);
    return index;
  }
  index = table.used;
  lock.set(table.used, index + 1);
  return index;
}

template <class Rows>
void table_give_back(Lock& lock, Table& table, uint32_t index, Rows rows) {
  lock.set(rows(index).free_next, table.free_head);
  lock.set(table.free_head, index);
  lock.add(table.free_count, 1);
}

// Makes sure that `spare` rows can be taken, unless the table's capacity is reached. The lock must
// not be held: memory from the system may take its time.
Status table_grow(const Segment& segment, Lock& lock, Table& table, uint32_t spare);

}  // namespace mobula::shm

#endif  // MOBULA_SHM_TABLE_H_
