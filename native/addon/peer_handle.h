#ifndef MOBULA_ADDON_PEER_HANDLE_H_
#define MOBULA_ADDON_PEER_HANDLE_H_

#include <napi.h>

#include <memory>

#include "queue/peer.h"
#include "store/client.h"

struct uv_poll_s;

namespace mobula::addon {

// A peer on its environment's event loop: calls `rung` there when its doorbell rings. JavaScript
// thread only. Destroying it ends the peer; the libuv handle closes on its own afterwards.
class PeerHandle {
 public:
  static Status open(Napi::Env env, std::shared_ptr<store::Client> client, Napi::Function rung,
                     std::unique_ptr<PeerHandle>* out);
  ~PeerHandle();

  queue::Peer& peer() { return *peer_; }
  void keep_alive(bool busy);  // whether the event loop stays up for the doorbell
  // From now on this process ends soon after peer `slot`, `uid` or its process has, whatever the
  // threads of this process are doing; if it leads its process group, so do all of that.
  void end_with(uint32_t slot, uint32_t uid);

  // The outbox and inbox that exchange() works on. `outbox` and `inbox` stay in place until the
  // peer ends.
  void set_buffers(Napi::Uint8Array outbox, Napi::Uint8Array inbox);
  uint8_t* outbox = nullptr;
  uint8_t* inbox = nullptr;
  size_t outbox_size = 0;
  size_t inbox_size = 0;

 private:
  struct Poll;
  PeerHandle() = default;
  Status poll(Napi::Env env, Napi::Function rung);

  std::shared_ptr<store::Client> client_;
  std::unique_ptr<queue::Peer> peer_;
  Poll* poll_ = nullptr;
  Napi::Reference<Napi::Uint8Array> outbox_reference_;
  Napi::Reference<Napi::Uint8Array> inbox_reference_;
};

}  // namespace mobula::addon

#endif  // MOBULA_ADDON_PEER_HANDLE_H_
