#ifndef MOBULA_ADDON_STORE_HANDLE_H_
#define MOBULA_ADDON_STORE_HANDLE_H_

#include <napi.h>

#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "mobula/object_store.h"
#include "store/view_record.h"

namespace mobula::addon {

using store::ViewRecord;

// One JavaScript ObjectStore: remembers what was taken through it, so that close() can give it
// back. Used on its JavaScript thread only, except that `changed` signals arrive from the keeper.
class StoreHandle {
 public:
  StoreHandle(Napi::Env env, std::unique_ptr<ObjectStore> store);
  ~StoreHandle();

  ObjectStore& store() { return *store_; }  // not after close()
  const std::shared_ptr<ObjectStore>& shared() { return store_; }

  // Numbers that a call returns beside its value; JavaScript sees them as a Float64Array.
  enum Register { kEntry, kGeneration, kSize, kMetadataSize, kMetadataAddress, kRegisters };
  double* registers() { return registers_; }
  Napi::Value registers_array(Napi::Env env);

  // Views. `cached` finds the live record for an entry, so that JavaScript can use its buffer anew.
  // Good until the next call of the binding.
  ViewRecord* cached(const EntryRef& ref);
  Napi::Value open_view(Napi::Env env, const Reading& reading);
  void release_view(const EntryRef& ref);

  void remember_pin(const EntryRef& ref) { remember(&pins_, ref); }
  bool forget_pin(const EntryRef& ref);
  void remember_ref(const EntryRef& ref) { remember(&refs_, ref); }
  bool forget_ref(const EntryRef& ref);
  // What JavaScript writes into, over the object that is being written.
  Napi::Value open_writing(Napi::Env env, const Writing& writing);
  // To be called before sealing: the object gets what was written if `buffer` is a copy of it.
  void finish_writing(Napi::Env env, const EntryRef& ref, const Napi::Value& buffer);
  bool forget_writing(const EntryRef& ref);
  // How many views, and buffers to write into, were copies because the runtime refuses others.
  uint64_t copied_views() const { return copied_views_; }

  // Objects evicted on this store's behalf since JavaScript last asked.
  std::vector<ObjectInfo>* evicted() { return watch_evictions_ ? &evicted_ : nullptr; }
  void watch_evictions() { watch_evictions_ = true; }
  std::vector<ObjectInfo> take_evicted() { return std::exchange(evicted_, {}); }

  // Waiting. `changed` is called on the JavaScript thread after any watched object may have
  // changed.
  void on_changed(Napi::Env env, Napi::Function changed);
  void keep_alive(bool waiting);  // whether the event loop stays up for `changed`
  uint64_t watch(const ObjectId& id);
  uint64_t watch_room();
  uint64_t enter_room_queue();
  void leave_room_queue(uint64_t place);
  void unwatch(uint64_t watch);
  // `collect` is called on the JavaScript thread when somebody asks this process for memory.
  void on_collect(Napi::Env env, Napi::Function collect);

  // The store's spill files end with close().
  void set_creator() { is_creator_ = true; }

  // Gives back pins, refs and unsealed objects. Idempotent. Views can still be released.
  void close();
  bool is_closed() const { return closed_; }
  bool has_views() const;

 private:
  struct Counted {
    EntryRef ref;
    uint32_t count = 0;
  };
  using CountedMap = std::unordered_map<uint32_t, Counted>;
  struct Unsealed {
    EntryRef ref;
    uint8_t* data;
  };
  struct Signal;
  static std::shared_ptr<Signal> open_signal(Napi::Env env, Napi::Function function,
                                             const char* name);
  static void close_signal(void* signal);
  void end(const std::shared_ptr<Signal>& signal);

  static void remember(CountedMap* all, const EntryRef& ref);
  static bool forget(CountedMap* all, const EntryRef& ref);

  std::shared_ptr<ObjectStore> store_;
  std::weak_ptr<ObjectStore> closed_store_;  // after close(): views may keep it
  double* registers_ = nullptr;
  Napi::Reference<Napi::Value> registers_reference_;
  std::vector<std::shared_ptr<ViewRecord>> views_;  // by entry
  CountedMap pins_;
  CountedMap refs_;
  std::unordered_map<uint32_t, Unsealed> writings_;
  uint64_t copied_views_ = 0;
  std::vector<ObjectInfo> evicted_;
  bool watch_evictions_ = false;
  std::shared_ptr<Signal> changed_;
  std::shared_ptr<Signal> collect_;
  uint64_t collector_ = 0;
  std::unordered_set<uint64_t> watches_;
  std::unordered_multiset<uint64_t> room_places_;
  napi_env env_ = nullptr;
  bool closed_ = false;
  bool is_creator_ = false;
};

}  // namespace mobula::addon

#endif  // MOBULA_ADDON_STORE_HANDLE_H_
