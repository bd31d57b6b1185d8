#ifndef MOBULA_STATUS_H_
#define MOBULA_STATUS_H_

#include <cstdint>
#include <string>
#include <utility>

namespace mobula {

// The outcome of a core operation. Values are visible to the binding: never renumber, only append.
enum class Code : uint32_t {
  kOk = 0,
  kNotFound = 1,
  kExists = 2,
  kNotSealed = 3,
  kFull = 4,
  kClosed = 5,
  kCorrupt = 6,
  kStalled = 7,         // A lock holder is stopped; the message names its pid.
  kOutOfRange = 8,      // An option or size that this build or machine cannot serve.
  kIncompatible = 9,    // Another layout, libc or pid namespace made the segment.
  kSystem = 10,         // A system call failed; the message names it and its errno.
  kUnschedulable = 11,  // A task asks for more than the runtime will ever have.
  kFreed = 12,          // The object was given up by free().
  kDiskFull = 13,       // Spill files cannot be written, or have reached their limit.
  kLost = 14,           // The object's bytes were in a spill file that cannot be read.
};

// A code and, for failures, a message that a user can act on. Cheap to copy when ok.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  Status(const Status&) = default;
  Status& operator=(const Status&) = default;
  Status(Status&& other) noexcept : code_(other.code_) {
    if (!is_ok()) message_ = std::move(other.message_);
  }
  Status& operator=(Status&&) = default;

  static Status ok() { return {}; }

  bool is_ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

}  // namespace mobula

#endif  // MOBULA_STATUS_H_
