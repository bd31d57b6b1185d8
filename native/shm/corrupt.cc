#include "shm/corrupt.h"

#include <string>

namespace mobula::shm {

void corrupt(const char* what) { throw Corrupt{what}; }

Status corrupt_status(const char* what) {
  return {Code::kCorrupt, std::string("the shared segment is damaged (") + what +
                              "): copy what can still be read and create a new store"};
}

}  // namespace mobula::shm
