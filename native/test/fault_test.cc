// What the system can do to a process besides killing it at some instruction: stop it, replace its
// program, leave it a zombie, give its pid away, put it into another container, run out of memory.

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "port/port.h"
#include "test/support.h"

namespace mobula::test {
namespace {

// A word that the store lock protects and that nobody uses.
uint64_t& spare_word(ObjectStore& store) {
  return store.client()->segment().store().lock.reserved2[0];
}

// Stops itself in the midst of a transaction, and ends it when it is continued.
ROLE(stopping_holder) {
  shm::Lock& lock = self.store().client()->store_lock();
  self.tell("holding");
  {
    shm::LockGuard guard(lock);
    lock.set(spare_word(self.store()), 1);
    raise(SIGSTOP);
    lock.set(spare_word(self.store()), 2);
  }
  self.tell("done");
  self.hear();
}

void hold(ObjectStore& store) {
  Reading reading;
  Writing writing;
  EntryRef ref;
  REQUIRE_OK(store.get(id_of(1), &reading));
  REQUIRE_OK(store.promise(id_of(2), &ref));
  REQUIRE_OK(store.create_object(nullptr, 500, 0, &writing, nullptr));
}

ROLE(holder) {
  hold(self.store());
  self.tell_and_linger("holding");
}

ROLE(executor) {
  hold(self.store());
  self.tell("holding");
  self.hear();
  execl("/bin/sleep", "sleep", "100", nullptr);
}

// pthread_exit() would unwind the stack, and with it let go of the store.
ROLE(holder_without_its_first_thread) {
  hold(self.store());
  std::thread([&] { self.tell_and_linger("holding"); }).detach();
  syscall(SYS_exit, 0);
}

bool holds_nothing(ObjectStore& store) {
  StoreStats stats = stats_of(store);
  return stats.clients == 1 && stats.pinned_objects == 0 && stats.unsealed == 0;
}

void expect_holding(Process& process) { EXPECT_EQ(process.hear(), "holding"); }

shm::ClientSlot& slot_of(ObjectStore& store, pid_t pid) {
  for (uint32_t i = 0; i < shm::kMaxClients; ++i) {
    shm::ClientSlot& slot = store.client()->segment().client(i);
    if (slot.pid == static_cast<uint32_t>(pid)) return slot;
  }
  REQUIRE(false);
  return store.client()->segment().client(0);
}

shm::Header& header_of(ObjectStore& store) {
  return *reinterpret_cast<shm::Header*>(store.client()->segment().base());
}

// As another process would map the store.
Status map_again(ObjectStore& store) {
  StoreHandle handle = store.handle();
  std::unique_ptr<shm::Segment> segment;
  return shm::Segment::open_remote(handle.pid, handle.fd, handle.store_id, &segment);
}

void expect_refused(ObjectStore& store, const char* reason) {
  Status status = map_again(store);
  EXPECT_CODE(status, kIncompatible);
  EXPECT(status.message().find(reason) != std::string::npos);
}

}  // namespace

TEST("a stopped lock holder is named, and what it was doing is finished when it goes on") {
  auto store = new_store();
  Process holder("stopping_holder", store->handle());
  expect_holding(holder);
  StoreStats stats;
  EXPECT(eventually([&] { return store->stats(&stats).code() == Code::kStalled; }));
  EXPECT(store->stats(&stats).message().find(std::to_string(holder.pid())) != std::string::npos);
  kill(holder.pid(), SIGCONT);
  EXPECT_EQ(holder.hear(), "done");
  EXPECT_EQ(spare_word(*store), 2u);
  EXPECT_EQ(stats_of(*store).recoveries, 0u);
  expect_sound(*store);
}

TEST("a stopped lock holder that is killed is undone") {
  auto store = new_store();
  Process holder("stopping_holder", store->handle());
  expect_holding(holder);
  StoreStats stats;
  EXPECT(eventually([&] { return store->stats(&stats).code() == Code::kStalled; }));
  holder.kill();
  EXPECT_EQ(stats_of(*store).recoveries, 1u);
  EXPECT_EQ(spare_word(*store), 0u);
  reap_all(*store);
  expect_sound(*store);
}

TEST("what is given back while the lock's holder is stopped is given back when it goes on") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  Reading reading;
  REQUIRE_OK(store->get(id_of(1), &reading));
  ObjectId id = id_of(2);
  Writing writing;
  EntryRef ref;
  REQUIRE_OK(store->create_object(&id, 100, 0, &writing, nullptr));
  REQUIRE_OK(store->promise(id_of(3), &ref));
  Process holder("stopping_holder", store->handle());
  expect_holding(holder);
  StoreStats stats;
  EXPECT(eventually([&] { return store->stats(&stats).code() == Code::kStalled; }));
  EXPECT_CODE(store->unpin(reading.ref), kOk);
  EXPECT_CODE(store->abort(writing.ref), kOk);
  EXPECT_CODE(store->drop_ref(ref), kOk);
  kill(holder.pid(), SIGCONT);
  EXPECT(eventually([&] {
    return stats_of(*store).pinned_objects + stats_of(*store).unsealed == 0 &&
           availability(*store, id_of(3)) == Availability::kAbsent;
  }));
  expect_sound(*store);
}

// More than the runner's patience, if each were to wait a second.
TEST("thousands of holds are given back while the lock's holder is stopped") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  std::vector<EntryRef> pins(2000);
  for (EntryRef& pin : pins) REQUIRE_OK(store->pin(id_of(1), &pin));
  Process holder("stopping_holder", store->handle());
  expect_holding(holder);
  for (const EntryRef& pin : pins) EXPECT_CODE(store->unpin(pin), kOk);
  kill(holder.pid(), SIGCONT);
  EXPECT(eventually([&] { return stats_of(*store).pinned_objects == 0; }));
  expect_sound(*store);
}

TEST("a process that executes another program gives back what it held") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  Process other("executor", store->handle());
  expect_holding(other);
  EXPECT_EQ(stats_of(*store).pinned_objects, 1u);
  other.tell("go");
  EXPECT(eventually([&] { return holds_nothing(*store); }));
  EXPECT(kill(other.pid(), 0) == 0);
  expect_sound(*store);
}

TEST("a killed process that nobody has waited for gives back what it held") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  Process other("holder", store->handle());
  expect_holding(other);
  kill(other.pid(), SIGKILL);
  EXPECT(eventually([&] { return holds_nothing(*store); }));
  siginfo_t info{};
  EXPECT_EQ(waitid(P_PID, static_cast<id_t>(other.pid()), &info, WEXITED | WNOHANG | WNOWAIT), 0);
  EXPECT_EQ(info.si_pid, other.pid());
  expect_sound(*store);
}

TEST("a process whose first thread has ended keeps what it holds") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  Process other("holder_without_its_first_thread", store->handle());
  expect_holding(other);
  store->reap();
  EXPECT_EQ(stats_of(*store).pinned_objects, 1u);
  EXPECT_EQ(stats_of(*store).unsealed, 1u);
  other.kill();
  EXPECT(eventually([&] { return holds_nothing(*store); }));
}

TEST("a dead process is not taken for another that has its pid now") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  Process other("holder", store->handle());
  expect_holding(other);
  // This process lives and maps the store, but has not started when that one did.
  shm::ClientSlot& slot = slot_of(*store, other.pid());
  port::store_word(slot.start_time, port::process_start_time(port::process_id()) - 1);
  port::store_word(slot.pid, port::process_id());
  other.kill();
  EXPECT(eventually([&] { return holds_nothing(*store); }));
  expect_sound(*store);
}

TEST("a process whose keeper has ended keeps what it holds as long as it maps the store") {
  auto store = new_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  Process other("holder", store->handle());
  expect_holding(other);
  shm::ClientSlot& slot = slot_of(*store, other.pid());
  port::store_word(slot.start_time, port::process_start_time(port::process_id()));
  port::store_word(slot.pid, port::process_id());
  other.kill();
  store->reap();
  EXPECT_EQ(stats_of(*store).pinned_objects, 1u);
  port::store_word(slot.start_time, slot.start_time - 1);
  EXPECT(eventually([&] { return holds_nothing(*store); }));
  expect_sound(*store);
}

TEST("a segment of another build, C library or pid namespace is refused with the reason") {
  auto store = new_store();
  shm::Header& header = header_of(*store);
  const shm::Header original = header;
  header.abi_version += 1;
  expect_refused(*store, "another build");
  header = original;
  header.layout_hash ^= 1;
  expect_refused(*store, "another build");
  header = original;
  strcpy(header.libc, "other");
  expect_refused(*store, "C library");
  header = original;
  header.pid_namespace += 1;
  expect_refused(*store, "pid namespace");
  header = original;
  EXPECT_CODE(map_again(*store), kOk);
}

// Where the system permits no new namespace, the test above is all there is.
TEST("a process in another pid namespace attaches to nothing") {
  StoreOptions options = store_options();
  options.name = "test-namespace-" + std::to_string(getpid());
  auto store = new_store(options);
  bool permitted = unshare(CLONE_NEWPID) == 0;
  if (!permitted) ++header_of(*store).pid_namespace;
  pid_t child = fork();
  if (child == 0) {
    std::unique_ptr<shm::Segment> segment;
    EXPECT_CODE(shm::Segment::open_named(options.name, &segment), kIncompatible);
    finish();
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_CODE(ObjectStore::unlink(options.name), kOk);
}

// Gives this process a shared-memory mount of 8 MiB. False where that is not permitted.
bool mount_8_mib() {
  return (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("tmpfs", "/dev/shm", "tmpfs", 0, "size=8m") == 0;
}

// From now on files of this process do not grow: the other way to run out.
void forbid_growth() {
  rlimit limit{0, 0};
  signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

TEST("shared memory that runs out is a full store that names the mount, and the store goes on") {
  bool mounted = mount_8_mib();
  StoreOptions options = store_options(64 * kMiB);
  options.name = "test-full-" + std::to_string(getpid());
  auto store = new_store(options);
  EXPECT_CODE(ObjectStore::unlink(options.name), kOk);
  REQUIRE_OK(put(*store, id_of(0), 100 * kKiB));
  if (!mounted) forbid_growth();
  for (uint64_t size : {kMiB, 10 * kKiB}) {
    Status status;
    for (uint32_t i = 1; i <= 200 && status.is_ok(); ++i) {
      status = put(*store, id_of(static_cast<uint32_t>(size) + i), size);
    }
    EXPECT_CODE(status, kFull);
    EXPECT(status.message().find("/dev/shm") != std::string::npos);
  }
  EXPECT_EQ(stats_of(*store).unsealed, 0u);
  EXPECT_EQ(stats_of(*store).evictions, 0u);
  EXPECT(is_intact(*store, id_of(0)));
  REQUIRE_OK(store->remove(id_of(0)));
  EXPECT_CODE(put(*store, id_of(0), 100 * kKiB), kOk);
  EXPECT(is_intact(*store, id_of(0)));
  expect_sound(*store);
}

// Needs a mount: a limit on files is not to be seen beforehand.
TEST("what the mount has no memory for is refused before anything is evicted for it") {
  if (!mount_8_mib()) return;
  StoreOptions options = store_options(7 * kMiB);
  options.name = "test-mount-" + std::to_string(getpid());
  auto store = new_store(options);
  EXPECT_CODE(ObjectStore::unlink(options.name), kOk);
  for (uint32_t i = 0; i < 4; ++i) REQUIRE_OK(put(*store, id_of(i), kMiB));
  int junk = -1;
  REQUIRE(port::named_file_create("test-junk", 8 * kMiB, &junk) == 0);
  for (uint64_t at = 0; port::file_commit(junk, at, 64 * kKiB) == 0;) at += 64 * kKiB;
  EXPECT_CODE(put(*store, id_of(9), 6 * kMiB), kFull);
  EXPECT_EQ(stats_of(*store).evictions, 0u);
  EXPECT_EQ(stats_of(*store).sealed, 4u);
  expect_sound(*store);
}

}  // namespace mobula::test
