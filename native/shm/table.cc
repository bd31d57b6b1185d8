#include "shm/table.h"

namespace mobula::shm {

Status table_grow(const Segment& segment, Lock& lock, Table& table, uint32_t spare) {
  Table before;
  {
    LockGuard guard(lock);
    if (!guard.status().is_ok()) return guard.status();
    before = table;
  }
  if (table_has(before, spare) || before.committed == before.capacity) return Status::ok();
  uint32_t committed = 0;
  if (Status s = segment.commit_rows(before, before.committed, &committed); !s.is_ok()) return s;
  LockGuard guard(lock);
  if (!guard.status().is_ok()) return guard.status();
  if (committed > table.committed) lock.set(table.committed, committed);
  return Status::ok();
}

}  // namespace mobula::shm
