#include <cstring>
#include <initializer_list>

#include "addon/addon.h"
#include "addon/shared_buffer.h"
#include "addon/store_handle.h"

// The flat store functions; lib/store/binding.ts says what each takes and gives.

namespace mobula::addon {
namespace {

using Napi::CallbackInfo;
using Napi::Env;
using Napi::Number;
using Napi::Value;

bool failed(Env env, const Status& status) {
  if (status.is_ok()) return false;
  Addon::of(env).raise(env, status);
  return true;
}

Value number(Env env, double value) { return Number::New(env, value); }

EntryRef to_entry(const CallbackInfo& info, size_t first) {
  return {to_uint32(info[first]), to_uint32(info[first + 1])};
}

void set_entry(StoreHandle* handle, const EntryRef& ref) {
  handle->registers()[StoreHandle::kEntry] = ref.entry;
  handle->registers()[StoreHandle::kGeneration] = ref.generation;
}

Value from_info(Env env, const ObjectInfo& info) {
  Napi::Array row = Napi::Array::New(env, 5);
  row.Set(0u, from_id(env, info.id));
  row.Set(1u, number(env, static_cast<double>(info.size)));
  row.Set(2u, number(env, static_cast<double>(info.state)));
  row.Set(3u, number(env, info.pins));
  row.Set(4u, number(env, static_cast<double>(info.created_at)));
  return row;
}

Value from_infos(Env env, const std::vector<ObjectInfo>& infos) {
  Napi::Array rows = Napi::Array::New(env, infos.size());
  for (uint32_t i = 0; i < infos.size(); ++i) rows.Set(i, from_info(env, infos[i]));
  return rows;
}

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
  options.guard = info[4].ToBoolean();
  options.queue = info[5].ToBoolean();
  options.prefault = to_uint64(info[6]);
  std::unique_ptr<ObjectStore> store;
  Status status = ObjectStore::create(options, &store);
  return opened(info, std::move(status), std::move(store));
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

struct Bytes {
  const uint8_t* data = nullptr;
  size_t length = 0;
};

bool to_optional_bytes(const Value& value, Bytes* out) {
  return value.IsUndefined() || to_bytes(value, &out->data, &out->length);
}

bool to_optional_id(const Value& value, ObjectId* id, const ObjectId** out) {
  *out = nullptr;
  if (value.IsUndefined()) return true;
  if (!to_id(value, id)) return false;
  *out = id;
  return true;
}

Value store_put(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  ObjectId given, id;
  const ObjectId* wanted;
  Bytes data, metadata;
  if (handle == nullptr || !to_optional_id(info[1], &given, &wanted) ||
      !to_bytes(info[2], &data.data, &data.length) || !to_optional_bytes(info[3], &metadata)) {
    return {};
  }
  Status status =
      handle->store().put(wanted, data.data, data.length, metadata.data,
                          static_cast<uint32_t>(metadata.length), {}, &id, handle->evicted());
  if (failed(info.Env(), status)) return {};
  return wanted != nullptr ? info[1] : from_id(info.Env(), id);
}

// The writable buffer keeps the mapping, not the object: seal() and abort() end the hold.
void end_writing(void*, void* owner) { delete static_cast<std::shared_ptr<ObjectStore>*>(owner); }

Value store_create_object(const CallbackInfo& info) {
  Env env = info.Env();
  StoreHandle* handle = Addon::of(env).store(info[0]);
  ObjectId given;
  const ObjectId* wanted;
  Bytes metadata;
  if (handle == nullptr || !to_optional_id(info[1], &given, &wanted) ||
      !to_optional_bytes(info[3], &metadata)) {
    return {};
  }
  Writing writing;
  Status status = handle->store().create_object(wanted, to_uint64(info[2]),
                                                static_cast<uint32_t>(metadata.length), &writing,
                                                handle->evicted());
  if (failed(env, status)) return {};
  if (metadata.length > 0) std::memcpy(writing.metadata, metadata.data, metadata.length);
  handle->remember_writing(writing.ref);
  set_entry(handle, writing.ref);
  auto* owner = new std::shared_ptr<ObjectStore>(handle->shared());
  Napi::Array created = Napi::Array::New(env, 2);
  created.Set(0u, from_id(env, writing.id));
  created.Set(1u, create_shared_buffer(env, writing.data, writing.size, &end_writing, owner));
  return created;
}

void store_seal(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return;
  EntryRef ref = to_entry(info, 1);
  SealOptions options;
  options.exposed = info[3].ToBoolean();
  options.add_ref = info[4].ToBoolean();
  Bytes contained;
  if (!to_optional_bytes(info[5], &contained)) return;
  std::vector<ObjectId> ids(contained.length / sizeof(ObjectId));
  if (!ids.empty()) std::memcpy(ids.data(), contained.data, ids.size() * sizeof(ObjectId));
  options.contained = ids.data();
  options.contained_count = ids.size();
  options.ref_client = to_uint32(info[6]);
  options.ref_client_generation = to_uint32(info[7]);
  Status status = handle->store().seal(ref, options);
  handle->forget_writing(ref);
  if (failed(info.Env(), status)) return;
  if (options.add_ref) handle->remember_ref(ref);
}

void store_abort(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return;
  EntryRef ref = to_entry(info, 1);
  if (handle->forget_writing(ref)) failed(info.Env(), handle->store().abort(ref));
}

Value store_get(const CallbackInfo& info) {
  Env env = info.Env();
  StoreHandle* handle = Addon::of(env).store(info[0]);
  ObjectId id;
  if (handle == nullptr || !to_id(info[1], &id)) return {};
  Reading reading;
  Status status = handle->store().get(id, &reading);
  if (status.code() == Code::kNotFound) return env.Undefined();
  if (failed(env, status)) return {};
  set_entry(handle, reading.ref);
  handle->registers()[StoreHandle::kSize] = static_cast<double>(reading.size);
  handle->registers()[StoreHandle::kMetadataSize] = reading.metadata_size;
  if (auto record = handle->cached(reading.ref)) {
    ++record->holds;
    return Napi::Boolean::New(env, true);
  }
  return handle->open_view(env, reading, 1);
}

// A new buffer for an object whose last one JavaScript can no longer find; the hold that
// store_get has just added to the old record moves over.
Value store_reopen(const CallbackInfo& info) {
  Env env = info.Env();
  StoreHandle* handle = Addon::of(env).store(info[0]);
  if (handle == nullptr) return {};
  EntryRef ref = to_entry(info, 1);
  if (auto record = handle->cached(ref)) --record->holds;
  Reading reading;
  if (failed(env, handle->store().reading(ref, &reading))) return {};
  return handle->open_view(env, reading, 1);
}

Value store_metadata(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return {};
  Reading reading;
  if (failed(info.Env(), handle->store().reading(to_entry(info, 1), &reading))) return {};
  auto copy = Napi::Uint8Array::New(info.Env(), reading.metadata_size);
  if (reading.metadata_size > 0) std::memcpy(copy.Data(), reading.metadata, reading.metadata_size);
  return copy;
}

void store_release_view(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store_of_views(info[0]);
  if (handle != nullptr) handle->release_view(to_entry(info, 1));
}

Value store_pin(const CallbackInfo& info) {
  Env env = info.Env();
  StoreHandle* handle = Addon::of(env).store(info[0]);
  ObjectId id;
  if (handle == nullptr || !to_id(info[1], &id)) return {};
  EntryRef ref;
  Status status = handle->store().pin(id, &ref);
  if (status.code() == Code::kNotFound) return Napi::Boolean::New(env, false);
  if (failed(env, status)) return {};
  handle->remember_pin(ref);
  set_entry(handle, ref);
  return Napi::Boolean::New(env, true);
}

Value store_unpin(const CallbackInfo& info) {
  Env env = info.Env();
  StoreHandle* handle = Addon::of(env).store(info[0]);
  if (handle == nullptr) return {};
  EntryRef ref = to_entry(info, 1);
  bool held = handle->forget_pin(ref);
  if (held && failed(env, handle->store().unpin(ref))) return {};
  return Napi::Boolean::New(env, held);
}

Value store_peek(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  ObjectId id;
  if (handle == nullptr || !to_id(info[1], &id)) return {};
  ObjectInfo found;
  Status status = handle->store().peek(id, &found);
  if (status.code() == Code::kNotFound) return info.Env().Undefined();
  return failed(info.Env(), status) ? Value() : from_info(info.Env(), found);
}

Value store_availability(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  ObjectId id;
  if (handle == nullptr || !to_id(info[1], &id)) return {};
  Availability found;
  if (failed(info.Env(), handle->store().availability(id, &found))) return {};
  return number(info.Env(), static_cast<double>(found));
}

Value store_delete(const CallbackInfo& info) {
  Env env = info.Env();
  StoreHandle* handle = Addon::of(env).store(info[0]);
  ObjectId id;
  if (handle == nullptr || !to_id(info[1], &id)) return {};
  Status status = handle->store().remove(id);
  if (status.code() == Code::kNotFound) return Napi::Boolean::New(env, false);
  if (failed(env, status)) return {};
  return Napi::Boolean::New(env, true);
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
                                            stats.recoveries};
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

void store_unwatch(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle != nullptr) handle->unwatch(to_uint64(info[1]));
}

void store_keep_alive(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle != nullptr) handle->keep_alive(info[1].ToBoolean());
}

void store_promise(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  ObjectId id;
  if (handle == nullptr || !to_id(info[1], &id)) return;
  EntryRef ref;
  if (failed(info.Env(), handle->store().promise(id, &ref))) return;
  handle->remember_ref(ref);
  set_entry(handle, ref);
}

Value store_add_ref(const CallbackInfo& info) {
  Env env = info.Env();
  StoreHandle* handle = Addon::of(env).store(info[0]);
  ObjectId id;
  if (handle == nullptr || !to_id(info[1], &id)) return {};
  EntryRef ref;
  Status status = handle->store().add_ref(id, &ref);
  if (status.code() == Code::kNotFound) return Napi::Boolean::New(env, false);
  if (failed(env, status)) return {};
  handle->remember_ref(ref);
  set_entry(handle, ref);
  return Napi::Boolean::New(env, true);
}

void store_drop_ref(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return;
  EntryRef ref = to_entry(info, 1);
  if (handle->forget_ref(ref)) failed(info.Env(), handle->store().drop_ref(ref));
}

void store_reap(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle != nullptr) handle->store().reap();
}

template <Value (*function)(const CallbackInfo&)>
void add(Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<function>(env, name));
}

template <void (*function)(const CallbackInfo&)>
void add(Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<function>(env, name));
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
  add<store_put>(env, exports, "storePut");
  add<store_create_object>(env, exports, "storeCreateObject");
  add<store_seal>(env, exports, "storeSeal");
  add<store_abort>(env, exports, "storeAbort");
  add<store_get>(env, exports, "storeGet");
  add<store_reopen>(env, exports, "storeReopen");
  add<store_metadata>(env, exports, "storeMetadata");
  add<store_release_view>(env, exports, "storeReleaseView");
  add<store_pin>(env, exports, "storePin");
  add<store_unpin>(env, exports, "storeUnpin");
  add<store_peek>(env, exports, "storePeek");
  add<store_availability>(env, exports, "storeAvailability");
  add<store_delete>(env, exports, "storeDelete");
  add<store_evict>(env, exports, "storeEvict");
  add<store_watch_evictions>(env, exports, "storeWatchEvictions");
  add<store_take_evicted>(env, exports, "storeTakeEvicted");
  add<store_list>(env, exports, "storeList");
  add<store_stats>(env, exports, "storeStats");
  add<store_check>(env, exports, "storeCheck");
  add<store_on_changed>(env, exports, "storeOnChanged");
  add<store_watch>(env, exports, "storeWatch");
  add<store_unwatch>(env, exports, "storeUnwatch");
  add<store_keep_alive>(env, exports, "storeKeepAlive");
  add<store_promise>(env, exports, "storePromise");
  add<store_add_ref>(env, exports, "storeAddRef");
  add<store_drop_ref>(env, exports, "storeDropRef");
  add<store_reap>(env, exports, "storeReap");
}

}  // namespace mobula::addon
