#ifndef MOBULA_SHM_TABLE_H_
#define MOBULA_SHM_TABLE_H_

#include "shm/layout.h"
#include "shm/lock.h"

namespace mobula::shm {

// Rows of a growing table. All functions need the table's lock held. Row is any struct of the
// layout with a free_next field; rows() finds row `i`.

// True when `count` rows can be taken with no further memory from the system.
inline bool table_has(const Table& table, uint32_t count) {
  return table.free_head != kNone ? count <= 1 || table.committed - table.used >= count - 1
                                  : table.committed - table.used >= count;
}

inline bool table_is_exhausted(const Table& table) {
  return table.free_head == kNone && table.used == table.capacity;
}

// The caller has made sure of table_has(). The row's other fields are as its last user left them.
template <class Rows>
uint32_t table_take(Lock& lock, Table& table, Rows rows) {
  uint32_t index = table.free_head;
  if (index != kNone) {
    lock.set(table.free_head, rows(index).free_next);
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
}

}  // namespace mobula::shm

#endif  // MOBULA_SHM_TABLE_H_
