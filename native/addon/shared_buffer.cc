#include "addon/shared_buffer.h"

#include <dlfcn.h>
#include <v8.h>

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

}  // namespace

Napi::Value create_shared_buffer(Napi::Env env, void* data, size_t length, Ended ended,
                                 void* hint) {
  static const CreateExternal create_external = find_create_external();
  if (create_external == nullptr) return create_with_v8(env, data, length, ended, hint);
  napi_value value = nullptr;
  napi_status status = create_external(env, data, length, ended, hint, &value);
  return status == napi_ok ? Napi::Value(env, value) : Napi::Value();
}

}  // namespace mobula::addon
