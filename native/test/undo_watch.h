#ifndef MOBULA_TEST_UNDO_WATCH_H_
#define MOBULA_TEST_UNDO_WATCH_H_

#include <atomic>
#include <vector>

#include "shm/segment.h"
#include "test/support.h"

namespace mobula::test {

// While it lives: whenever a thread of this process commits, what its log would bring back is, to
// the byte, what was there after the commit before it. The first difference ends the test. No other
// process may work on the store meanwhile. At most one at a time.
//
// Left out is what impl.md says is written outside the log.
class UndoWatch {
 public:
  explicit UndoWatch(ObjectStore& store);
  ~UndoWatch();
  UndoWatch(const UndoWatch&) = delete;
  UndoWatch& operator=(const UndoWatch&) = delete;

  uint64_t commits() const { return commits_; }

 private:
  // Part of what one lock protects.
  struct Range {
    const char* name;
    uint64_t offset;
    uint64_t stride;
    std::vector<uint8_t> bytes;  // after the last commit
  };
  // What one lock protects.
  struct Domain {
    const shm::LockArea* lock;
    std::vector<Range> ranges;
  };

  static void committing(port::FailPoint point, const void* lock);
  void read(Domain& domain);
  void add(Domain& domain, const char* name, uint64_t offset, uint64_t stride, uint64_t rows);
  // False when nothing has changed since the last commit.
  bool compare(const Domain& domain);
  void expect_same(const Range& before, const std::vector<uint8_t>& undone);
  bool is_logged(const Range& before, uint64_t at) const;
  bool entry_is_free(const Range& before, uint64_t row) const;
  bool cell_is_free(uint64_t row) const;

  const std::shared_ptr<store::Client> client_;
  const shm::Segment& segment_;
  Domain store_;
  Domain queue_;
  std::atomic<uint64_t> commits_{0};
};

}  // namespace mobula::test

#endif  // MOBULA_TEST_UNDO_WATCH_H_
