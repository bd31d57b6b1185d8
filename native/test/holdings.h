#ifndef MOBULA_TEST_HOLDINGS_H_
#define MOBULA_TEST_HOLDINGS_H_

#include "test/endpoint.h"

namespace mobula::test {

// Something of every kind that the death of its process gives back. The store has object 1.
struct Holdings {
  explicit Holdings(ObjectStore& store);
  Endpoint driver, worker;
};

}  // namespace mobula::test

#endif  // MOBULA_TEST_HOLDINGS_H_
