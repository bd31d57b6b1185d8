#include "addon/shared_buffer.h"

#include <dlfcn.h>
#include <v8.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace mobula::addon {
namespace {

using Ended = void (*)(void* data, void* hint);
using CreateExternal = napi_status (*)(napi_env env, void* data, size_t length, Ended ended,
                                       void* hint, napi_value* result);

// Exported by Node 22.23, 24.16 and 26.1, not by 20.
CreateExternal find_create_external() {
  void* symbol = dlsym(RTLD_DEFAULT, "node_api_create_external_sharedarraybuffer");
  return reinterpret_cast<CreateExternal>(symbol);
}

struct Ending {
  Ended ended;
  void* hint;
};

void end_backing_store(void* data, size_t, void* raw) {
  std::unique_ptr<Ending> ending(static_cast<Ending*>(raw));
  ending->ended(data, ending->hint);
}

Napi::Value create_with_v8(Napi::Env env, void* data, size_t length, Ended ended, void* hint) {
  auto ending = std::make_unique<Ending>(Ending{ended, hint});
  std::shared_ptr<v8::BackingStore> store =
      v8::SharedArrayBuffer::NewBackingStore(data, length, &end_backing_store, ending.release());
  v8::Local<v8::Value> buffer =
      v8::SharedArrayBuffer::New(v8::Isolate::GetCurrent(), std::move(store));
  // napi_value is a Local in disguise, in every Node line.
  static_assert(sizeof(napi_value) == sizeof(v8::Local<v8::Value>));
  napi_value value;
  std::memcpy(static_cast<void*>(&value), &buffer, sizeof value);
  return {env, value};
}

void end_copy(napi_env, void* data, void* raw) { end_backing_store(data, 0, raw); }

Napi::Value create_copy(Napi::Env env, void* data, size_t length, Ended ended, void* hint) {
  Napi::Value size = Napi::Number::New(env, static_cast<double>(length));
  Napi::Object buffer = env.Global().Get("SharedArrayBuffer").As<Napi::Function>().New({size});
  if (buffer.IsEmpty()) return buffer;
  if (length > 0) std::memcpy(bytes_of(env, buffer).Data(), data, length);
  auto ending = std::make_unique<Ending>(Ending{ended, hint});
  if (napi_add_finalizer(env, buffer, data, &end_copy, ending.get(), nullptr) != napi_ok) return {};
  (void)ending.release();
  return buffer;
}

bool find_refusal(napi_env env) {
  const char* forced = getenv("MOBULA_COPY_VIEWS");
  if (forced != nullptr && strcmp(forced, "1") == 0) return true;
  static char byte;
  napi_value buffer = nullptr;
  napi_status status =
      napi_create_external_arraybuffer(env, &byte, sizeof byte, nullptr, nullptr, &buffer);
  return status == napi_no_external_buffers_allowed;
}

}  // namespace

bool refuses_external_buffers(Napi::Env env) {
  static const bool refuses = find_refusal(env);
  return refuses;
}

Napi::Uint8Array bytes_of(Napi::Env env, const Napi::Value& buffer) {
  return env.Global().Get("Uint8Array").As<Napi::Function>().New({buffer}).As<Napi::Uint8Array>();
}

Napi::Value create_shared_buffer(Napi::Env env, void* data, size_t length, Ended ended,
                                 void* hint) {
  if (refuses_external_buffers(env)) return create_copy(env, data, length, ended, hint);
  static const CreateExternal create_external = find_create_external();
  if (create_external == nullptr) return create_with_v8(env, data, length, ended, hint);
  napi_value value = nullptr;
  napi_status status = create_external(env, data, length, ended, hint, &value);
  return status == napi_ok ? Napi::Value(env, value) : Napi::Value();
}

}  // namespace mobula::addon
