#ifndef MOBULA_SHM_PLAN_H_
#define MOBULA_SHM_PLAN_H_

#include "mobula/options.h"
#include "mobula/status.h"
#include "shm/layout.h"

namespace mobula::shm {

inline constexpr uint64_t kMaxMemory = 1ull << 44;
inline constexpr uint32_t kMaxObjects = 1u << 30;

// Where each region of a segment goes. It follows from the options alone, so who attaches computes
// it anew and believes no offset that it finds.
struct Plan {
  Header header{};
  Table entries{}, blocks{}, edges{}, files{}, cells{}, actors{};
  uint64_t fixed_end = 0;  // everything before this is committed at creation
};

Plan make_plan(const StoreOptions& options);

// The plan of a segment with this header in a file of `file_size` bytes. kCorrupt when the header
// contradicts itself; kIncompatible when another build or pid namespace made it.
Status recover_plan(const Header& header, uint64_t file_size, Plan* out);

// kCorrupt unless the tables found in the segment lie where the plan has them.
Status confirm_tables(const Plan& plan, const StoreState& store, const QueueState& queue);

}  // namespace mobula::shm

#endif  // MOBULA_SHM_PLAN_H_
