#ifndef MOBULA_TEST_TEST_H_
#define MOBULA_TEST_TEST_H_

// A minimal test runner. A test is a claim and the code that would refute it; each runs in a child
// process of its own, so a crash or a hang fails that test alone. A role is the code of a further
// process that a test starts (support.h, Process).

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "mobula/object_id.h"
#include "mobula/status.h"

namespace mobula::test {

class Subject;

void add_test(const char* claim, void (*run)());
void add_role(const char* name, void (*run)(Subject& self));

// Prints the failure and counts it against the test.
void fail(const char* file, int line, const std::string& message);
// Ends this process, as failed when anything has failed.
[[noreturn]] void finish();

inline std::string show(bool value) { return value ? "true" : "false"; }
inline std::string show(const std::string& value) { return '"' + value + '"'; }
inline std::string show(const char* value) { return show(std::string(value)); }
inline std::string show(const ObjectId& id) { return id.hex(); }
inline std::string show(const Status& status) {
  return "status " + std::to_string(static_cast<uint32_t>(status.code())) + " " + status.message();
}
template <class T>
  requires std::is_integral_v<T>
std::string show(T value) {
  return std::to_string(value);
}
template <class T>
  requires std::is_enum_v<T>
std::string show(T value) {
  return std::to_string(static_cast<std::underlying_type_t<T>>(value));
}
template <class T>
std::string show(const std::vector<T>& values) {
  std::string text = "[";
  for (const T& value : values) {
    if (text.size() > 1) text += ", ";
    text += show(value);
  }
  return text + "]";
}

template <class A, class B>
bool expect_equal(const A& actual, const B& expected, const char* what, const char* file,
                  int line) {
  if (actual == expected) return true;
  fail(file, line, std::string(what) + " is " + show(actual) + ", not " + show(expected));
  return false;
}

}  // namespace mobula::test

#define MOBULA_JOIN_(a, b) a##b
#define MOBULA_JOIN(a, b) MOBULA_JOIN_(a, b)

#define MOBULA_TEST(claim, name)                                 \
  static void name();                                            \
  [[maybe_unused]] static const bool MOBULA_JOIN(name, _added) = \
      (::mobula::test::add_test(claim, &name), true);            \
  static void name()
#define TEST(claim) MOBULA_TEST(claim, MOBULA_JOIN(test_, __LINE__))

#define ROLE(name)                                               \
  static void name(::mobula::test::Subject& self);               \
  [[maybe_unused]] static const bool MOBULA_JOIN(name, _added) = \
      (::mobula::test::add_role(#name, &name), true);            \
  static void name(::mobula::test::Subject& self)

// Checks go on after a failure; REQUIRE ends the process.
#define EXPECT(condition)                                                   \
  do {                                                                      \
    if (!(condition)) ::mobula::test::fail(__FILE__, __LINE__, #condition); \
  } while (false)
#define EXPECT_EQ(actual, expected) \
  ::mobula::test::expect_equal((actual), (expected), #actual, __FILE__, __LINE__)
#define EXPECT_CODE(status, expected)                                                        \
  ::mobula::test::expect_equal((status).code(), ::mobula::Code::expected, #status, __FILE__, \
                               __LINE__)
#define REQUIRE(condition)                                \
  do {                                                    \
    if (condition) break;                                 \
    ::mobula::test::fail(__FILE__, __LINE__, #condition); \
    ::mobula::test::finish();                             \
  } while (false)
#define REQUIRE_OK(expression)                                                                  \
  do {                                                                                          \
    ::mobula::Status status_ = (expression);                                                    \
    if (status_.is_ok()) break;                                                                 \
    ::mobula::test::fail(__FILE__, __LINE__, #expression ": " + ::mobula::test::show(status_)); \
    ::mobula::test::finish();                                                                   \
  } while (false)

#endif  // MOBULA_TEST_TEST_H_
