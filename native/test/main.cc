#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "port/port.h"
#include "test/costs.h"
#include "test/support.h"
#include "test/temporary_directory.h"
#include "test/test.h"

namespace mobula::test {
namespace {

constexpr unsigned kLimitSeconds = 110;
constexpr unsigned kLongLimitSeconds = 1800;

struct Test {
  const char* claim;
  void (*run)();
};

struct Role {
  const char* name;
  void (*run)(Subject& self);
};

std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

std::vector<Role>& roles() {
  static std::vector<Role> all;
  return all;
}

std::atomic<bool> failed{false};

// A test that hangs is ended by its alarm; whatever it started goes with its process group, and its
// temporary files with their directory, however it ends.
bool run_apart(const Test& test) {
  TemporaryDirectory temporary;
  fflush(stdout);
  pid_t runner = getpid();
  pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    if (!port::die_with_parent(static_cast<uint32_t>(runner))) _exit(1);
    setenv("TMPDIR", temporary.path().c_str(), 1);
    alarm(long_run() ? kLongLimitSeconds : kLimitSeconds);
    test.run();
    finish();
  }
  int status = 0;
  waitpid(child, &status, 0);
  kill(-child, SIGKILL);
  if (WIFSIGNALED(status)) {
    fprintf(stderr, "  ended by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const Test* find_test(std::string_view claim) {
  for (const Test& test : tests()) {
    if (claim == test.claim) return &test;
  }
  return nullptr;
}

int run_role(int argc, char** argv) {
  for (const Role& role : roles()) {
    if (strcmp(role.name, argv[2]) != 0) continue;
    Subject self(argc, argv);
    role.run(self);
    finish();
  }
  fprintf(stderr, "there is no role %s\n", argv[2]);
  return 1;
}

int run_tests(const std::vector<Test>& chosen) {
  int passed = 0;
  for (const Test& test : chosen) {
    bool ok = run_apart(test);
    passed += ok;
    printf("%s %s\n", ok ? "ok    " : "FAILED", test.claim);
  }
  int missed = static_cast<int>(chosen.size()) - passed;
  printf("%d passed, %d failed\n", passed, missed);
  return missed == 0 ? 0 : 1;
}

int run(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--list") == 0) {
    for (const Test& test : tests()) printf("%s\n", test.claim);
    return 0;
  }
  if (argc == 2 && strcmp(argv[1], "--costs") == 0) return print_costs();
  if (argc > 2 && strcmp(argv[1], kRoleOption) == 0) return run_role(argc, argv);
  if (argc == 1) return run_tests(tests());
  std::vector<Test> chosen;
  for (int i = 1; i < argc; ++i) {
    const Test* test = find_test(argv[i]);
    if (test == nullptr) {
      fprintf(stderr, "there is no test '%s'; --list prints the names\n", argv[i]);
      return 1;
    }
    chosen.push_back(*test);
  }
  return run_tests(chosen);
}

}  // namespace

void add_test(const char* claim, void (*run)()) { tests().push_back({claim, run}); }
void add_role(const char* name, void (*run)(Subject& self)) { roles().push_back({name, run}); }

void fail(const char* file, int line, const std::string& message) {
  failed = true;
  fprintf(stderr, "  %s:%d: %s\n", file, line, message.c_str());
}

void finish() {
  fflush(stdout);
  _exit(failed ? 1 : 0);
}

}  // namespace mobula::test

int main(int argc, char** argv) { return mobula::test::run(argc, argv); }
