#ifndef MOBULA_QUEUE_CHECK_H_
#define MOBULA_QUEUE_CHECK_H_

#include <string>
#include <vector>

#include "shm/segment.h"

namespace mobula::queue {

// Walks every structure of the queues and verifies the facts stated above their types: one line
// per violation, none when all hold. Needs the queue lock; changes nothing.
std::vector<std::string> check_queue(const shm::Segment& segment);

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_CHECK_H_
