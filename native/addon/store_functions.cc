#include <cstring>
#include <initializer_list>

#include "addon/addon.h"
#include "addon/results.h"
#include "addon/store_handle.h"

// The flat store functions; lib/store/binding.ts says what each takes and gives.

namespace mobula::addon {
namespace {

using Napi::CallbackInfo;
using Napi::Env;
using Napi::Number;
using Napi::Value;

Value opened(const CallbackInfo& info, Status status, std::unique_ptr<ObjectStore> store) {
  if (failed(info.Env(), status)) return {};
  auto handle = std::make_shared<StoreHandle>(info.Env(), std::move(store));
  return number(info.Env(), Addon::of(info.Env()).add(std::move(handle)));
}

Value store_create(const CallbackInfo& info) {
  StoreOptions options;
  options.memory = to_uint64(info[0]);
  options.max_objects = to_uint32(info[1]);
  options.eviction = static_cast<EvictionPolicy>(to_uint32(info[2]));
  if (info[3].IsString()) options.name = info[3].As<Napi::String>();
  options.guard = to_bool(info[4]);
  options.queue = to_bool(info[5]);
  options.prefault = to_uint64(info[6]);
  if (info[7].IsString()) options.spill_directory = info[7].As<Napi::String>();
  if (info[8].IsNumber()) options.spill_limit = to_uint64(info[8]);
  std::unique_ptr<ObjectStore> store;
  Status status = ObjectStore::create(options, &store);
  Value number = opened(info, std::move(status), std::move(store));
  if (!number.IsEmpty()) Addon::of(info.Env()).store(number)->set_creator();
  return number;
}

Value store_attach_name(const CallbackInfo& info) {
  std::unique_ptr<ObjectStore> store;
  Status status = ObjectStore::attach(info[0].As<Napi::String>().Utf8Value(), &store);
  return opened(info, std::move(status), std::move(store));
}

Value store_attach_handle(const CallbackInfo& info) {
  mobula::StoreHandle handle;
  handle.pid = to_uint32(info[0]);
  handle.fd = static_cast<int>(to_uint32(info[1]));
  if (!to_id(info[2], &handle.store_id)) return {};
  std::unique_ptr<ObjectStore> store;
  Status status = ObjectStore::attach(handle, &store);
  return opened(info, std::move(status), std::move(store));
}

Value store_unlink(const CallbackInfo& info) {
  Status status = ObjectStore::unlink(info[0].As<Napi::String>());
  if (status.code() == Code::kNotFound) return Napi::Boolean::New(info.Env(), false);
  if (failed(info.Env(), status)) return {};
  return Napi::Boolean::New(info.Env(), true);
}

void store_close(const CallbackInfo& info) { Addon::of(info.Env()).remove_store(info[0]); }

Value from_handle(Env env, const mobula::StoreHandle& handle) {
  Napi::Array row = Napi::Array::New(env, 3);
  row.Set(0u, number(env, handle.pid));
  row.Set(1u, number(env, handle.fd));
  row.Set(2u, from_id(env, handle.store_id));
  return row;
}

Value store_handle(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  return handle == nullptr ? Value() : from_handle(info.Env(), handle->store().handle());
}

Value store_offer(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  mobula::StoreHandle offered;
  if (handle == nullptr || failed(info.Env(), handle->store().offer(&offered))) return {};
  return from_handle(info.Env(), offered);
}

void store_withdraw(const CallbackInfo& info) {
  mobula::StoreHandle offered;
  offered.fd = static_cast<int>(to_uint32(info[0]));
  ObjectStore::withdraw(offered);
}

Value store_registers(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  return handle == nullptr ? Value() : handle->registers_array(info.Env());
}

Value store_eviction(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return {};
  return number(info.Env(), static_cast<double>(handle->store().eviction()));
}

Value store_evict(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return {};
  uint64_t freed = 0;
  Status status = handle->store().evict(to_uint64(info[1]), &freed, handle->evicted());
  if (failed(info.Env(), status)) return {};
  return number(info.Env(), static_cast<double>(freed));
}

void store_watch_evictions(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle != nullptr) handle->watch_evictions();
}

Value store_take_evicted(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  return handle == nullptr ? Value() : from_infos(info.Env(), handle->take_evicted());
}

Value store_list(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return {};
  std::vector<ObjectInfo> all;
  if (failed(info.Env(), handle->store().list(&all))) return {};
  return from_infos(info.Env(), all);
}

Value store_stats(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return {};
  StoreStats stats;
  if (failed(info.Env(), handle->store().stats(&stats))) return {};
  std::initializer_list<uint64_t> values = {stats.memory,
                                            stats.used_bytes,
                                            stats.largest_free_block,
                                            stats.sealed,
                                            stats.unsealed,
                                            stats.pinned_objects,
                                            stats.pinned_bytes,
                                            stats.puts,
                                            stats.hits,
                                            stats.misses,
                                            stats.evictions,
                                            stats.evicted_bytes,
                                            stats.clients,
                                            stats.reclaimed_clients,
                                            stats.recoveries,
                                            stats.on_disk,
                                            stats.spilled,
                                            stats.spilled_bytes,
                                            stats.restored,
                                            stats.restored_bytes,
                                            handle->copied_views()};
  auto array = Napi::Float64Array::New(info.Env(), values.size());
  double* next = array.Data();
  for (uint64_t value : values) *next++ = static_cast<double>(value);
  return array;
}

Value store_check(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return {};
  std::vector<std::string> problems = handle->store().check();
  Napi::Array lines = Napi::Array::New(info.Env(), problems.size());
  for (uint32_t i = 0; i < problems.size(); ++i) lines.Set(i, problems[i]);
  return lines;
}

void store_on_changed(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle != nullptr) handle->on_changed(info.Env(), info[1].As<Napi::Function>());
}

Value store_watch(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  ObjectId id;
  if (handle == nullptr || !to_id(info[1], &id)) return {};
  return number(info.Env(), static_cast<double>(handle->watch(id)));
}

Value store_watch_room(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return {};
  return number(info.Env(), static_cast<double>(handle->watch_room()));
}

Value store_enter_room_queue(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return {};
  return number(info.Env(), static_cast<double>(handle->enter_room_queue()));
}

void store_leave_room_queue(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle != nullptr) handle->leave_room_queue(to_uint64(info[1]));
}

Value store_is_first_for_room(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return {};
  return Napi::Boolean::New(info.Env(), handle->store().is_first_for_room(to_uint64(info[1])));
}

Value store_room_for(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  Room room;
  if (handle == nullptr ||
      failed(info.Env(), handle->store().room_for(to_uint64(info[1]), &room))) {
    return {};
  }
  return number(info.Env(), static_cast<double>(room));
}

void store_on_collect(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle != nullptr) handle->on_collect(info.Env(), info[1].As<Napi::Function>());
}

Value store_ask_to_collect(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return {};
  return number(info.Env(), static_cast<double>(handle->store().ask_to_collect()));
}

Value store_collectors(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return {};
  return number(info.Env(), static_cast<double>(handle->store().collectors()));
}

void store_unwatch(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle != nullptr) handle->unwatch(to_uint64(info[1]));
}

void store_keep_alive(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle != nullptr) handle->keep_alive(to_bool(info[1]));
}

void store_reap(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle != nullptr) handle->store().reap();
}

}  // namespace

void export_store_functions(Env env, Napi::Object exports) {
  add<store_create>(env, exports, "storeCreate");
  add<store_attach_name>(env, exports, "storeAttachName");
  add<store_attach_handle>(env, exports, "storeAttachHandle");
  add<store_unlink>(env, exports, "storeUnlink");
  add<store_close>(env, exports, "storeClose");
  add<store_handle>(env, exports, "storeHandle");
  add<store_offer>(env, exports, "storeOffer");
  add<store_withdraw>(env, exports, "storeWithdraw");
  add<store_registers>(env, exports, "storeRegisters");
  add<store_eviction>(env, exports, "storeEviction");
  add<store_evict>(env, exports, "storeEvict");
  add<store_watch_evictions>(env, exports, "storeWatchEvictions");
  add<store_take_evicted>(env, exports, "storeTakeEvicted");
  add<store_list>(env, exports, "storeList");
  add<store_stats>(env, exports, "storeStats");
  add<store_check>(env, exports, "storeCheck");
  add<store_on_changed>(env, exports, "storeOnChanged");
  add<store_watch>(env, exports, "storeWatch");
  add<store_watch_room>(env, exports, "storeWatchRoom");
  add<store_unwatch>(env, exports, "storeUnwatch");
  add<store_enter_room_queue>(env, exports, "storeEnterRoomQueue");
  add<store_leave_room_queue>(env, exports, "storeLeaveRoomQueue");
  add<store_is_first_for_room>(env, exports, "storeIsFirstForRoom");
  add<store_room_for>(env, exports, "storeRoomFor");
  add<store_on_collect>(env, exports, "storeOnCollect");
  add<store_ask_to_collect>(env, exports, "storeAskToCollect");
  add<store_collectors>(env, exports, "storeCollectors");
  add<store_keep_alive>(env, exports, "storeKeepAlive");
  add<store_reap>(env, exports, "storeReap");
}

}  // namespace mobula::addon
