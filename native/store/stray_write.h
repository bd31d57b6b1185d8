#ifndef MOBULA_STORE_STRAY_WRITE_H_
#define MOBULA_STORE_STRAY_WRITE_H_

#include "shm/segment.h"

namespace mobula::store {

// From now on a write to what this process may only read of the segment ends the process, after a
// line on stderr that names the object. Any thread. With more than 1024 segments explained at once
// the further ones get no line.
void explain_stray_writes(const shm::Segment& segment);
// Comes before the segment is unmapped.
void forget_stray_writes(const shm::Segment& segment);

}  // namespace mobula::store

#endif  // MOBULA_STORE_STRAY_WRITE_H_
