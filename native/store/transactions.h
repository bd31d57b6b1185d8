#ifndef MOBULA_STORE_TRANSACTIONS_H_
#define MOBULA_STORE_TRANSACTIONS_H_

#include "mobula/object_store.h"
#include "store/client.h"
#include "store/spill.h"

// How the operations of ObjectStore take the store lock; for the files that define them.

namespace mobula {

inline Status not_found(const ObjectId& id) {
  return {Code::kNotFound, "there is no object " + id.hex()};
}

template <class Work>
Status ObjectStore::locked(const Work& work) const {
  return client_->store_lock().run([&] { return work(client_->objects()); });
}

// Runs one step under the store lock, then wakes who waits for what it has changed.
template <class Work>
Status ObjectStore::change(const Work& work) {
  store::WaitingClients waiting;
  Status status = locked([&](store::Objects& objects) {
    objects.finish_freeing();
    Status done = work(objects);
    objects.finish_freeing();
    waiting = objects.take_waiting();
    return done;
  });
  port::fail_point(port::FailPoint::kBeforeWake);
  if (waiting.any()) client_->notify(waiting);
  return status;
}

// A view's end, for one, has nobody to tell that the lock's holder was stopped.
template <class Again>
Status ObjectStore::unless_stalled(Status status, const Again& again) {
  if (status.code() != Code::kStalled) return status;
  client_->later(again);
  return Status::ok();
}

}  // namespace mobula

#endif  // MOBULA_STORE_TRANSACTIONS_H_
