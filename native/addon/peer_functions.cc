#include <algorithm>
#include <iterator>

#include "addon/addon.h"
#include "addon/peer_handle.h"
#include "addon/results.h"
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

bool is_worker_kind(Env env, uint32_t kind) {
  if (kind < shm::kWorkerKinds) return true;
  Napi::RangeError::New(env, "no such kind of worker").ThrowAsJavaScriptException();
  return false;
}

// The number of bytes received, plus 0.5 when more is waiting.
Value exchange(const CallbackInfo& info, size_t inbox_size, uint32_t kind, uint32_t max_tasks) {
  Env env = info.Env();
  PeerHandle* handle = Addon::of(env).peer(info[0]);
  if (handle == nullptr) return {};
  if (!is_worker_kind(env, kind)) return {};
  size_t length = to_uint32(info[1]), sent = 0;
  if (length > handle->outbox_size) {
    Napi::RangeError::New(env, "the outbox is shorter").ThrowAsJavaScriptException();
    return {};
  }
  queue::Exchanged result;
  Status status = handle->peer().exchange(handle->outbox, length, handle->inbox,
                                          std::min(inbox_size, handle->inbox_size), kind, max_tasks,
                                          &sent, &result);
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
  if (handle != nullptr) handle->keep_alive(to_bool(info[1]));
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
  Status status =
      handle->peer().create_actor(to_int32(info[1]), to_bool(info[2]), &index, &generation);
  if (!status.is_ok()) {
    Addon::of(env).raise(env, status);
    return {};
  }
  Napi::Array actor = Napi::Array::New(env, 2);
  actor.Set(0u, Number::New(env, index));
  actor.Set(1u, Number::New(env, generation));
  return actor;
}

// False when the actor has ended, or what the peer wants of it does not fit.
template <Status (queue::Peer::*change)(uint32_t index, uint32_t generation)>
Value change_actor(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle == nullptr) return {};
  Status status = (handle->peer().*change)(to_uint32(info[1]), to_uint32(info[2]));
  return Napi::Boolean::New(info.Env(), status.is_ok());
}

void peer_set_actor_made(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle == nullptr) return;
  (void)handle->peer().set_made(to_uint32(info[1]), to_uint32(info[2]), to_uint32(info[3]));
}

Value peer_hold_arguments(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  bool held = handle != nullptr && handle->peer().hold_arguments(
                                       to_uint32(info[1]), to_uint64(info[2]), to_uint64(info[3]));
  return Napi::Boolean::New(info.Env(), held);
}

void peer_set_restarts(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle == nullptr) return;
  (void)handle->peer().set_restarts(to_uint32(info[1]), to_uint32(info[2]), to_int32(info[3]));
}

Value peer_actor_state(const CallbackInfo& info) {
  Env env = info.Env();
  PeerHandle* handle = Addon::of(env).peer(info[0]);
  if (handle == nullptr) return {};
  shm::ActorState state = handle->peer().actor_state(to_uint32(info[1]), to_uint32(info[2]));
  return Number::New(env, static_cast<uint32_t>(state));
}

Value peer_host_actor(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle == nullptr) return {};
  Status status =
      handle->peer().host_actor(to_uint32(info[1]), to_uint32(info[2]), to_uint32(info[3]),
                                to_uint32(info[4]), to_uint32(info[5]));
  return Napi::Boolean::New(info.Env(), status.is_ok());
}

void peer_end_actor(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle != nullptr) handle->peer().end_actor(to_uint32(info[1]), to_uint32(info[2]));
}

std::vector<queue::Amount> to_amounts(const Value& value) {
  std::vector<queue::Amount> amounts;
  Napi::Array rows = value.As<Napi::Array>();
  for (uint32_t i = 0; i < rows.Length(); ++i) {
    Napi::Array row = Value(rows[i]).As<Napi::Array>();
    amounts.push_back({Value(row[0u]).ToString(), Value(row[1u]).ToNumber().DoubleValue()});
  }
  return amounts;
}

void peer_set_resources(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle == nullptr) return;
  (void)failed(info.Env(), handle->peer().set_resources(to_amounts(info[1])));
}

Value peer_resources(const CallbackInfo& info) {
  Env env = info.Env();
  PeerHandle* handle = Addon::of(env).peer(info[0]);
  std::vector<queue::ResourceInfo> resources;
  if (handle == nullptr || failed(env, handle->peer().resources(&resources))) return {};
  Napi::Array rows = Napi::Array::New(env, resources.size());
  for (uint32_t i = 0; i < resources.size(); ++i) {
    Napi::Array row = Napi::Array::New(env, 3);
    row.Set(0u, Napi::String::New(env, resources[i].name));
    row.Set(1u, Number::New(env, resources[i].total));
    row.Set(2u, Number::New(env, resources[i].available));
    rows.Set(i, row);
  }
  return rows;
}

Value peer_shape(const CallbackInfo& info) {
  Env env = info.Env();
  PeerHandle* handle = Addon::of(env).peer(info[0]);
  uint32_t kind = to_uint32(info[1]), index = 0;
  if (handle == nullptr || !is_worker_kind(env, kind)) return {};
  std::vector<queue::Amount> amounts = to_amounts(info[4]);
  amounts.push_back({"cpu", info[2].ToNumber().DoubleValue()});
  amounts.push_back({"gpu", info[3].ToNumber().DoubleValue()});
  if (failed(env, handle->peer().shape(kind, amounts, &index))) return {};
  return Number::New(env, index);
}

void peer_set_driver(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle != nullptr) (void)failed(info.Env(), handle->peer().set_driver());
}

void peer_set_worker(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle != nullptr) (void)failed(info.Env(), handle->peer().set_worker());
}

Value from_address(Env env, uint32_t slot, uint32_t uid) {
  Napi::Array address = Napi::Array::New(env, 2);
  address.Set(0u, Number::New(env, slot));
  address.Set(1u, Number::New(env, uid));
  return address;
}

Value peer_find(const CallbackInfo& info) {
  Env env = info.Env();
  PeerHandle* handle = Addon::of(env).peer(info[0]);
  uint32_t slot = 0;
  if (handle == nullptr || !handle->peer().find(to_uint32(info[1]), &slot)) return {};
  return Napi::Number::New(env, slot);
}

Value peer_driver(const CallbackInfo& info) {
  Env env = info.Env();
  PeerHandle* handle = Addon::of(env).peer(info[0]);
  uint32_t slot = 0, uid = 0;
  if (handle == nullptr) return {};
  return handle->peer().driver(&slot, &uid) ? from_address(env, slot, uid) : env.Undefined();
}

Value peer_cancel_queued(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle == nullptr) return {};
  return Napi::Boolean::New(info.Env(), handle->peer().cancel_queued(to_uint64(info[1])));
}

Value peer_where_is(const CallbackInfo& info) {
  Env env = info.Env();
  PeerHandle* handle = Addon::of(env).peer(info[0]);
  uint32_t slot = 0, uid = 0;
  if (handle == nullptr) return {};
  bool found = handle->peer().where_is(to_uint64(info[1]), &slot, &uid);
  return found ? from_address(env, slot, uid) : env.Undefined();
}

Value peer_blame(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle == nullptr) return {};
  bool found = handle->peer().blame(to_uint32(info[1]), to_uint32(info[2]), to_uint32(info[3]),
                                    to_uint64(info[4]));
  return Napi::Boolean::New(info.Env(), found);
}

Value peer_counts(const CallbackInfo& info) {
  Env env = info.Env();
  PeerHandle* handle = Addon::of(env).peer(info[0]);
  queue::Counts counts;
  if (handle == nullptr || failed(env, handle->peer().counts(&counts))) return {};
  uint64_t values[] = {counts.queued,      counts.running, counts.finished,
                       counts.failed,      counts.retried, counts.bounced,
                       counts.workers,     counts.actors,  counts.actors_restarting,
                       counts.actors_ended};
  Napi::Float64Array row = Napi::Float64Array::New(env, std::size(values));
  for (size_t i = 0; i < std::size(values); ++i) row[i] = static_cast<double>(values[i]);
  return row;
}

Value peer_tasks_of(const CallbackInfo& info) {
  Env env = info.Env();
  PeerHandle* handle = Addon::of(env).peer(info[0]);
  std::vector<queue::TakenTask> tasks;
  if (handle == nullptr || failed(env, handle->peer().tasks_of(to_uint32(info[1]), &tasks))) {
    return {};
  }
  Napi::Array rows = Napi::Array::New(env, tasks.size());
  for (uint32_t i = 0; i < tasks.size(); ++i) {
    Napi::Array row = Napi::Array::New(env, 3);
    row.Set(0u, number(env, tasks[i].slot));
    row.Set(1u, number(env, tasks[i].uid));
    row.Set(2u, number(env, static_cast<double>(tasks[i].sequence)));
    rows.Set(i, row);
  }
  return rows;
}

Value peer_tasks_at(const CallbackInfo& info) {
  Env env = info.Env();
  PeerHandle* handle = Addon::of(env).peer(info[0]);
  std::vector<queue::HeldTask> tasks;
  if (handle == nullptr) return {};
  Status status = handle->peer().tasks_at(to_uint32(info[1]), to_uint32(info[2]), &tasks);
  if (failed(env, status)) return {};
  Napi::Array rows = Napi::Array::New(env, tasks.size());
  for (uint32_t i = 0; i < tasks.size(); ++i) {
    Napi::Array row = Napi::Array::New(env, 5);
    row.Set(0u, number(env, tasks[i].sender));
    row.Set(1u, number(env, tasks[i].sender_uid));
    row.Set(2u, number(env, static_cast<double>(tasks[i].sequence)));
    row.Set(3u, number(env, static_cast<double>(tasks[i].order)));
    row.Set(4u, number(env, tasks[i].flags));
    rows.Set(i, row);
  }
  return rows;
}

Value peer_is_quiet(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle == nullptr) return {};
  return Napi::Boolean::New(info.Env(), handle->peer().is_quiet());
}

Value peer_wait(const CallbackInfo& info) {
  PeerHandle* handle = Addon::of(info.Env()).peer(info[0]);
  if (handle == nullptr) return {};
  return Napi::Boolean::New(info.Env(), handle->peer().wait(to_uint32(info[1])));
}

}  // namespace

void export_peer_functions(Env env, Napi::Object exports) {
  add<peer_open>(env, exports, "peerOpen");
  add<peer_close>(env, exports, "peerClose");
  add<peer_exchange>(env, exports, "peerExchange");
  add<peer_send>(env, exports, "peerSend");
  add<peer_client>(env, exports, "peerClient");
  add<peer_keep_alive>(env, exports, "peerKeepAlive");
  add<peer_end_with>(env, exports, "peerEndWith");
  add<peer_is_live>(env, exports, "peerIsLive");
  add<peer_create_actor>(env, exports, "peerCreateActor");
  add<peer_host_actor>(env, exports, "peerHostActor");
  add<change_actor<&queue::Peer::adopt_actor>>(env, exports, "peerAdoptActor");
  add<peer_set_actor_made>(env, exports, "peerSetActorMade");
  add<change_actor<&queue::Peer::unhost_actor>>(env, exports, "peerUnhostActor");
  add<peer_hold_arguments>(env, exports, "peerHoldArguments");
  add<peer_set_restarts>(env, exports, "peerSetRestarts");
  add<peer_actor_state>(env, exports, "peerActorState");
  add<peer_end_actor>(env, exports, "peerEndActor");
  add<peer_set_resources>(env, exports, "peerSetResources");
  add<peer_resources>(env, exports, "peerResources");
  add<peer_shape>(env, exports, "peerShape");
  add<peer_set_driver>(env, exports, "peerSetDriver");
  add<peer_set_worker>(env, exports, "peerSetWorker");
  add<peer_find>(env, exports, "peerFind");
  add<peer_driver>(env, exports, "peerDriver");
  add<peer_cancel_queued>(env, exports, "peerCancelQueued");
  add<peer_where_is>(env, exports, "peerWhereIs");
  add<peer_blame>(env, exports, "peerBlame");
  add<peer_counts>(env, exports, "peerCounts");
  add<peer_tasks_of>(env, exports, "peerTasksOf");
  add<peer_tasks_at>(env, exports, "peerTasksAt");
  add<peer_is_quiet>(env, exports, "peerIsQuiet");
  add<peer_wait>(env, exports, "peerWait");
}

}  // namespace mobula::addon
