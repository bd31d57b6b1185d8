#ifndef MOBULA_PORT_SMALL_FILE_H_
#define MOBULA_PORT_SMALL_FILE_H_

#include <cstddef>

namespace mobula::port {

// The start of a file of /proc or /sys as text, ended by a zero. False when it is empty or cannot
// be read.
bool read_small_file(const char* path, char* buffer, size_t capacity);

}  // namespace mobula::port

#endif  // MOBULA_PORT_SMALL_FILE_H_
