#ifndef MOBULA_SHM_TABLE_H_
#define MOBULA_SHM_TABLE_H_

#include "shm/layout.h"
#include "shm/lock.h"
#include "shm/segment.h"

namespace mobula::shm {

// Taking and giving back rows of a growing table, whose lock must be held. Row is any struct of the
// layout with a free_next field.

// The caller has made sure of has(1). The row's other fields are as its last user left them.
template <class Row>
uint32_t table_take(Lock& lock, const Rows<Row>& rows) {
  Table& table = rows.counters();
  uint32_t index = table.free_head;
  if (index != kNone) {
    lock.set(table.free_head, rows[index].free_next);
    lock.subtract(table.free_count, 1);
    return index;
  }
  index = table.used;
  require(index < rows.capacity(), "a table is longer than its space");
  lock.set(table.used, index + 1);
  return index;
}

template <class Row>
void table_give_back(Lock& lock, const Rows<Row>& rows, uint32_t index) {
  Table& table = rows.counters();
  lock.set(rows[index].free_next, table.free_head);
  lock.set(table.free_head, index);
  lock.add(table.free_count, 1);
}

// Makes sure that `spare` rows can be taken, unless the table's capacity is reached. The lock must
// not be held: memory from the system may take its time.
Status table_grow(const Segment& segment, Lock& lock, const RowTable& rows, uint32_t spare);

}  // namespace mobula::shm

#endif  // MOBULA_SHM_TABLE_H_
