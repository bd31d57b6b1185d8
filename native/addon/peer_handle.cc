#include "addon/peer_handle.h"

#include <uv.h>

#include "addon/addon.h"
#include "queue/retire.h"

namespace mobula::addon {

// Outlives the PeerHandle by the loop iteration that libuv needs to close a handle. Node waits for
// that when an environment ends, because of the asynchronous cleanup hook.
struct PeerHandle::Poll {
  uv_poll_t handle;
  napi_env env = nullptr;
  napi_async_context context = nullptr;
  napi_ref rung = nullptr;
  napi_async_cleanup_hook_handle hook = nullptr;
  int bell = -1;
  bool closing = false;

  static void on_readable(uv_poll_t* handle, int, int) {
    auto* poll = static_cast<Poll*>(handle->data);
    port::bell_drain(poll->bell);
    Napi::Env env(poll->env);
    Napi::HandleScope scope(env);
    napi_value function;
    napi_get_reference_value(poll->env, poll->rung, &function);
    call_from_loop(poll->env, poll->context, function);
  }

  void close() {
    if (closing) return;
    closing = true;
    uv_poll_stop(&handle);
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), [](uv_handle_t* raw) {
      auto* poll = static_cast<Poll*>(raw->data);
      napi_remove_async_cleanup_hook(poll->hook);
      delete poll;
    });
  }
};

Status PeerHandle::open(Napi::Env env, std::shared_ptr<store::Client> client, Napi::Function rung,
                        std::unique_ptr<PeerHandle>* out) {
  std::unique_ptr<PeerHandle> handle(new PeerHandle);
  Status status = queue::Peer::open(client->segment(), client->queue_lock(), client->bells(),
                                    client->slot(), client->generation(), &handle->peer_);
  if (!status.is_ok()) return status;
  handle->client_ = std::move(client);
  status = handle->poll(env, rung);
  if (status.is_ok()) *out = std::move(handle);
  return status;
}

Status PeerHandle::poll(Napi::Env env, Napi::Function rung) {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  auto poll = std::make_unique<Poll>();
  poll->env = env;
  poll->bell = peer_->bell();
  poll->handle.data = poll.get();
  if (int error = uv_poll_init(loop, &poll->handle, poll->bell)) {
    return {Code::kSystem, std::string("cannot poll a pipe: ") + uv_strerror(error)};
  }
  poll_ = poll.release();
  napi_create_reference(env, rung, 1, &poll_->rung);
  napi_async_init(env, nullptr, Napi::String::New(env, "mobula.peer"), &poll_->context);
  napi_add_async_cleanup_hook(
      env, [](napi_async_cleanup_hook_handle, void* raw) { static_cast<Poll*>(raw)->close(); },
      poll_, &poll_->hook);
  uv_poll_start(&poll_->handle, UV_READABLE, &Poll::on_readable);
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_->handle));
  return Status::ok();
}

PeerHandle::~PeerHandle() {
  if (poll_ != nullptr) {
    napi_delete_reference(poll_->env, poll_->rung);
    napi_async_destroy(poll_->env, poll_->context);
    poll_->close();
  }
}

void PeerHandle::keep_alive(bool busy) {
  auto* handle = reinterpret_cast<uv_handle_t*>(&poll_->handle);
  if (busy) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void PeerHandle::end_with(uint32_t slot, uint32_t uid) {
  uint32_t process = 0, generation = 0;
  if (!peer_->client_of(slot, uid, &process, &generation)) port::kill_group();
  store::Client* client = client_.get();
  client->add_tick([client, slot, uid, process, generation] {
    bool live =
        client->is_live(process, generation) && queue::peer_is_live(client->segment(), slot, uid);
    if (!live) port::kill_group();
  });
}

void PeerHandle::set_buffers(Napi::Uint8Array out, Napi::Uint8Array in) {
  outbox = out.Data();
  outbox_size = out.ByteLength();
  inbox = in.Data();
  inbox_size = in.ByteLength();
  outbox_reference_ = Napi::Reference<Napi::Uint8Array>::New(out, 1);
  inbox_reference_ = Napi::Reference<Napi::Uint8Array>::New(in, 1);
}

}  // namespace mobula::addon
