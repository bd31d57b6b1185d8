#ifndef MOBULA_OPTIONS_H_
#define MOBULA_OPTIONS_H_

#include <cstdint>
#include <string>

namespace mobula {

// Frozen: stands in the segment. doc/segment_format.md.
enum class EvictionPolicy : uint32_t {
  kNone = 0,          // a full store refuses
  kClru = 1,          // the least recently used object that no process reads goes
  kUnreferenced = 2,  // as kClru, but only objects that no process refers to; others spill
};

struct StoreOptions {
  uint64_t memory = 0;  // limit on charged bytes
  uint32_t max_objects = 0;
  EvictionPolicy eviction = EvictionPolicy::kClru;
  std::string name;       // empty: anonymous memory
  uint64_t prefault = 0;  // bytes of free memory to keep committed, in the background
  bool guard = true;      // views are mapped read-only
  bool queue = false;     // with run queue, mailboxes and actor table
  // With kUnreferenced: where objects that somebody refers to go when their memory is needed, in a
  // directory of the store's own. Empty: they stay.
  std::string spill_directory;
  uint64_t spill_limit = UINT64_MAX;  // on the bytes of files there
};

}  // namespace mobula

#endif  // MOBULA_OPTIONS_H_
