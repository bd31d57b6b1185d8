// Processes and threads that work at random on one store with far too little memory, while they are
// killed, stopped and replaced.

#include "test/chaos.h"

#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "port/port.h"
#include "test/fail_points.h"

namespace mobula::test {
namespace {

constexpr uint32_t kProcesses = 4;  // this one is a fifth, which is never killed
constexpr uint32_t kThreads = 2;
constexpr uint64_t kBlockedAfterMs = 20'000;
constexpr uint64_t kLongestLifeMs = 2000;
constexpr uint64_t kLongestStopMs = 2000;  // others report a holder that is stopped for a second
constexpr uint64_t kRoundMs = 5000;

uint64_t duration_ms() {
  if (const char* text = getenv("MOBULA_CHAOS_SECONDS")) return strtoull(text, nullptr, 10) * 1000;
  return long_run() ? 600'000 : 5000;
}

struct Row {
  Seat seats[kThreads];
};

// Memory that the processes of the test share besides the store.
class Board {
 public:
  static constexpr uint64_t kSize = sizeof(Row) * (kProcesses + 1);

  Board() {
    REQUIRE(port::memory_file_create("chaos", kSize, &fd_) == 0);
    map();
  }
  Board(uint32_t pid, int remote_fd) {
    REQUIRE(port::process_file_open(pid, remote_fd, &fd_) == 0);
    map();
  }
  ~Board() {
    port::unmap(rows_, kSize);
    port::file_close(fd_);
  }

  int fd() const { return fd_; }
  Row& row(uint32_t number) { return rows_[number]; }

 private:
  void map() {
    rows_ = static_cast<Row*>(port::map_shared(fd_, kSize, true));
    REQUIRE(rows_ != nullptr);
  }

  int fd_ = -1;
  Row* rows_ = nullptr;
};

// --- A worker's end by its own hand -----------------------------------------------------------

struct Fate {
  port::FailPoint at;
  std::atomic<int64_t> visits;
  int signal;
  Seat* seat;
};
Fate fate;

void meet_fate(port::FailPoint point, const void*) {
  if (point != fate.at || --fate.visits != 0) return;
  if (fate.signal == SIGKILL) fate.seat->died_at = 1 + static_cast<uint32_t>(point);
  raise(fate.signal);
}

void choose_fate(std::mt19937_64& random, Seat& seat) {
  bool stops = random() % 8 == 0;
  fate.signal = stops ? SIGSTOP : SIGKILL;
  fate.at = stops ? port::FailPoint::kCommitting
                  : static_cast<port::FailPoint>(random() % port::kFailPoints);
  bool rare = fate.at == port::FailPoint::kPagesCommitted;
  fate.visits = rare ? 1 : static_cast<int64_t>(1 + random() % (uint64_t{1} << random() % 10));
  fate.seat = &seat;
  at_fail_points(meet_fate);
}

class Threads {
 public:
  Threads(ObjectStore& store, Row& row, uint64_t seed) {
    for (uint32_t i = 0; i < kThreads; ++i) {
      threads_.emplace_back([this, &store, &row, seed, i] {
        ChaosThread chaos(store, seed + i, row.seats[i]);
        while (!stop_) chaos.step();
        if (let_go_) chaos.let_go();
      });
    }
  }
  void stop(bool let_go) {
    let_go_ = let_go;
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> stop_{false}, let_go_{false};
  std::vector<std::thread> threads_;
};

// Ends by its fate, by a signal, or after a while: with all that it holds, or having detached, or
// having attached again.
ROLE(chaos_worker) {
  Board board(static_cast<uint32_t>(std::stoul(self.argument(0))), std::stoi(self.argument(1)));
  Row& row = board.row(static_cast<uint32_t>(std::stoul(self.argument(2))));
  uint64_t seed = std::stoull(self.argument(3));
  std::mt19937_64 random(seed);
  choose_fate(random, row.seats[0]);
  while (random() % 2 == 0) {
    self.detach();
    self.attach();
  }
  Threads threads(self.store(), row, seed);
  poll(nullptr, 0, static_cast<int>(random() % kLongestLifeMs));
  if (random() % 2 == 0) finish();
  threads.stop(random() % 2 == 0);
  self.detach();
  poll(nullptr, 0, static_cast<int>(random() % 20));
}

// --- The conductor ----------------------------------------------------------------------------

struct Tally {
  uint64_t started = 0, killed = 0, stopped = 0;
  uint64_t steps = 0, stalled = 0, evictions = 0, recoveries = 0;
  uint64_t died_at[port::kFailPoints] = {};
};

// One worker after the other in the same row.
class Place {
 public:
  Place(const StoreHandle& store, Board& board, uint32_t number, Tally& tally)
      : store_(store), board_(board), row_(board.row(number)), number_(number), tally_(tally) {}

  void start(uint64_t seed) {
    row_.seats[0].died_at = 0;
    std::vector<std::string> arguments = {std::to_string(port::process_id()),
                                          std::to_string(board_.fd()), std::to_string(number_),
                                          std::to_string(seed)};
    worker_ = std::make_unique<Process>("chaos_worker", store_, arguments);
    resume_at_ = 0;
    ++tally_.started;
    watch_from_now();
  }

  void kill() {
    worker_->kill();
    ++tally_.killed;
  }
  void stop() { ::kill(worker_->pid(), SIGSTOP); }

  // Sees what has become of the worker. False once it has ended.
  bool look(uint64_t stop_for_ms) {
    uint64_t now = port::monotonic_ms();
    int status = 0;
    if (worker_->pid() < 0) return false;
    if (worker_->has_changed(&status)) {
      if (!WIFSTOPPED(status)) return ended(status);
      resume_at_ = now + stop_for_ms;
      ++tally_.stopped;
    }
    if (resume_at_ != 0 && now >= resume_at_) {
      ::kill(worker_->pid(), SIGCONT);
      resume_at_ = 0;
      watch_from_now();
    }
    if (resume_at_ == 0) expect_progress(now);
    return true;
  }

 private:
  bool ended(int status) {
    bool by_fate = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    uint32_t died_at = row_.seats[0].died_at;
    if (by_fate && died_at > 0) ++tally_.died_at[died_at - 1];
    if (!by_fate) EXPECT_EQ(status, 0);
    return false;
  }

  void watch_from_now() {
    for (uint32_t i = 0; i < kThreads; ++i) seen_[i] = {row_.seats[i].steps, port::monotonic_ms()};
  }

  void expect_progress(uint64_t now) {
    for (uint32_t i = 0; i < kThreads; ++i) {
      const Seat& seat = row_.seats[i];
      if (seat.steps != seen_[i].steps) seen_[i] = {seat.steps, now};
      if (now < seen_[i].since + kBlockedAfterMs) continue;
      fail(__FILE__, __LINE__, std::string("a thread is blocked while ") + name_of(seat.step));
      finish();
    }
  }

  struct Seen {
    uint64_t steps;
    uint64_t since;
  };

  const StoreHandle store_;
  Board& board_;
  Row& row_;
  const uint32_t number_;
  Tally& tally_;
  std::unique_ptr<Process> worker_;
  uint64_t resume_at_ = 0;
  Seen seen_[kThreads] = {};
};

void conduct(ObjectStore& store, Board& board, std::mt19937_64& random, Tally& tally,
             uint64_t end) {
  std::vector<std::unique_ptr<Place>> places;
  for (uint32_t i = 0; i < kProcesses; ++i) {
    places.push_back(std::make_unique<Place>(store.handle(), board, i, tally));
    places.back()->start(random());
  }
  while (port::monotonic_ms() < end) {
    poll(nullptr, 0, static_cast<int>(random() % 30));
    bool long_stop = random() % 2 == 0;
    uint64_t stop_for_ms = random() % (long_stop ? kLongestStopMs : 300);
    for (auto& place : places) {
      if (!place->look(stop_for_ms)) place->start(random());
    }
    Place& chosen = *places[random() % places.size()];
    if (!chosen.look(stop_for_ms)) continue;
    uint64_t action = random() % 60;
    if (action == 0) chosen.stop();
    if (action == 1 || action == 2) chosen.kill();
  }
}

// --- What must be left --------------------------------------------------------------------------

size_t open_files() {
  size_t count = 0;
  DIR* directory = opendir("/proc/self/fd");
  REQUIRE(directory != nullptr);
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

size_t mappings_of_stores() {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  size_t count = 0;
  while (std::getline(maps, line)) count += line.find("mobula-") != std::string::npos;
  return count;
}

void expect_nothing_leaked(ObjectStore& store) {
  reap_all(store);
  EXPECT(
      eventually([&] { return stats_of(store).unsealed + stats_of(store).pinned_objects == 0; }));
  expect_sound(store);
  for (const ObjectInfo& info : list(store)) EXPECT(is_intact(store, info.id));
  uint64_t freed = 0, memory = stats_of(store).memory;
  REQUIRE_OK(store.evict(memory, &freed, nullptr));
  expect_sound(store);
  EXPECT_EQ(stats_of(store).used_bytes, 0u);
  const shm::StoreState& state = store.client()->segment().store();
  EXPECT_EQ(state.entries.used - state.entries.free_count, 0u);
  EXPECT_EQ(state.edges.used - state.edges.free_count, 0u);
  EXPECT_CODE(put(store, id_of(1), memory), kOk);
  EXPECT(is_intact(store, id_of(1)));
  expect_sound(store);
}

StoreOptions any_options(std::mt19937_64& random) {
  StoreOptions options = store_options(kMiB << random() % 7, random() % 2 == 0 ? 64 : 20'000);
  options.eviction = random() % 2 == 0 ? EvictionPolicy::kClru : EvictionPolicy::kUnreferenced;
  if (random() % 2 == 0) options.name = "test-chaos-" + std::to_string(getpid());
  return options;
}

void run_round(std::mt19937_64& random, Tally& tally, uint64_t end) {
  StoreOptions options = any_options(random);
  auto store = new_store(options);
  if (!options.name.empty()) REQUIRE_OK(ObjectStore::unlink(options.name));
  Board board;

  Threads survivor(*store, board.row(kProcesses), random());
  conduct(*store, board, random, tally, end);
  survivor.stop(true);

  for (uint32_t i = 0; i <= kProcesses; ++i) {
    for (const Seat& seat : board.row(i).seats) {
      tally.steps += seat.steps;
      tally.stalled += seat.stalled;
    }
  }
  tally.evictions += stats_of(*store).evictions;
  tally.recoveries += stats_of(*store).recoveries;
  expect_nothing_leaked(*store);
}

void print(const Tally& tally) {
  printf("  %" PRIu64 " steps, %" PRIu64 " of them found the lock's holder stopped; %" PRIu64
         " evictions, %" PRIu64 " recoveries\n",
         tally.steps, tally.stalled, tally.evictions, tally.recoveries);
  printf("  %" PRIu64 " processes, %" PRIu64 " killed, stopped %" PRIu64 " times; killed at",
         tally.started, tally.killed, tally.stopped);
  for (uint32_t i = 0; i < port::kFailPoints; ++i) {
    printf("%s '%s' %" PRIu64, i == 0 ? "" : ",", name_of(static_cast<port::FailPoint>(i)),
           tally.died_at[i]);
  }
  printf("\n");
}

}  // namespace

TEST("chaos leaves sound stores, leaks nothing and blocks nobody") {
  std::mt19937_64 random(seed());
  Tally tally;
  uint64_t start = port::monotonic_ms(), end = start + duration_ms();
  uint64_t round = std::min(kRoundMs, duration_ms() / 2);
  size_t files = open_files();
  for (uint64_t next = start + round; next <= end; next += round) {
    run_round(random, tally, next);
    EXPECT(eventually([&] { return open_files() == files && mappings_of_stores() == 0; }));
  }
  print(tally);
}

}  // namespace mobula::test
