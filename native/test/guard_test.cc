#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "test/support.h"

namespace mobula::test {
namespace {

constexpr uint64_t kGuarded = shm::kPageAlignedFrom;

std::unique_ptr<ObjectStore> guarded_store(uint64_t memory = 4 * kMiB) {
  StoreOptions options = store_options(memory, 4096);
  options.guard = true;
  return new_store(options);
}

// How a process fared that did one thing with this one's memory.
struct Fate {
  int status = 0;
  std::string errors;

  bool lived() const { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
  bool died_of_fault() const { return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV; }
};

Fate fate_of(const std::function<void()>& act) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    act();
    _exit(0);
  }
  close(ends[1]);
  Fate fate;
  char bytes[512];
  for (ssize_t length; (length = read(ends[0], bytes, sizeof bytes)) > 0;) {
    fate.errors.append(bytes, static_cast<size_t>(length));
  }
  close(ends[0]);
  REQUIRE(waitpid(child, &fate.status, 0) == child);
  return fate;
}

Fate fate_of_write(const uint8_t* at) {
  return fate_of([at] { *const_cast<volatile uint8_t*>(at) = 1; });
}

// An object filled in place and sealed while its writable memory is still known.
uint8_t* put_exposed(ObjectStore& store, const ObjectId& id, uint64_t size) {
  Writing writing;
  REQUIRE_OK(store.create_object(&id, size, 0, &writing, nullptr));
  fill(id, writing.data, size);
  SealOptions options;
  options.exposed = true;
  REQUIRE_OK(store.seal(writing.ref, options));
  return writing.data;
}

void expect_line(const Fate& fate, const std::string& object, const char* through) {
  EXPECT(fate.died_of_fault());
  EXPECT_EQ(fate.errors, "mobula: a write to " + object + through +
                             ": copy it first, for example with data.slice()\n");
}

std::string sealed(uint32_t id, uint64_t offset, uint64_t size) {
  return "the sealed object " + id_of(id).hex() + " (offset " + std::to_string(offset) + " of " +
         std::to_string(size) + " bytes)";
}

constexpr const char* kView = " through a view, which is read-only";
constexpr const char* kWriter = " through its writer, which is read-only since seal()";

// Where nothing may be read or written, as around WebAssembly's memories.
uint8_t* forbidden_page() {
  static void* const page =
      mmap(nullptr, port::page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return static_cast<uint8_t*>(page);
}

void leave(int) { _exit(42); }
void leave_with_info(int, siginfo_t* info, void*) {
  _exit(info->si_addr == forbidden_page() ? 43 : 1);
}

ROLE(remover) { REQUIRE_OK(self.store().remove(id_of(1))); }

ROLE(lock_holder) {
  REQUIRE_OK(self.store().client()->store_lock().acquire());
  self.tell_and_linger("holding");
}

}  // namespace

TEST("a write through a view ends the process with a line that names the object") {
  auto store = guarded_store();
  for (uint32_t i = 1; i <= 20; ++i) REQUIRE_OK(put(*store, id_of(i), 100 * i));
  for (uint32_t i : {1, 7, 20}) {
    Reading reading;
    REQUIRE_OK(store->get(id_of(i), &reading));
    expect_line(fate_of_write(reading.data), sealed(i, 0, 100 * i), kView);
    expect_line(fate_of_write(reading.data + 99), sealed(i, 99, 100 * i), kView);
  }
}

TEST("of several stores a stray write names the object of the right one") {
  auto first = guarded_store(), closed = guarded_store(), last = guarded_store();
  REQUIRE_OK(put(*first, id_of(1), 100));
  REQUIRE_OK(put(*last, id_of(2), 100));
  Reading of_first, of_last;
  REQUIRE_OK(first->get(id_of(1), &of_first));
  REQUIRE_OK(last->get(id_of(2), &of_last));
  closed.reset();
  expect_line(fate_of_write(of_first.data), sealed(1, 0, 100), kView);
  expect_line(fate_of_write(of_last.data), sealed(2, 0, 100), kView);
}

TEST("a write through the view of an object that is gone says so") {
  auto store = guarded_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  Reading reading;
  REQUIRE_OK(store->get(id_of(1), &reading));
  REQUIRE_OK(store->unpin(reading.ref));
  REQUIRE_OK(store->remove(id_of(1)));
  expect_line(fate_of_write(reading.data), "an object that is gone", kView);
}

TEST("damaged tables cost the line its object, no more") {
  auto store = guarded_store();
  REQUIRE_OK(put(*store, id_of(1), 100));
  Reading reading;
  REQUIRE_OK(store->get(id_of(1), &reading));
  const shm::Segment& segment = store->client()->segment();
  auto& header = *reinterpret_cast<shm::Header*>(segment.base());
  shm::Table& blocks = segment.store().blocks;
  shm::Table& entries = segment.store().entries;
  shm::Block& block = segment.block(segment.entry(reading.ref.entry).block);
  std::vector<std::function<void()>> damages = {
      [&] { blocks.offset = ~uint64_t{0}; },
      [&] { blocks.offset = segment.size(); },
      [&] { blocks.used = 0; },
      [&] { entries.offset = ~uint64_t{7}; },
      [&] { block.owner = shm::kNone; },
      [&] { block.owner = 1000; },
      [&] { block.start = ~uint64_t{0}; },
      [&] { header.store_offset = ~uint64_t{0}; },
      [&] { header.data_offset = segment.size(); },
  };
  for (const auto& damage : damages) {
    Fate fate = fate_of([&] {
      int flags = MAP_FIXED | MAP_PRIVATE;  // what is damaged is this process's own copy
      mmap(segment.base(), segment.size(), PROT_READ | PROT_WRITE, flags, segment.fd(), 0);
      damage();
      *const_cast<volatile uint8_t*>(reading.data) = 1;
    });
    expect_line(fate, "an object that is gone", kView);
  }
}

TEST("a write after seal to what a writer had ends the process with a line that says so") {
  auto store = guarded_store();
  uint64_t size = kGuarded + 100;
  uint8_t* data = put_exposed(*store, id_of(1), size);
  expect_line(fate_of_write(data), sealed(1, 0, size), kWriter);
  expect_line(fate_of_write(data + kGuarded - 1), sealed(1, kGuarded - 1, size), kWriter);
  EXPECT(is_intact(*store, id_of(1)));
}

TEST("what shares a sealed object's last page can be written") {
  auto store = guarded_store();
  ObjectId before = id_of(1), beside = id_of(2);
  Writing large, small;
  REQUIRE_OK(store->create_object(&before, kGuarded + 100, 0, &large, nullptr));
  REQUIRE_OK(store->create_object(&beside, 100, 0, &small, nullptr));
  EXPECT(small.data == large.data + kGuarded + 128);
  fill(before, large.data, large.size);
  SealOptions options;
  options.exposed = true;
  REQUIRE_OK(store->seal(large.ref, options));
  fill(beside, small.data, small.size);
  REQUIRE_OK(store->seal(small.ref, options));
  REQUIRE_OK(put(*store, id_of(3), 100));
  for (uint32_t i = 1; i <= 3; ++i) EXPECT(is_intact(*store, id_of(i)));
  EXPECT(fate_of_write(large.data).died_of_fault());
}

TEST("cold memory beside a sealed object's read-only pages can be committed and written") {
  auto store = guarded_store(8 * kMiB);
  put_exposed(*store, id_of(1), kGuarded);
  for (uint32_t i = 2; i <= 4; ++i) REQUIRE_OK(put(*store, id_of(i), i * shm::kChunk));
  put_exposed(*store, id_of(5), 2 * kMiB);
  for (uint32_t i = 1; i <= 5; ++i) EXPECT(is_intact(*store, id_of(i)));
}

TEST("only objects with a writer about are made read-only, and only with guard") {
  auto store = guarded_store();
  Writing writing;
  ObjectId id = id_of(1);
  REQUIRE_OK(store->create_object(&id, kGuarded, 0, &writing, nullptr));
  REQUIRE_OK(store->seal(writing.ref, {}));
  EXPECT(fate_of_write(writing.data).lived());

  StoreOptions unguarded = store_options();
  unguarded.guard = false;
  auto open = new_store(unguarded);
  EXPECT(fate_of_write(put_exposed(*open, id_of(1), kGuarded)).lived());
  Reading reading;
  REQUIRE_OK(open->get(id_of(1), &reading));
  EXPECT(fate_of_write(reading.data).lived());
}

TEST("memory of removed objects can be written again, whatever takes it") {
  auto store = guarded_store(kMiB);
  for (uint32_t round = 0; round < 50; ++round) {
    std::vector<uint32_t> ids;
    for (uint32_t i = 0; i < 6; ++i) ids.push_back(100 * round + i + 1);
    put_exposed(*store, id_of(ids[0]), kGuarded + 64 * round);
    put_exposed(*store, id_of(ids[1]), 3 * kGuarded);
    REQUIRE_OK(put(*store, id_of(ids[2]), 2 * kGuarded + round));
    put_exposed(*store, id_of(ids[3]), kGuarded + 4095);
    REQUIRE_OK(put(*store, id_of(ids[4]), 5000 + round));
    put_exposed(*store, id_of(ids[5]), 100);
    for (uint32_t id : ids) {
      EXPECT(is_intact(*store, id_of(id)));
      if (id % 5 != round % 5) REQUIRE_OK(store->remove(id_of(id)));
    }
  }
  expect_sound(*store);
}

TEST("memory that another process has freed can be written again") {
  auto store = guarded_store(kGuarded);
  put_exposed(*store, id_of(1), kGuarded);
  Process remover("remover", store->handle());
  remover.finish();
  for (uint32_t i = 0; i < 4; ++i) REQUIRE_OK(put(*store, id_of(10 + i), kGuarded / 4));
  for (uint32_t i = 0; i < 4; ++i) EXPECT(is_intact(*store, id_of(10 + i)));
}

TEST("an object removed while it is written leaves memory that can be written again") {
  auto store = guarded_store(kGuarded);
  for (int round = 0; round < 10; ++round) {
    ObjectId id = id_of(1);
    Writing writing;
    REQUIRE_OK(store->create_object(&id, kGuarded, 0, &writing, nullptr));
    REQUIRE_OK(store->remove(id));
    SealOptions options;
    options.exposed = true;
    REQUIRE_OK(store->seal(writing.ref, options));
    EXPECT_CODE(store->seal(writing.ref, options), kNotFound);
    REQUIRE_OK(put(*store, id_of(2), kGuarded));
    EXPECT(is_intact(*store, id_of(2)));
    REQUIRE_OK(store->remove(id_of(2)));
  }
}

TEST("memory of an aborted object can be written again") {
  auto store = guarded_store(2 * kGuarded);
  put_exposed(*store, id_of(1), kGuarded);
  REQUIRE_OK(store->remove(id_of(1)));
  for (int round = 0; round < 10; ++round) {
    ObjectId id = id_of(2);
    Writing writing;
    REQUIRE_OK(store->create_object(&id, 2 * kGuarded, 0, &writing, nullptr));
    fill(id, writing.data, writing.size);
    REQUIRE_OK(store->abort(writing.ref));
  }
  put_exposed(*store, id_of(3), 2 * kGuarded);
  EXPECT(is_intact(*store, id_of(3)));
}

TEST("an object that could not be sealed can still be written") {
  auto store = guarded_store();
  ObjectId id = id_of(1);
  Writing writing;
  REQUIRE_OK(store->create_object(&id, kGuarded, 0, &writing, nullptr));
  Process holder("lock_holder", store->handle());
  EXPECT_EQ(holder.hear(), "holding");
  kill(holder.pid(), SIGSTOP);
  SealOptions options;
  options.exposed = true;
  EXPECT_CODE(store->seal(writing.ref, options), kStalled);
  holder.kill();
  fill(id, writing.data, kGuarded);
  REQUIRE_OK(store->seal(writing.ref, options));
  EXPECT(is_intact(*store, id));
}

TEST("threads that use memory as soon as another has sealed it never find it read-only") {
  auto store = guarded_store(4 * kGuarded);
  std::vector<std::thread> threads;
  for (uint32_t thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&store, thread] {
      for (uint32_t i = 0; i < 3000; ++i) {
        ObjectId id = id_of(10'000 * thread + i + 1);
        put_exposed(*store, id, kGuarded);
        EXPECT(is_intact(*store, id) || !contains(*store, id));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  expect_sound(*store);
}

TEST("of more objects than the guard keeps ranges for, the newest are read-only") {
  constexpr uint32_t kObjects = store::Guard::kMaxRanges + 1;
  auto store = guarded_store(kObjects * 2 * kGuarded);
  std::vector<uint8_t*> written;
  for (uint32_t i = 1; i <= kObjects; ++i) {
    written.push_back(put_exposed(*store, id_of(i), kGuarded));
    REQUIRE_OK(put(*store, id_of(10'000 + i), kGuarded));  // keeps the ranges apart
  }
  EXPECT(fate_of_write(written[0]).lived());
  EXPECT(fate_of_write(written[1]).died_of_fault());
  EXPECT(fate_of_write(written.back()).died_of_fault());
}

#if !defined(__SANITIZE_THREAD__)  // its runtime cannot do without mappings
TEST("a process with no mappings left goes without the guard, and all memory can be written") {
  auto store = guarded_store();
  for (uint32_t i = 1; i <= 9; ++i) put_exposed(*store, id_of(i), kGuarded);
  uint64_t page = port::page_size();
  uint64_t length = (1 << 22) * page;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* many = mmap(nullptr, length, PROT_READ, flags, -1, 0);
  REQUIRE(many != MAP_FAILED);
  auto* next = static_cast<uint8_t*>(many);
  auto* end = next + length;
  while (next < end && port::protect(next, page, true) == 0) next += 2 * page;
  REQUIRE(next < end);

  REQUIRE_OK(store->remove(id_of(5)));
  REQUIRE_OK(put(*store, id_of(5), kGuarded));
  EXPECT(is_intact(*store, id_of(5)));
  uint8_t* data = put_exposed(*store, id_of(10), kGuarded);
  EXPECT(fate_of_write(data).lived());

  munmap(many, length);
  data = put_exposed(*store, id_of(11), kGuarded);
  EXPECT(fate_of_write(data).died_of_fault());
}
#endif

TEST("a fault elsewhere reaches the handler that was there before the first store") {
  struct sigaction plain = {}, informed = {};
  plain.sa_handler = leave;
  informed.sa_sigaction = leave_with_info;
  informed.sa_flags = SA_SIGINFO;
  for (const struct sigaction& action : {plain, informed}) {
    sigaction(SIGSEGV, &action, nullptr);
    Fate fate = fate_of([] {
      auto store = guarded_store();
      *static_cast<volatile uint8_t*>(forbidden_page()) = 1;
    });
    EXPECT(WIFEXITED(fate.status));
    EXPECT_EQ(WEXITSTATUS(fate.status), (action.sa_flags & SA_SIGINFO) != 0 ? 43 : 42);
  }
}

TEST("a fault elsewhere that nobody handles ends the process as ever, with no line") {
  signal(SIGSEGV, SIG_DFL);  // the sanitizers have a handler of their own
  auto store = guarded_store();
  for (const Fate& fate : {fate_of_write(forbidden_page()), fate_of([] { raise(SIGSEGV); })}) {
    EXPECT(fate.died_of_fault());
    EXPECT_EQ(fate.errors, "");
  }
}

}  // namespace mobula::test
