#include "addon/store_handle.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>

#include "addon/addon.h"
#include "addon/shared_buffer.h"

namespace mobula::addon {
namespace {

void end_view(void*, void* raw) {
  std::unique_ptr<std::shared_ptr<ViewRecord>> owner(
      static_cast<std::shared_ptr<ViewRecord>*>(raw));
  (*owner)->end();
}

// The writable buffer keeps the mapping, not the object: seal() and abort() end the hold.
void end_writing(void*, void* owner) { delete static_cast<std::shared_ptr<ObjectStore>*>(owner); }

}  // namespace

// Coalesces the keeper's signals into one pending call of the JavaScript function. The keeper may
// signal until the last watch is cancelled; the function ends with its environment, earlier.
struct StoreHandle::Signal {
  std::mutex mutex;
  napi_threadsafe_function function = nullptr;  // guarded by mutex; null once closed
  std::atomic<bool> pending{false};

  void raise() {
    std::lock_guard lock(mutex);
    if (function == nullptr || pending.exchange(true)) return;
    napi_call_threadsafe_function(function, nullptr, napi_tsfn_nonblocking);
  }

  void close() {
    std::lock_guard lock(mutex);
    if (function == nullptr) return;
    napi_release_threadsafe_function(function, napi_tsfn_abort);
    function = nullptr;
  }

  static void deliver(napi_env env, napi_value function, void* raw, void*) {
    static_cast<Signal*>(raw)->pending = false;
    if (env == nullptr) return;
    call_from_loop(env, nullptr, function);
  }
};

StoreHandle::StoreHandle(Napi::Env env, std::unique_ptr<ObjectStore> store)
    : store_(std::move(store)) {
  auto array = Napi::Float64Array::New(env, kRegisters);
  registers_ = array.Data();
  registers_reference_ = Napi::Reference<Napi::Value>::New(array, 1);
}

StoreHandle::~StoreHandle() { close(); }

Napi::Value StoreHandle::registers_array(Napi::Env) { return registers_reference_.Value(); }

ViewRecord* StoreHandle::cached(const EntryRef& ref) {
  if (ref.entry >= views_.size()) return nullptr;
  ViewRecord* record = views_[ref.entry].get();
  bool usable =
      record != nullptr && record->ref().generation == ref.generation && !record->has_ended();
  return usable ? record : nullptr;
}

Napi::Value StoreHandle::open_view(Napi::Env env, const Reading& reading) {
  auto record = std::make_shared<ViewRecord>(store_, reading);
  auto owner = std::make_unique<std::shared_ptr<ViewRecord>>(record);
  Napi::Value buffer = create_shared_buffer(env, const_cast<uint8_t*>(reading.data), reading.size,
                                            &end_view, owner.get());
  if (buffer.IsEmpty()) {
    record->end();
    return buffer;
  }
  (void)owner.release();
  copied_views_ += refuses_external_buffers(env);
  if (views_.size() <= reading.ref.entry) views_.resize(reading.ref.entry + 1);
  views_[reading.ref.entry] = std::move(record);
  return buffer;
}

void StoreHandle::release_view(const EntryRef& ref) {
  ViewRecord* record = cached(ref);
  if (record == nullptr || !record->take_hold()) return;
  if (store_) {
    (void)store_->unpin(ref);
  } else if (auto closed = closed_store_.lock()) {
    (void)closed->unpin(ref);
  }
}

void StoreHandle::remember(CountedMap* all, const EntryRef& ref) {
  Counted& counted = (*all)[ref.entry];
  counted.ref = ref;
  ++counted.count;
}

bool StoreHandle::forget(CountedMap* all, const EntryRef& ref) {
  auto found = all->find(ref.entry);
  if (found == all->end() || found->second.ref.generation != ref.generation) return false;
  if (--found->second.count == 0) all->erase(found);
  return true;
}

bool StoreHandle::forget_pin(const EntryRef& ref) { return forget(&pins_, ref); }
bool StoreHandle::forget_ref(const EntryRef& ref) { return forget(&refs_, ref); }

Napi::Value StoreHandle::open_writing(Napi::Env env, const Writing& writing) {
  auto owner = std::make_unique<std::shared_ptr<ObjectStore>>(store_);
  Napi::Value buffer =
      create_shared_buffer(env, writing.data, writing.size, &end_writing, owner.get());
  if (buffer.IsEmpty()) return buffer;
  (void)owner.release();
  writings_[writing.ref.entry] = {writing.ref, writing.data};
  copied_views_ += refuses_external_buffers(env);
  return buffer;
}

void StoreHandle::finish_writing(Napi::Env env, const EntryRef& ref, const Napi::Value& buffer) {
  if (!refuses_external_buffers(env)) return;
  auto found = writings_.find(ref.entry);
  if (found == writings_.end() || found->second.ref.generation != ref.generation) return;
  Napi::Uint8Array bytes = bytes_of(env, buffer);
  if (bytes.ByteLength() > 0) std::memcpy(found->second.data, bytes.Data(), bytes.ByteLength());
}

bool StoreHandle::forget_writing(const EntryRef& ref) {
  auto found = writings_.find(ref.entry);
  if (found == writings_.end() || found->second.ref.generation != ref.generation) return false;
  writings_.erase(found);
  return true;
}

// Cleanup hooks run last-registered first, so the one added here closes the signal before Node
// destroys the function under it.
std::shared_ptr<StoreHandle::Signal> StoreHandle::open_signal(Napi::Env env,
                                                              Napi::Function function,
                                                              const char* name) {
  auto signal = std::make_shared<Signal>();
  auto* owner = new std::shared_ptr<Signal>(signal);
  napi_create_threadsafe_function(
      env, function, nullptr, Napi::String::New(env, name), 0, 1, owner,
      [](napi_env, void* raw, void*) { delete static_cast<std::shared_ptr<Signal>*>(raw); },
      signal.get(), &Signal::deliver, &signal->function);
  napi_unref_threadsafe_function(env, signal->function);
  napi_add_env_cleanup_hook(env, &close_signal, signal.get());
  return signal;
}

void StoreHandle::close_signal(void* signal) { static_cast<Signal*>(signal)->close(); }

void StoreHandle::end(const std::shared_ptr<Signal>& signal) {
  if (!signal) return;
  napi_remove_env_cleanup_hook(env_, &close_signal, signal.get());
  signal->close();
}

void StoreHandle::on_changed(Napi::Env env, Napi::Function changed) {
  env_ = env;
  changed_ = open_signal(env, changed, "mobula.changed");
}

void StoreHandle::on_collect(Napi::Env env, Napi::Function collect) {
  env_ = env;
  collect_ = open_signal(env, collect, "mobula.collect");
  collector_ = store_->on_collect([signal = collect_] { signal->raise(); });
}

void StoreHandle::keep_alive(bool waiting) {
  if (!changed_ || changed_->function == nullptr) return;
  if (waiting) {
    napi_ref_threadsafe_function(env_, changed_->function);
  } else {
    napi_unref_threadsafe_function(env_, changed_->function);
  }
}

uint64_t StoreHandle::watch(const ObjectId& id) {
  uint64_t number = store_->watch(id, [signal = changed_] { signal->raise(); });
  watches_.insert(number);
  return number;
}

uint64_t StoreHandle::watch_room() {
  uint64_t number = store_->watch_room([signal = changed_] { signal->raise(); });
  watches_.insert(number);
  return number;
}

uint64_t StoreHandle::enter_room_queue() {
  uint64_t place = store_->enter_room_queue();
  room_places_.insert(place);
  return place;
}

void StoreHandle::leave_room_queue(uint64_t place) {
  auto found = room_places_.find(place);
  if (found == room_places_.end()) return;
  room_places_.erase(found);
  store_->leave_room_queue(place);
}

void StoreHandle::unwatch(uint64_t watch) {
  if (watches_.erase(watch) > 0) store_->unwatch(watch);
}

void StoreHandle::close() {
  if (closed_) return;
  closed_ = true;
  for (uint64_t place : room_places_) store_->leave_room_queue(place);
  for (uint64_t watch : watches_) store_->unwatch(watch);
  if (collect_) store_->forget_collect(collector_);
  end(changed_);
  end(collect_);
  for (const auto& [entry, pin] : pins_) (void)store_->unpin(pin.ref, pin.count);
  for (const auto& [entry, ref] : refs_) {
    for (uint32_t i = 0; i < ref.count; ++i) (void)store_->drop_ref(ref.ref);
  }
  for (const auto& [entry, unsealed] : writings_) (void)store_->abort(unsealed.ref);
  pins_.clear();
  refs_.clear();
  writings_.clear();
  if (is_creator_) store_->end_spilling();
  closed_store_ = store_;
  store_.reset();
}

bool StoreHandle::has_views() const {
  return std::any_of(views_.begin(), views_.end(),
                     [](const auto& record) { return record && !record->has_ended(); });
}

}  // namespace mobula::addon
