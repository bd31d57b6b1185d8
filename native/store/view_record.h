#ifndef MOBULA_STORE_VIEW_RECORD_H_
#define MOBULA_STORE_VIEW_RECORD_H_

#include <atomic>
#include <memory>

#include "mobula/object_store.h"

namespace mobula::store {

// The life of one buffer over a sealed object: counts the holds that views on it have, each one pin
// of the process, at first one. Whatever is left goes back when the buffer's last reference in any
// thread is gone.
//
// One thread adds and takes holds. The deleter of the buffer may run on any other meanwhile: what
// only garbage could reach is gone before that thread knows. Each call is one atomic step, so they
// take effect in some order, and a pin is given back or handed over by exactly one of them.
class ViewRecord {
 public:
  ViewRecord(std::shared_ptr<ObjectStore> store, const Reading& reading)
      : store_(std::move(store)), ref_(reading.ref), data_(reading.data), size_(reading.size) {}

  const EntryRef& ref() const { return ref_; }
  // False for an object that was lost, and made again elsewhere.
  bool is_over(const Reading& reading) const {
    return data_ == reading.data && size_ == reading.size;
  }
  bool has_ended() const { return holds_ < 0; }
  // One more hold, whose pin the caller has taken. False when the buffer has gone: then the pin
  // stays the caller's.
  bool add_hold() { return change(1); }
  // One hold less, whose pin is the caller's now. False when there is none.
  bool take_hold() { return change(-1); }
  // By the deleter, once: gives back what is left, and lets go of the store.
  void end();

 private:
  static constexpr int32_t kEnded = -1;

  bool change(int32_t by);

  std::shared_ptr<ObjectStore> store_;  // the deleter's alone, as others may keep the record
  const EntryRef ref_;
  const uint8_t* const data_;
  const uint64_t size_;
  std::atomic<int32_t> holds_{1};
};

}  // namespace mobula::store

#endif  // MOBULA_STORE_VIEW_RECORD_H_
