// A process that is killed after any machine instruction of recovering what another has left
// behind leaves that to the next.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "port/port.h"
#include "test/holdings.h"
#include "test/sweep.h"

namespace mobula::test {
namespace {

// A victim stands in the midst of an operation, and this process has let go of the store so that
// nobody but the subject recovers.
class Deserted : public Scene {
 public:
  Deserted(const StoreOptions& options, const char* victim, uint64_t steps)
      : Scene(options), steps_(steps) {
    REQUIRE_OK(put(*store_, id_of(1), 1000));
    fd_ = fcntl(store_->handle().fd, F_DUPFD_CLOEXEC, 0);
    handle_ = {port::process_id(), fd_, store_->handle().store_id};
    victim_ = std::make_unique<Process>(victim, handle_);
    stepper_ = std::make_unique<Stepper>(*victim_);
    REQUIRE_OK(shm::Segment::open_remote(handle_.pid, handle_.fd, handle_.store_id, &segment_));
    uint32_t own = store_->client()->slot();
    store_.reset();
    EXPECT(eventually([&] { return segment_->client(own).state == shm::ClientState::kFree; }));
  }
  ~Deserted() override { close(fd_); }

  StoreHandle handle() override { return handle_; }

  void begin() override {
    for (uint64_t i = 0; i < steps_ && stepper_->step(); ++i) {
    }
    stepper_.reset();
  }

  void recover() override { REQUIRE_OK(ObjectStore::attach(handle_, &store_)); }

  // The step after which the victim has most to take back.
  uint64_t worst_step(shm::LockArea& (*lock)(const shm::Segment&)) {
    uint64_t worst = 0, most = 0;
    for (uint64_t step = 1; stepper_->step(); ++step) {
      uint64_t count = lock(*segment_).count;
      if (count <= most) continue;
      most = count;
      worst = step;
    }
    EXPECT(most > 4);
    return worst;
  }

 private:
  const uint64_t steps_;
  int fd_ = -1;
  StoreHandle handle_;
  std::unique_ptr<shm::Segment> segment_;
  std::unique_ptr<Process> victim_;
  std::unique_ptr<Stepper> stepper_;
};

shm::LockArea& store_lock(const shm::Segment& segment) { return segment.store().lock; }
shm::LockArea& queue_lock(const shm::Segment& segment) { return segment.queue().lock; }

// Kills `victim` where its undo log is longest, and the subject wherever it undoes that.
void sweep_recovery(const char* subject, const char* victim,
                    shm::LockArea& (*lock)(const shm::Segment&)) {
  uint64_t steps = Deserted(queue_options(), victim, 0).worst_step(lock);
  sweep({subject, {}, 1},
        [&] { return std::make_unique<Deserted>(queue_options(), victim, steps); });
}

ROLE(recovering_the_store) {
  StoreStats stats;
  self.begin_operation();
  Status status = self.store().stats(&stats);
  self.end_operation();
  REQUIRE_OK(status);
}

ROLE(recovering_the_queues) {
  Endpoint endpoint(self.store(), 1024);
  self.begin_operation();
  endpoint.exchange();
  self.end_operation();
}

ROLE(victim_putting) {
  ObjectId id = id_of(7), given;
  char bytes[100] = {};
  self.begin_operation();
  (void)self.store().put(&id, bytes, sizeof bytes, nullptr, 0, {}, &given, nullptr);
  self.end_operation();
}

ROLE(victim_removing) {
  self.begin_operation();
  (void)self.store().remove(id_of(1));
  self.end_operation();
}

ROLE(victim_submitting) {
  Endpoint endpoint(self.store(), 1024);
  endpoint.submit(1, std::string(1000, 'x'));
  self.begin_operation();
  endpoint.exchange();
  self.end_operation();
}

ROLE(victim_holding) {
  Holdings holdings(self.store());
  self.begin_operation();
  self.end_operation();
}

ROLE(reaping) {
  self.begin_operation();
  self.store().reap();
  self.end_operation();
}

}  // namespace

TEST("a kill while undoing a put leaves it to be undone") {
  sweep_recovery("recovering_the_store", "victim_putting", store_lock);
}
TEST("a kill while undoing a removal leaves it to be undone") {
  sweep_recovery("recovering_the_store", "victim_removing", store_lock);
}
TEST("a kill while undoing a submission leaves it to be undone") {
  sweep_recovery("recovering_the_queues", "victim_submitting", queue_lock);
}
TEST("a kill while reaping leaves the rest to the next reaper") {
  sweep({"reaping", {}, 1},
        [] { return std::make_unique<Deserted>(queue_options(), "victim_holding", 0); });
}

}  // namespace mobula::test
