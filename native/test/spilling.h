#ifndef MOBULA_TEST_SPILLING_H_
#define MOBULA_TEST_SPILLING_H_

#include <string>

#include "test/support.h"

namespace mobula::test {

// Of a store whose objects go to files below `directory` when somebody refers to them.
inline StoreOptions spilling_options(const std::string& directory,
                                     StoreOptions options = store_options()) {
  options.eviction = EvictionPolicy::kUnreferenced;
  options.spill_directory = directory;
  return options;
}

}  // namespace mobula::test

#endif  // MOBULA_TEST_SPILLING_H_
