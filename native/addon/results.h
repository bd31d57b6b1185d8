#ifndef MOBULA_ADDON_RESULTS_H_
#define MOBULA_ADDON_RESULTS_H_

#include <napi.h>

#include <vector>

#include "addon/addon.h"
#include "addon/store_handle.h"

namespace mobula::addon {

// What the flat store functions have in common: their results, and how they are exported.

inline bool failed(Napi::Env env, const Status& status) {
  if (status.is_ok()) return false;
  Addon::of(env).raise(env, status);
  return true;
}

inline Napi::Value number(Napi::Env env, double value) { return Napi::Number::New(env, value); }

inline EntryRef to_entry(const Napi::CallbackInfo& info, size_t first) {
  return {to_uint32(info[first]), to_uint32(info[first + 1])};
}

inline void set_entry(StoreHandle* handle, const EntryRef& ref) {
  handle->registers()[StoreHandle::kEntry] = ref.entry;
  handle->registers()[StoreHandle::kGeneration] = ref.generation;
}

inline Napi::Value from_info(Napi::Env env, const ObjectInfo& info) {
  Napi::Array row = Napi::Array::New(env, 5);
  row.Set(0u, from_id(env, info.id));
  row.Set(1u, number(env, static_cast<double>(info.size)));
  row.Set(2u, number(env, static_cast<double>(info.state)));
  row.Set(3u, number(env, info.pins));
  row.Set(4u, number(env, static_cast<double>(info.created_at)));
  return row;
}

inline Napi::Value from_infos(Napi::Env env, const std::vector<ObjectInfo>& infos) {
  Napi::Array rows = Napi::Array::New(env, infos.size());
  for (uint32_t i = 0; i < infos.size(); ++i) rows.Set(i, from_info(env, infos[i]));
  return rows;
}

template <Napi::Value (*function)(const Napi::CallbackInfo&)>
void add(Napi::Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<function>(env, name));
}

template <void (*function)(const Napi::CallbackInfo&)>
void add(Napi::Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<function>(env, name));
}

}  // namespace mobula::addon

#endif  // MOBULA_ADDON_RESULTS_H_
