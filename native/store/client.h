#ifndef MOBULA_STORE_CLIENT_H_
#define MOBULA_STORE_CLIENT_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "mobula/object_store.h"
#include "queue/bells.h"
#include "shm/lock.h"
#include "shm/segment.h"
#include "store/guard.h"
#include "store/objects.h"
#include "store/pages.h"
#include "store/room_queue.h"
#include "store/spill.h"

namespace mobula::store {

// This process's attachment to one segment: its slot in the client table, the keeper thread that
// holds the slot's liveness mutex, what the process holds of each object, and who waits here.
//
// Thread-safe. Shared by every ObjectStore, view and queue of the process on that segment; when
// the last of them lets go, the keeper gives the slot back and destroys the client on its own
// thread, so letting go never blocks.
class Client : public std::enable_shared_from_this<Client> {
 public:
  static Status create(const StoreOptions& options, std::shared_ptr<Client>* out);
  static Status attach(const std::string& name, std::shared_ptr<Client>* out);
  static Status attach(const StoreHandle& handle, std::shared_ptr<Client>* out);

  const shm::Segment& segment() const { return *segment_; }
  shm::Lock& store_lock() { return store_lock_; }
  shm::Lock& queue_lock() { return queue_lock_; }
  Objects& objects() { return *objects_; }  // store lock held
  queue::Bells& bells() { return bells_; }
  Pages& pages() { return *pages_; }
  Guard& guard() { return guard_; }
  RoomQueue& room_queue() { return *room_queue_; }
  uint32_t slot() const { return slot_; }
  uint32_t generation() const { return generation_; }

  bool is_live(uint32_t slot, uint32_t generation) const;

  // Wakes the keepers of the processes that wait for what has changed. No lock held.
  void notify(const WaitingClients& waiting);
  // Grows the store's tables. No lock held.
  Status grow();

  // Calls `changed` on the keeper's thread after something of that bucket may have changed.
  uint64_t watch(uint32_t bucket, std::function<void()> changed);
  void unwatch(uint64_t watch);
  // ObjectStore has the contracts.
  uint64_t on_collect(std::function<void()> collect);
  void forget_collect(uint64_t number);
  size_t ask_to_collect();
  size_t collectors();

  // Gives back what dead clients held, of objects and of queues. No lock held.
  void reap();
  // Whether a process is about to give back what it holds. No lock held.
  bool expects_room() const;
  void end_spilling() { spill_directory_.reset(); }
  // Whether some process copies objects to a file. No lock held.
  bool is_spilling() const;
  // How many files there were to copy to, so far. No lock held.
  uint64_t files_begun() const { return port::load_word(segment_->store().next_file); }
  // Says who pins how much, for the message of a refusal; empty when nobody does. No lock held.
  std::string describe_pins();
  // Called once by the keeper at its next tick, unless the client ends before that.
  void later(std::function<void(ObjectStore&)> work);
  // Called by the keeper about four times a second, and on its thread.
  void add_tick(std::function<void()> tick);

 private:
  explicit Client(std::unique_ptr<shm::Segment> segment);
  ~Client();

  static Status start(std::unique_ptr<shm::Segment> segment, bool format,
                      std::shared_ptr<Client>* out);
  static void keep(void* client);
  static void let_go(Client* client);

  Status format();
  Status claim_slot();
  void claim(uint32_t slot);
  void release_slot();
  void run_keeper();
  void run_watches();
  void run_collectors();
  void wake(uint32_t slot);
  bool look_after_pages(uint64_t now);
  void run_later();
  bool reap_slot(uint32_t slot);
  bool give_back(uint32_t slot);
  bool forget_in_store(uint32_t slot);
  bool finish_files_of(uint32_t slot);
  struct Pinned {
    uint32_t pid = 0;
    uint32_t objects = 0;
    uint64_t bytes = 0;
  };
  bool count_pins(std::vector<Pinned>* out);

  struct Watch {
    uint32_t bucket;
    std::function<void()> changed;
  };
  struct Start;

  // Constant after start().
  const std::unique_ptr<shm::Segment> segment_;
  std::unique_ptr<SpillDirectory> spill_directory_;  // of a store that this process has created
  Guard guard_;
  shm::Lock store_lock_;
  shm::Lock queue_lock_;
  LocalHolds* holds_ = nullptr;
  std::unique_ptr<Objects> objects_;
  std::unique_ptr<Pages> pages_;
  std::unique_ptr<RoomQueue> room_queue_;
  queue::Bells bells_;
  uint32_t slot_ = shm::kNone;
  uint32_t generation_ = 0;
  port::MutexImage liveness_{};  // of the slot's mutex, held by the keeper
  Start* start_ = nullptr;       // the keeper's answer to start()

  // Of the keeper.
  uint32_t collects_seen_ = 0;
  uint64_t puts_seen_ = 0;
  uint64_t last_put_ms_ = 0;

  std::atomic<bool> stop_{false};
  std::atomic<uint32_t> let_go_{0};  // 1: the last owner no longer touches the client
  std::atomic<bool> keeping_{false};

  // Guarded by watches_mutex_.
  std::mutex watches_mutex_;
  uint64_t next_watch_ = 1;
  std::map<uint64_t, Watch> watches_;
  uint32_t watched_buckets_[shm::kAllBuckets] = {};
  std::map<uint64_t, std::function<void()>> collectors_;
  std::vector<std::function<void()>> ticks_;
  std::vector<std::function<void(ObjectStore&)>> later_;
};

}  // namespace mobula::store

#endif  // MOBULA_STORE_CLIENT_H_
