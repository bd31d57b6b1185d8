#ifndef MOBULA_ADDON_SHARED_BUFFER_H_
#define MOBULA_ADDON_SHARED_BUFFER_H_

#include <napi.h>

namespace mobula::addon {

// A SharedArrayBuffer over `length` bytes at `data`, which it does not own.
//
// `ended(data, hint)` runs exactly once, after the last reference to the bytes from any thread of
// the process is gone: on whichever thread found out, at process exit too, with no JavaScript and
// no environment to call into. A null result means that this runtime refuses external memory;
// then `ended` has not run and will not.
Napi::Value create_shared_buffer(Napi::Env env, void* data, size_t length,
                                 void (*ended)(void* data, void* hint), void* hint);

}  // namespace mobula::addon

#endif  // MOBULA_ADDON_SHARED_BUFFER_H_
