#ifndef MOBULA_TEST_QUEUE_SCENE_H_
#define MOBULA_TEST_QUEUE_SCENE_H_

#include <memory>
#include <string>

#include "queue/retire.h"
#include "test/endpoint.h"
#include "test/sweep.h"

namespace mobula::test {

// Of five cells, as a task, its bounced self and its answer.
inline const std::string kPayload(1000, 'p');

inline void ring_overdue(ObjectStore& store) {
  store::Client& client = *store.client();
  queue::ring_overdue(client.segment(), client.queue_lock(), client.bells());
}

// A driver and a worker that outlive the subject.
class Peers : public Scene {
 public:
  Peers() : Scene(queue_options()), driver_(*store_), worker_(*store_) {}

  void go_on() override {
    driver_.exchange();
    worker_.exchange(100);
    worker_.rung();
    driver_.submit(99, "next");
    driver_.exchange();
    ring_overdue(*store_);
    EXPECT(worker_.rung());
    EXPECT_EQ(worker_.exchange(1).size(), 1u);
  }

 protected:
  Endpoint driver_;
  Endpoint worker_;
};

template <class S>
std::unique_ptr<Scene> make() {
  return std::make_unique<S>();
}

}  // namespace mobula::test

#endif  // MOBULA_TEST_QUEUE_SCENE_H_
