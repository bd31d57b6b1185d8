#ifndef MOBULA_ADDON_SHARED_BUFFER_H_
#define MOBULA_ADDON_SHARED_BUFFER_H_

#include <napi.h>

namespace mobula::addon {

// Whether this runtime refuses buffers over memory that is not its own, as Electron and builds with
// V8's sandbox do, or is to be treated so (MOBULA_COPY_VIEWS=1). The answer is for the process.
bool refuses_external_buffers(Napi::Env env);

// A SharedArrayBuffer over `length` bytes at `data`, which it does not own; where the runtime
// refuses that, over a copy of them.
//
// `ended(data, hint)` runs exactly once, after the last reference to the bytes from any thread of
// the process is gone: on whichever thread found out, at process exit too, with no JavaScript and
// no environment to call into. For a copy, whose bytes may live on, it runs when the buffer itself
// is collected. After a null result `ended` has not run and will not; an exception is pending.
Napi::Value create_shared_buffer(Napi::Env env, void* data, size_t length,
                                 void (*ended)(void* data, void* hint), void* hint);

// All bytes of a SharedArrayBuffer.
Napi::Uint8Array bytes_of(Napi::Env env, const Napi::Value& buffer);

}  // namespace mobula::addon

#endif  // MOBULA_ADDON_SHARED_BUFFER_H_
