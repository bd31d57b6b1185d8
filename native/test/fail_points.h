#ifndef MOBULA_TEST_FAIL_POINTS_H_
#define MOBULA_TEST_FAIL_POINTS_H_

#include "port/port.h"

namespace mobula::test {

// Calls `hook` from now on at every fail point of this process, in the thread that is there,
// perhaps under a lock of the store. Null: no more.
using FailPointHook = void (*)(port::FailPoint point, const void* subject);
void at_fail_points(FailPointHook hook);

const char* name_of(port::FailPoint point);

}  // namespace mobula::test

#endif  // MOBULA_TEST_FAIL_POINTS_H_
