#include "addon/addon.h"

#include <algorithm>

#include "addon/peer_handle.h"
#include "addon/store_handle.h"

namespace mobula::addon {
namespace {

template <class T>
uint32_t add_to(std::vector<T>* all, T item) {
  all->push_back(std::move(item));
  return static_cast<uint32_t>(all->size() - 1);
}

template <class T>
T* find_in(std::vector<T>* all, const Napi::Value& value) {
  uint32_t index = to_uint32(value);
  return index < all->size() && (*all)[index] != nullptr ? &(*all)[index] : nullptr;
}

void throw_type_error(const Napi::Value& value, const char* message) {
  Napi::TypeError::New(value.Env(), message).ThrowAsJavaScriptException();
}

}  // namespace

Addon::Addon(Napi::Env env) {
  napi_add_env_cleanup_hook(
      env, [](void* addon) { static_cast<Addon*>(addon)->close_all(); }, this);
}

Addon::~Addon() = default;

void Addon::close_all() {
  for (auto& peer : peers_) peer.reset();
  for (auto& store : stores_) {
    if (store) store->close();
    store.reset();
  }
}

uint32_t Addon::add(std::shared_ptr<StoreHandle> store) {
  for (auto& closed : closed_stores_) {
    if (stores_[closed] && !stores_[closed]->has_views()) stores_[closed].reset();
  }
  std::erase_if(closed_stores_, [this](uint32_t index) { return !stores_[index]; });
  return add_to(&stores_, std::move(store));
}

uint32_t Addon::add(std::unique_ptr<PeerHandle> peer) { return add_to(&peers_, std::move(peer)); }

StoreHandle* Addon::store(const Napi::Value& value) {
  auto* found = find_in(&stores_, value);
  if (found != nullptr && !(*found)->is_closed()) return found->get();
  throw_type_error(value, "not an open store");
  return nullptr;
}

StoreHandle* Addon::store_of_views(const Napi::Value& value) {
  auto* found = find_in(&stores_, value);
  return found == nullptr ? nullptr : found->get();
}

PeerHandle* Addon::peer(const Napi::Value& value) {
  auto* found = find_in(&peers_, value);
  if (found == nullptr) throw_type_error(value, "not an open peer");
  return found == nullptr ? nullptr : found->get();
}

void Addon::remove_store(const Napi::Value& value) {
  auto* found = find_in(&stores_, value);
  if (found == nullptr) return;
  (*found)->close();
  if ((*found)->has_views()) {
    closed_stores_.push_back(to_uint32(value));
  } else {
    found->reset();
  }
}

void Addon::remove_peer(const Napi::Value& value) {
  if (auto* found = find_in(&peers_, value)) found->reset();
}

void Addon::set_error_factory(Napi::Function factory) {
  error_factory_ = Napi::Persistent(factory);
}

void Addon::raise(Napi::Env env, const Status& status) {
  Napi::Value error =
      error_factory_.Call({Napi::Number::New(env, static_cast<double>(status.code())),
                           Napi::String::New(env, status.message())});
  if (!env.IsExceptionPending()) napi_throw(env, error);
}

// Node keeps what a callback of N-API has thrown for the next call into the addon, whoever makes
// it.
void call_from_loop(napi_env env, napi_async_context context, napi_value function) {
  napi_make_callback(env, context, Napi::Env(env).Global(), function, 0, nullptr, nullptr);
  bool has_thrown = false;
  napi_is_exception_pending(env, &has_thrown);
  if (!has_thrown) return;
  napi_value error = nullptr;
  napi_get_and_clear_last_exception(env, &error);
  napi_fatal_exception(env, error);
}

bool to_id(const Napi::Value& value, ObjectId* out) {
  char text[ObjectId::kHexLength + 2];
  size_t length = 0;
  napi_status status = napi_get_value_string_latin1(value.Env(), value, text, sizeof text, &length);
  if (status != napi_ok) {
    napi_throw_type_error(value.Env(), "ERR_INVALID_ARG_TYPE",
                          "The \"id\" argument must be a string");
    return false;
  }
  if (ObjectId::parse({text, length}, out)) return true;
  napi_throw_range_error(value.Env(), "ERR_OUT_OF_RANGE",
                         "The value of \"id\" is out of range. It must be 32 lowercase hex digits");
  return false;
}

bool to_bytes(const Napi::Value& value, const uint8_t** data, size_t* length) {
  void* start = nullptr;
  napi_status status =
      napi_get_typedarray_info(value.Env(), value, nullptr, length, &start, nullptr, nullptr);
  if (status != napi_ok) throw_type_error(value, "expected a Uint8Array");
  *data = static_cast<const uint8_t*>(start);
  return status == napi_ok;
}

uint64_t to_uint64(const Napi::Value& value) {
  double number = 0;
  napi_get_value_double(value.Env(), value, &number);
  return static_cast<uint64_t>(number);
}

bool to_bool(const Napi::Value& value) {
  bool is_true = false;
  napi_get_value_bool(value.Env(), value, &is_true);
  return is_true;
}

uint32_t to_uint32(const Napi::Value& value) {
  uint32_t number = UINT32_MAX;
  napi_get_value_uint32(value.Env(), value, &number);
  return number;
}

int32_t to_int32(const Napi::Value& value) {
  int32_t number = 0;
  napi_get_value_int32(value.Env(), value, &number);
  return number;
}

Napi::String from_id(Napi::Env env, const ObjectId& id) {
  char text[ObjectId::kHexLength];
  id.format(text);
  napi_value value;
  napi_create_string_latin1(env, text, sizeof text, &value);
  return {env, value};
}

namespace {

void set_error_factory(const Napi::CallbackInfo& info) {
  Addon::of(info.Env()).set_error_factory(info[0].As<Napi::Function>());
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Addon(env));
  exports.Set("setErrorFactory", Napi::Function::New<set_error_factory>(env, "setErrorFactory"));
  export_store_functions(env, exports);
  export_object_functions(env, exports);
  export_peer_functions(env, exports);
  export_process_functions(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(mobula, init)

}  // namespace mobula::addon
