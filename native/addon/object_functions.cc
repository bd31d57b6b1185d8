#include <cstring>

#include "addon/addon.h"
#include "addon/results.h"
#include "addon/store_handle.h"

// The flat functions on the objects of a store; lib/store/binding.ts says what each takes and
// gives.

namespace mobula::addon {
namespace {

using Napi::CallbackInfo;
using Napi::Env;
using Napi::Value;

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
  set_entry(handle, writing.ref);
  Value buffer = handle->open_writing(env, writing);
  if (buffer.IsEmpty()) {
    (void)handle->store().abort(writing.ref);
    return buffer;
  }
  Napi::Array created = Napi::Array::New(env, 2);
  created.Set(0u, from_id(env, writing.id));
  created.Set(1u, buffer);
  return created;
}

// 16 bytes each.
std::vector<ObjectId> to_ids(const Bytes& bytes) {
  std::vector<ObjectId> ids(bytes.length / sizeof(ObjectId));
  if (!ids.empty()) std::memcpy(ids.data(), bytes.data, ids.size() * sizeof(ObjectId));
  return ids;
}

void store_seal(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return;
  EntryRef ref = to_entry(info, 1);
  SealOptions options;
  options.exposed = to_bool(info[4]);
  options.add_ref = to_bool(info[5]);
  Bytes contained;
  if (!to_optional_bytes(info[6], &contained)) return;
  std::vector<ObjectId> ids = to_ids(contained);
  options.contained = ids.data();
  options.contained_count = ids.size();
  options.ref_client = to_uint32(info[7]);
  options.ref_client_generation = to_uint32(info[8]);
  options.pin = to_bool(info[9]);
  handle->finish_writing(info.Env(), ref, info[3]);
  Status status = handle->store().seal(ref, options);
  handle->forget_writing(ref);
  if (failed(info.Env(), status)) return;
  if (options.add_ref) handle->remember_ref(ref);
  if (options.pin) handle->remember_pin(ref);
}

void store_abort(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  if (handle == nullptr) return;
  EntryRef ref = to_entry(info, 1);
  if (handle->forget_writing(ref)) failed(info.Env(), handle->store().abort(ref));
}

Value view_on(Env env, StoreHandle* handle, const Reading& reading) {
  set_entry(handle, reading.ref);
  handle->registers()[StoreHandle::kSize] = static_cast<double>(reading.size);
  handle->registers()[StoreHandle::kMetadataSize] = reading.metadata_size;
  ViewRecord* record = handle->cached(reading.ref);
  if (record != nullptr && record->is_over(reading) && record->add_hold())
    return Napi::Boolean::New(env, true);
  return handle->open_view(env, reading);
}

// A view on what `get` finds; null for what is on disk, undefined for what is not there.
template <class Get>
Value open_found(const CallbackInfo& info, const Get& get) {
  Env env = info.Env();
  StoreHandle* handle = Addon::of(env).store(info[0]);
  ObjectId id;
  if (handle == nullptr || !to_id(info[1], &id)) return {};
  Reading reading;
  bool on_disk = false;
  Status status = get(handle->store(), id, &reading, &on_disk);
  if (status.code() == Code::kNotFound) return env.Undefined();
  if (failed(env, status)) return {};
  return on_disk ? env.Null() : view_on(env, handle, reading);
}

Value store_get(const CallbackInfo& info) {
  return open_found(info, [](ObjectStore& store, const ObjectId& id, Reading* reading, bool*) {
    return store.get(id, reading);
  });
}

Value store_get_in_memory(const CallbackInfo& info) {
  return open_found(info, [](ObjectStore& store, const ObjectId& id, Reading* reading,
                             bool* on_disk) { return store.get_in_memory(id, reading, on_disk); });
}

// Reads an object back on a thread of libuv's pool.
class Restore : public Napi::AsyncWorker {
 public:
  Restore(Napi::Function done, std::shared_ptr<ObjectStore> store, const ObjectId& id)
      : AsyncWorker(done, "mobula-restore"), store_(std::move(store)), id_(id) {}

  void Execute() override { status_ = store_->restore(id_); }
  void OnOK() override {
    Napi::Env env = Env();
    Value error = env.Undefined();
    if (!status_.is_ok() && status_.code() != Code::kNotFound) {
      Addon::of(env).raise(env, status_);
      error = env.GetAndClearPendingException().Value();
    }
    Callback().Call({error});
  }

 private:
  const std::shared_ptr<ObjectStore> store_;
  const ObjectId id_;
  Status status_;
};

void store_restore(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  ObjectId id;
  if (handle == nullptr || !to_id(info[1], &id)) return;
  // Deletes itself.
  (new Restore(info[2].As<Napi::Function>(), handle->shared(), id))->Queue();
}

// A new buffer for an object whose last one JavaScript can no longer find; the hold that
// store_get has just added to the old record moves over. Undefined when that has ended meanwhile,
// and with it the hold.
Value store_reopen(const CallbackInfo& info) {
  Env env = info.Env();
  StoreHandle* handle = Addon::of(env).store(info[0]);
  if (handle == nullptr) return {};
  EntryRef ref = to_entry(info, 1);
  ViewRecord* record = handle->cached(ref);
  if (record == nullptr || !record->take_hold()) return env.Undefined();
  Reading reading;
  if (failed(env, handle->store().reading(ref, &reading))) return {};
  return handle->open_view(env, reading);
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

Value store_bytes_of(const CallbackInfo& info) {
  StoreHandle* handle = Addon::of(info.Env()).store(info[0]);
  Bytes ids;
  if (handle == nullptr || !to_optional_bytes(info[1], &ids)) return {};
  uint64_t bytes = 0;
  if (failed(info.Env(), handle->store().bytes_of(to_ids(ids), &bytes))) return {};
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
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

Value store_evict_object(const CallbackInfo& info) {
  Env env = info.Env();
  StoreHandle* handle = Addon::of(env).store(info[0]);
  ObjectId id;
  if (handle == nullptr || !to_id(info[1], &id)) return {};
  Status status = handle->store().evict(id, handle->evicted());
  if (status.code() == Code::kNotFound) return Napi::Boolean::New(env, false);
  if (failed(env, status)) return {};
  return Napi::Boolean::New(env, true);
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

Value store_free(const CallbackInfo& info) {
  Env env = info.Env();
  StoreHandle* handle = Addon::of(env).store(info[0]);
  ObjectId id;
  if (handle == nullptr || !to_id(info[1], &id)) return {};
  Status status = handle->store().free(id);
  if (status.code() == Code::kNotFound) return Napi::Boolean::New(env, false);
  if (failed(env, status)) return {};
  return Napi::Boolean::New(env, true);
}

Value from_referred(Env env, const ReferredInfo& object) {
  Napi::Array row = Napi::Array::New(env, 6);
  row.Set(0u, from_id(env, object.id));
  row.Set(1u, number(env, static_cast<double>(object.size)));
  row.Set(2u, number(env, static_cast<double>(object.state)));
  row.Set(3u, number(env, object.refs));
  row.Set(4u, number(env, object.pins));
  row.Set(5u, number(env, static_cast<double>(object.created_at)));
  return row;
}

Value store_list_referred(const CallbackInfo& info) {
  Env env = info.Env();
  StoreHandle* handle = Addon::of(env).store(info[0]);
  if (handle == nullptr) return {};
  std::vector<ReferredInfo> objects;
  uint32_t next = 0;
  do {
    if (failed(env, handle->store().list_referred(&next, &objects))) return {};
  } while (next != 0);
  Napi::Array rows = Napi::Array::New(env, objects.size());
  for (uint32_t i = 0; i < objects.size(); ++i) rows.Set(i, from_referred(env, objects[i]));
  return rows;
}

}  // namespace

void export_object_functions(Env env, Napi::Object exports) {
  add<store_put>(env, exports, "storePut");
  add<store_create_object>(env, exports, "storeCreateObject");
  add<store_seal>(env, exports, "storeSeal");
  add<store_abort>(env, exports, "storeAbort");
  add<store_get>(env, exports, "storeGet");
  add<store_get_in_memory>(env, exports, "storeGetInMemory");
  add<store_restore>(env, exports, "storeRestore");
  add<store_bytes_of>(env, exports, "storeBytesOf");
  add<store_reopen>(env, exports, "storeReopen");
  add<store_metadata>(env, exports, "storeMetadata");
  add<store_release_view>(env, exports, "storeReleaseView");
  add<store_pin>(env, exports, "storePin");
  add<store_unpin>(env, exports, "storeUnpin");
  add<store_peek>(env, exports, "storePeek");
  add<store_availability>(env, exports, "storeAvailability");
  add<store_delete>(env, exports, "storeDelete");
  add<store_evict_object>(env, exports, "storeEvictObject");
  add<store_promise>(env, exports, "storePromise");
  add<store_add_ref>(env, exports, "storeAddRef");
  add<store_drop_ref>(env, exports, "storeDropRef");
  add<store_free>(env, exports, "storeFree");
  add<store_list_referred>(env, exports, "storeListReferred");
}

}  // namespace mobula::addon
