#include <algorithm>

#include "addon/addon.h"
#include "addon/peer_handle.h"
#include "addon/store_handle.h"

// The flat transport functions; lib/store/binding.ts says what each takes and gives.

namespace mobula::addon {
namespace {

using Napi::CallbackInfo;
using Napi::Env;
using Napi::Number;
using Napi::Value;

Value peer_open(const CallbackInfo& info) {
  Env env = info.Env();
  Addon& addon = Addon::of(env);
  StoreHandle* store = addon.store(info[0]);
  if (store == nullptr) return {};
  std::unique_ptr<PeerHandle> peer;
  Status status =
      PeerHandle::open(env, store->store().client(), info[1].As<Napi::Function>(), &peer);
  if (!status.is_ok()) {
    addon.raise(env, status);
    return {};
  }
  peer->set_buffers(info[2].As<Napi::Uint8Array>(), info[3].As<Napi::Uint8Array>());
  Napi::Array opened = Napi::Array::New(env, 3);
  opened.Set(1u, Number::New(env, peer->peer().slot()));
  opened.Set(2u, Number::New(env, peer->peer().uid()));
  opened.Set(0u, Number::New(env, addon.add(std::move(peer))));
  return opened;
}

void peer_close(const CallbackInfo& info) { Addon::of(info.Env()).remove_peer(info[0]); }

// The number of bytes received, plus 0.5 when more is waiting.
Value exchange(const CallbackInfo& info, size_t inbox_size, uint32_t queue, uint32_t max_tasks) {
  Env env = info.Env();
  PeerHandle* handle = Addon::of(env).peer(info[0]);
  if (handle == nullptr) return {};
  size_t length = to_uint32(info[1]), sent = 0;
  if (length > handle->outbox_size) {
    Napi::RangeError::New(env, "the outbox is shorter").ThrowAsJavaScriptException();
    return {};
  }
  queue::Exchanged result;
  Status status = handle->peer().exchange(handle->outbox, length, handle->inbox,
                                          std::min(inbox_size, handle->inbox_size), queue,
                                          max_tasks, &sent, &result);
  if (!status.is_ok()) {
    Addon::of(env).raise(env, status);
    return {};
  }
  return Number::New(env, static_cast<double>(result.received) + (result.more ? 0.5 : 0));
}

Value peer_exchange(const CallbackInfo& info) {
  return exchange(info, SIZE_MAX, to_uint32(info[2]), to_uint32(info[3]));
}

Value peer_send(const CallbackInfo& info) { return exchange(info, 0, 0, 0); }

// [slot, generation] of a peer's process in the client table; undefined once the peer has ended.
Value peer_client(const CallbackInfo& info) {
  Env env = info.Env();
  PeerHandle* handle = Addon::of(env).peer(info[0]);
  if (handle == nullptr) return {};
  uint32_t slot = 0, generation = 0;
  if (!handle->peer().client_of(to_uint32(info[1]), to_uint32(info[2]), &slot, &generation)) {
    return env.Undefined();
  }
  Napi::Array identity = Napi::Array::New(env, 2);
  identity.Set(0u, Number::New(env, slot));
  identity.Set(1u, Number::New(env, generation));
  return identity;
}

void peer_keep_alive(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle != nullptr) handle->keep_alive(info[1].ToBoolean());
}

void peer_end_with(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle != nullptr) handle->end_with(to_uint32(info[1]), to_uint32(info[2]));
}

Value peer_is_live(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle == nullptr) return {};
  bool live = handle->peer().is_live(to_uint32(info[1]), to_uint32(info[2]));
  return Napi::Boolean::New(info.Env(), live);
}

Value peer_create_actor(const CallbackInfo& info) {
  Env env = info.Env();
  PeerHandle* handle = Addon::of(env).peer(info[0]);
  if (handle == nullptr) return {};
  uint32_t index = 0, generation = 0;
  Status status = handle->peer().create_actor(&index, &generation);
  if (!status.is_ok()) {
    Addon::of(env).raise(env, status);
    return {};
  }
  Napi::Array actor = Napi::Array::New(env, 2);
  actor.Set(0u, Number::New(env, index));
  actor.Set(1u, Number::New(env, generation));
  return actor;
}

Value peer_host_actor(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle == nullptr) return {};
  Status status = handle->peer().host_actor(to_uint32(info[1]), to_uint32(info[2]),
                                            to_uint32(info[3]), to_uint32(info[4]));
  return Napi::Boolean::New(info.Env(), status.is_ok());
}

void peer_end_actor(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle != nullptr) handle->peer().end_actor(to_uint32(info[1]), to_uint32(info[2]));
}

}  // namespace

void export_peer_functions(Env env, Napi::Object exports) {
  exports.Set("peerOpen", Napi::Function::New<peer_open>(env, "peerOpen"));
  exports.Set("peerClose", Napi::Function::New<peer_close>(env, "peerClose"));
  exports.Set("peerExchange", Napi::Function::New<peer_exchange>(env, "peerExchange"));
  exports.Set("peerSend", Napi::Function::New<peer_send>(env, "peerSend"));
  exports.Set("peerClient", Napi::Function::New<peer_client>(env, "peerClient"));
  exports.Set("peerKeepAlive", Napi::Function::New<peer_keep_alive>(env, "peerKeepAlive"));
  exports.Set("peerEndWith", Napi::Function::New<peer_end_with>(env, "peerEndWith"));
  exports.Set("peerIsLive", Napi::Function::New<peer_is_live>(env, "peerIsLive"));
  exports.Set("peerCreateActor", Napi::Function::New<peer_create_actor>(env, "peerCreateActor"));
  exports.Set("peerHostActor", Napi::Function::New<peer_host_actor>(env, "peerHostActor"));
  exports.Set("peerEndActor", Napi::Function::New<peer_end_actor>(env, "peerEndActor"));
}

}  // namespace mobula::addon
