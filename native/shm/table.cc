#include "shm/table.h"

namespace mobula::shm {

Status table_grow(const Segment& segment, Lock& lock, const RowTable& rows, uint32_t spare) {
  Table& table = rows.counters();
  uint32_t before = 0, committed = 0;
  bool enough = false;
  Status status = lock.run([&] {
    before = table.committed;
    require(before <= rows.capacity(), "a table is longer than its space");
    enough = rows.has(spare) || before == rows.capacity();
    return Status::ok();
  });
  if (!status.is_ok() || enough) return status;
  if (Status s = segment.commit_rows(rows, before, &committed); !s.is_ok()) return s;
  return lock.run([&] {
    if (committed > table.committed) lock.set(table.committed, committed);
    return Status::ok();
  });
}

}  // namespace mobula::shm
