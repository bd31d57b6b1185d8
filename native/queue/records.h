#ifndef MOBULA_QUEUE_RECORDS_H_
#define MOBULA_QUEUE_RECORDS_H_

#include "shm/lock.h"
#include "shm/segment.h"

namespace mobula::queue {

// Records: chains of cells, each on exactly one list (a shape's, a mailbox, an actor's pending
// calls, a peer's in-flight list), in a heap of tasks (task_heap.h), or free. All calls need the
// queue lock.
//
// A record's bytes are written while its cells still count as free, outside the undo log: should
// the writer die, the log puts the cells back and nobody has seen the bytes. So a record of any
// size costs a few words of the log.
class Records {
 public:
  Records(const shm::Segment& segment, shm::Lock& lock) : segment_(segment), lock_(lock) {}

  static uint32_t cells_for(uint32_t length);
  bool has_room_for(uint32_t length) const;

  // A record on no list; header fields other than length are the caller's to set, with
  // plain stores, before it is pushed.
  uint32_t create(const uint8_t* payload, uint32_t length);
  // Not in the transaction that has created it: its cells would be lost in an undo.
  void free(uint32_t record);
  void copy_payload(uint32_t record, uint8_t* out) const;

  void push(shm::List& list, uint32_t record);
  // The same for one that this transaction has created.
  void push_new(shm::List& list, uint32_t record);
  // Behind `after`, which is on the list, or at its head when that is kNone.
  void insert(shm::List& list, uint32_t after, uint32_t record);
  void remove(shm::List& list, uint32_t record);
  // Appends all of `from`, which is then empty.
  void splice(shm::List& list, shm::List& from);

  // Whether a record, on this list when it was last on any, is on it still.
  bool is_on(const shm::List& list, uint32_t record) const;

 private:
  void append(shm::List& list, uint32_t record);
  void set_free(shm::Table& cells, uint32_t head, uint32_t count);

  const shm::Segment& segment_;
  shm::Lock& lock_;
};

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_RECORDS_H_
