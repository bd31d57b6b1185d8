#include "store/view_record.h"

namespace mobula::store {

void ViewRecord::end() {
  std::shared_ptr<ObjectStore> store = std::move(store_);
  int32_t left = holds_.exchange(kEnded);
  if (left > 0) (void)store->unpin(ref_, static_cast<uint32_t>(left));
}

bool ViewRecord::change(int32_t by) {
  int32_t holds = holds_;
  while (holds >= 0 && holds + by >= 0) {
    if (holds_.compare_exchange_weak(holds, holds + by)) return true;
  }
  return false;
}

}  // namespace mobula::store
