#ifndef MOBULA_ADDON_ADDON_H_
#define MOBULA_ADDON_ADDON_H_

#include <napi.h>

#include <memory>
#include <vector>

#include "mobula/object_id.h"
#include "mobula/status.h"

namespace mobula::addon {

class StoreHandle;
class PeerHandle;

// What one environment (a main or worker thread) holds. Used on its JavaScript thread only.
//
// JavaScript names stores and peers by number: an index here, never used twice and checked on every
// call, so that no argument can be mistaken for another object. At the environment's end the peers
// go first, because they stand on stores; then the stores, which give back pins and unsealed
// objects. Views outlive both.
class Addon {
 public:
  explicit Addon(Napi::Env env);
  ~Addon();

  static Addon& of(Napi::Env env) { return *env.GetInstanceData<Addon>(); }

  uint32_t add(std::shared_ptr<StoreHandle> store);
  uint32_t add(std::unique_ptr<PeerHandle> peer);
  // Null, with a JavaScript exception pending, when `value` names nothing open.
  StoreHandle* store(const Napi::Value& value);
  // Finds a closed store too, as long as views on it live; null without an exception.
  StoreHandle* store_of_views(const Napi::Value& value);
  PeerHandle* peer(const Napi::Value& value);
  void remove_store(const Napi::Value& value);
  void remove_peer(const Napi::Value& value);

  // Leaves the exception that JavaScript's error factory makes of a failed status pending.
  void raise(Napi::Env env, const Status& status);
  void set_error_factory(Napi::Function factory);

 private:
  void close_all();

  std::vector<std::shared_ptr<StoreHandle>> stores_;
  std::vector<uint32_t> closed_stores_;  // that views still stand on
  std::vector<std::unique_ptr<PeerHandle>> peers_;
  Napi::FunctionReference error_factory_;
};

// Argument conversions. JavaScript has validated already; these assert against type confusion and
// leave a TypeError pending when they fail. Ids are validated here only, because get() must be
// fast: a string that is none is a RangeError.
bool to_id(const Napi::Value& value, ObjectId* out);
bool to_bytes(const Napi::Value& value, const uint8_t** data, size_t* length);
uint64_t to_uint64(const Napi::Value& value);
// What the runtime's own modules pass, without the coercions of JavaScript, which fail while an
// environment ends.
uint32_t to_uint32(const Napi::Value& value);
int32_t to_int32(const Napi::Value& value);
bool to_bool(const Napi::Value& value);
Napi::String from_id(Napi::Env env, const ObjectId& id);

// Calls a function without arguments from the event loop, as Node calls its own callbacks: ticks
// and promises have their turn afterwards, and what any of it throws is an uncaught exception at
// once.
void call_from_loop(napi_env env, napi_async_context context, napi_value function);

void export_store_functions(Napi::Env env, Napi::Object exports);
void export_object_functions(Napi::Env env, Napi::Object exports);
void export_peer_functions(Napi::Env env, Napi::Object exports);
void export_process_functions(Napi::Env env, Napi::Object exports);

}  // namespace mobula::addon

#endif  // MOBULA_ADDON_ADDON_H_
