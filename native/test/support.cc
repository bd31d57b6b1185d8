#include "test/support.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/port.h"
#include "queue/check.h"

namespace mobula::test {
namespace {

constexpr uint64_t kPatienceMs = 10'000;
constexpr int kSocket = 3;  // of a role's process
constexpr int kFirstArgument = 6;

void send_line(int socket, const std::string& line) {
  std::string text = line + "\n";
  REQUIRE(send(socket, text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
}

std::string receive_line(int socket) {
  std::string line;
  for (;;) {
    pollfd ready{socket, POLLIN, 0};
    REQUIRE(poll(&ready, 1, static_cast<int>(kPatienceMs)) == 1);
    char letter;
    REQUIRE(read(socket, &letter, 1) == 1);
    if (letter == '\n') return line;
    line += letter;
  }
}

}  // namespace

bool long_run() { return getenv("MOBULA_LONG_TESTS") != nullptr; }

uint64_t seed() {
  uint64_t value;
  if (const char* text = getenv("MOBULA_SEED")) {
    value = strtoull(text, nullptr, 10);
  } else {
    port::random_bytes(&value, sizeof value);
    value %= 1'000'000'000;
  }
  printf("  MOBULA_SEED=%llu\n", static_cast<unsigned long long>(value));
  fflush(stdout);
  return value;
}

bool eventually(const std::function<bool()>& holds) {
  uint64_t deadline = port::monotonic_ms() + kPatienceMs;
  while (!holds()) {
    if (port::monotonic_ms() > deadline) return false;
    poll(nullptr, 0, 1);
  }
  return true;
}

StoreOptions store_options(uint64_t memory, uint32_t max_objects) {
  StoreOptions options;
  options.memory = memory;
  options.max_objects = max_objects;
#if defined(__SANITIZE_THREAD__)
  options.guard = false;  // ThreadSanitizer takes two mappings for different memory
#endif
  return options;
}

std::unique_ptr<ObjectStore> new_store(const StoreOptions& options) {
  std::unique_ptr<ObjectStore> store;
  REQUIRE_OK(ObjectStore::create(options, &store));
  return store;
}

void expect_sound(ObjectStore& store) {
  for (const std::string& problem : store.check()) fail(__FILE__, __LINE__, problem);
  store::Client& client = *store.client();
  if (!client.segment().header().has_queue) return;
  shm::LockGuard guard(client.queue_lock());
  REQUIRE_OK(guard.status());
  for (const std::string& problem : queue::check_queue(client.segment())) {
    fail(__FILE__, __LINE__, problem);
  }
}

void reap_all(ObjectStore& store) {
  store.reap();
  EXPECT(eventually([&] { return stats_of(store).clients == 1; }));
}

ObjectId id_of(uint32_t number) {
  ObjectId id;
  id.bytes.fill(0xa5);
  memcpy(id.bytes.data() + 12, &number, sizeof number);
  return id;
}

void fill(const ObjectId& id, uint8_t* bytes, uint64_t size) {
  uint64_t state = id.hash() | 1;
  for (uint64_t i = 0; i < size; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    bytes[i] = static_cast<uint8_t>(state >> 56);
  }
}

Status put(ObjectStore& store, const ObjectId& id, uint64_t size, const SealOptions& options,
           std::vector<ObjectInfo>* evicted) {
  std::vector<uint8_t> bytes(size);
  fill(id, bytes.data(), size);
  ObjectId given;
  return store.put(&id, bytes.data(), size, nullptr, 0, options, &given, evicted);
}

bool is_intact(ObjectStore& store, const ObjectId& id) {
  Reading reading;
  if (!store.get(id, &reading).is_ok()) return false;
  std::vector<uint8_t> expected(reading.size);
  fill(id, expected.data(), reading.size);
  bool same = reading.size == 0 || memcmp(reading.data, expected.data(), reading.size) == 0;
  return store.unpin(reading.ref).is_ok() && same;
}

StoreStats stats_of(ObjectStore& store) {
  StoreStats stats;
  REQUIRE_OK(store.stats(&stats));
  return stats;
}

Availability availability(ObjectStore& store, const ObjectId& id) {
  Availability found{};
  REQUIRE_OK(store.availability(id, &found));
  return found;
}

bool contains(ObjectStore& store, const ObjectId& id) {
  return availability(store, id) == Availability::kReady;
}

std::vector<ObjectInfo> list(ObjectStore& store) {
  std::vector<ObjectInfo> all;
  REQUIRE_OK(store.list(&all));
  return all;
}

Process::Process(const char* role, const StoreHandle& handle,
                 const std::vector<std::string>& arguments) {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  std::vector<std::string> words = {
      "mobula_core_test",        kRoleOption,          role, std::to_string(handle.pid),
      std::to_string(handle.fd), handle.store_id.hex()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  fflush(stdout);
  uint32_t parent = port::process_id();
  pid_ = fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    if (!port::die_with_parent(parent)) _exit(1);
    // Without lazy binding every run of a role executes the same instructions.
    setenv("LD_BIND_NOW", "1", 1);
    dup2(ends[1], kSocket);
    execv("/proc/self/exe", argv.data());
    _exit(127);
  }
  close(ends[1]);
  socket_ = ends[0];
}

Process::~Process() {
  if (pid_ > 0) kill();
  close(socket_);
}

void Process::tell(const std::string& line) { send_line(socket_, line); }
std::string Process::hear() { return receive_line(socket_); }

void Process::kill() {
  ::kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

bool Process::has_changed(int* status) {
  if (pid_ < 0 || waitpid(pid_, status, WNOHANG | WUNTRACED) != pid_) return false;
  if (!WIFSTOPPED(*status)) pid_ = -1;
  return true;
}

void Process::finish() {
  int status = -1;
  bool ended = eventually([&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
  REQUIRE(ended);
  pid_ = -1;
  EXPECT_EQ(status, 0);
}

Subject::Subject(int argc, char** argv) {
  REQUIRE(argc >= kFirstArgument);
  handle_.pid = static_cast<uint32_t>(strtoul(argv[3], nullptr, 10));
  handle_.fd = static_cast<int>(strtol(argv[4], nullptr, 10));
  REQUIRE(ObjectId::parse(argv[5], &handle_.store_id));
  for (int i = kFirstArgument; i < argc; ++i) arguments_.emplace_back(argv[i]);
  attach();
}

void Subject::attach() {
  Status status;
  do {
    status = ObjectStore::attach(handle_, &store_);
  } while (status.code() == Code::kStalled);
  REQUIRE_OK(status);
}

void Subject::tell(const std::string& line) { send_line(kSocket, line); }
std::string Subject::hear() { return receive_line(kSocket); }

void Subject::tell_and_linger(const std::string& line) {
  tell(line);
  for (;;) pause();
}

void Subject::begin_operation() {
  ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  raise(SIGSTOP);
}

void Subject::end_operation() { raise(SIGSTOP); }

}  // namespace mobula::test
