#ifndef MOBULA_STORE_CHECK_H_
#define MOBULA_STORE_CHECK_H_

#include <string>
#include <vector>

#include "shm/segment.h"

namespace mobula::store {

// Walks every structure of the store and verifies the facts stated above the types: one line per
// violation, none when all hold. Needs the store lock; changes nothing.
std::vector<std::string> check_store(const shm::Segment& segment);

}  // namespace mobula::store

#endif  // MOBULA_STORE_CHECK_H_
