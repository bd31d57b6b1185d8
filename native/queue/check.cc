#include "queue/check.h"

#include <algorithm>
#include <bit>
#include <initializer_list>

#include "queue/records.h"
#include "queue/task_heap.h"

namespace mobula::queue {

using shm::ActorSlot;
using shm::ActorState;
using shm::Cell;
using shm::kCpu;
using shm::kGpu;
using shm::kNone;
using shm::kWhole;
using shm::List;
using shm::PeerSlot;
using shm::PeerState;
using shm::QueueState;
using shm::RecordKind;
using shm::Resource;
using shm::Shape;
using shm::Table;

namespace {

class Checker {
 public:
  explicit Checker(const shm::Segment& segment)
      : segment_(segment), state_(segment.queue()), cell_uses_(state_.cells.used, 0) {}

  std::vector<std::string> run() {
    expect(state_.lock.count == 0, "the undo log is not empty");
    walk_shapes();
    walk_peers();
    walk_idle();
    walk_actors();
    walk_free_cells();
    compare_resources();
    compare_arguments();
    count_tasks();
    for (uint32_t i = 0; i < state_.cells.used; ++i) {
      expect(cell_uses_[i] == 1, "cell " + std::to_string(i) + " is in use " +
                                     std::to_string(cell_uses_[i]) + " times");
    }
    return std::move(problems_);
  }

 private:
  void expect(bool holds, const std::string& problem) {
    if (!holds && problems_.size() < 100) problems_.push_back(problem);
  }

  void walk_shapes() {
    bool are_shapes = state_.shapes_used <= shm::kMaxShapes;
    expect(are_shapes, "there are more shapes than can be");
    for (uint32_t i = 0; are_shapes && i < state_.shapes_used; ++i) {
      const Shape& shape = state_.shapes[i];
      std::string name = "shape " + std::to_string(i);
      walk_list(shape.queue, name, {RecordKind::kTask}, kNone);
      walk_heap(shape, name);
      tasks_ += shape.queue.count + uint64_t{shape.heap_count};
      bool is_kind = shape.kind < shm::kWorkerKinds;
      expect(is_kind, name + " is for an unknown kind of worker");
      bool has_tasks = shape.queue.count + shape.heap_count > 0;
      expect(!is_kind || shm::test_bit(state_.nonempty[shape.kind], i) == has_tasks,
             name + " has tasks and is empty, or has none and is not");
    }
    uint32_t bits = 0, shapes = 0;
    for (auto& words : state_.nonempty) {
      for (uint64_t word : words) bits += static_cast<uint32_t>(std::popcount(word));
    }
    for (uint32_t i = 0; are_shapes && i < state_.shapes_used; ++i) {
      shapes += state_.shapes[i].queue.count + state_.shapes[i].heap_count > 0;
    }
    expect(bits == shapes, "a shape that is not, or of another kind, counts as having tasks");
  }

  void walk_heap(const Shape& shape, const std::string& name) {
    std::vector<uint32_t> left;
    if (shape.heap != kNone) left.push_back(shape.heap);
    expect(shape.heap == kNone || !exists(shape.heap) || segment_.cell(shape.heap).prev == kNone,
           name + " has a heap whose root has a parent");
    uint32_t count = 0;
    for (; !left.empty() && count <= state_.cells.used; ++count) {
      uint32_t task = left.back();
      left.pop_back();
      if (!valid(state_.cells, task, "cell in a heap")) return;
      const Cell& cell = segment_.cell(task);
      expect(cell.kind == RecordKind::kTask && cell.holder == kNone && priority_of(cell) != 0,
             name + " has a record in its heap that does not belong there");
      walk_record(task, name);
      for (uint32_t child : {cell.next, cell.right}) {
        if (child == kNone || !valid(state_.cells, child, "child in a heap")) continue;
        const Cell& below = segment_.cell(child);
        expect(below.prev == task && goes_before(cell, below), name + " has a heap in disorder");
        left.push_back(child);
      }
      uint32_t right = rank_of(cell.right);
      expect(cell.rank == right + 1 && right <= rank_of(cell.next),
             name + " has a heap that leans to the wrong side");
    }
    expect(count == shape.heap_count, "the heap of " + name + " is miscounted");
  }

  uint32_t rank_of(uint32_t task) const { return exists(task) ? segment_.cell(task).rank : 0; }
  bool exists(uint32_t cell) const { return cell < state_.cells.used; }

  void walk_idle() {
    for (uint32_t kind = 0; kind < shm::kWorkerKinds; ++kind) {
      std::string name = "kind " + std::to_string(kind);
      uint32_t summoned = 0;
      for (uint32_t i = 0; i < shm::kMaxPeers; ++i) {
        const PeerSlot& peer = state_.peers[i];
        bool waits = peer.state == PeerState::kLive && peer.idle_kind == kind;
        bool bit = shm::test_bit(state_.idle[kind], i);
        expect(waits || !bit,
               name + " counts peer " + std::to_string(i) + " as idle, which it is not");
        summoned += waits && !bit;
      }
      expect(summoned == state_.summoned[kind], name + " has miscounted who is on his way");
    }
  }

  // What tasks in flight hold must be what is not there.
  void compare_resources() {
    for (uint32_t i = 0; i < state_.resources_used && i < shm::kMaxResources; ++i) {
      const Resource& resource = state_.resources[i];
      expect(resource.available == resource.total - held_[i],
             "resource " + std::to_string(i) + " has " + std::to_string(resource.available) +
                 " left of " + std::to_string(resource.total) + ", of which tasks hold " +
                 std::to_string(held_[i]));
      expect(i == kCpu || resource.available >= 0,
             "resource " + std::to_string(i) + " is given out twice");
    }
    int64_t total = state_.resources[kGpu].total;
    for (uint32_t i = 0; i < shm::kMaxDevices; ++i) {
      int64_t device = std::min(total, kWhole);
      total -= device;
      expect(state_.device_free[i] >= 0 && state_.device_free[i] == device - held_devices_[i],
             "device " + std::to_string(i) + " has not left what tasks leave it");
    }
  }

  // What a task in flight holds.
  void count_held(const Cell& task) {
    bool is_shape = task.target < state_.shapes_used && task.target < shm::kMaxShapes;
    expect(is_shape, "a task has no shape");
    if (!is_shape) return;
    const Shape& shape = state_.shapes[task.target];
    for (uint32_t i = 0; i < shm::kMaxResources; ++i) {
      expect((shape.amounts[i] != 0) == ((shape.resources >> i & 1) != 0),
             "a shape asks for nothing of a resource, or does not say so");
      if (i != kCpu || task.lent == 0) held_[i] += shape.amounts[i];
    }
    if (task.lent == 0) argument_units_ += task.right;
    int64_t gpus = 0, of_each = std::min(shape.amounts[kGpu], kWhole);
    for (uint32_t i = 0; i < shm::kMaxDevices; ++i) {
      if ((task.devices >> i & 1) == 0) continue;
      held_devices_[i] += of_each;
      gpus += of_each;
    }
    expect(gpus == shape.amounts[kGpu], "a task has other devices than it asked for");
  }

  void compare_arguments() {
    expect(state_.argument_units == argument_units_, "the room for arguments is miscounted");
    expect(state_.argument_waiters == waiting_, "who waits for room for arguments is miscounted");
  }

  void count_tasks() {
    expect(state_.submitted == tasks_ + state_.answered + state_.withdrawn,
           "the tasks are miscounted");
  }

  void walk_peers() {
    std::vector<bool> uids(state_.next_uid, false);
    for (uint32_t i = 0; i < shm::kMaxPeers; ++i) {
      const PeerSlot& peer = state_.peers[i];
      std::string name = "peer " + std::to_string(i);
      walk_list(peer.mailbox, "the mailbox of " + name,
                {RecordKind::kCall, RecordKind::kCompletion, RecordKind::kMessage,
                 RecordKind::kBounced, RecordKind::kItem},
                kNone);
      walk_list(peer.in_flight, "what runs at " + name, {RecordKind::kTask, RecordKind::kCall}, i);
      count_in_flight(peer.in_flight);
      if (peer.state == PeerState::kFree) {
        expect(peer.mailbox.count == 0 && peer.in_flight.count == 0,
               name + " is free but has records");
        continue;
      }
      expect(i < state_.peers_used, name + " lies beyond peers_used");
      expect(peer.is_worker <= 1, name + " is neither a worker nor none");
      if (peer.waiting != kNone) check_waiting(i, peer.waiting);
      bool fresh = peer.uid < state_.next_uid && !uids[peer.uid];
      expect(fresh, name + " has a uid that is not its own");
      if (fresh) uids[peer.uid] = true;
      const shm::ClientSlot& client = segment_.client(peer.client);
      expect(client.state != shm::ClientState::kFree && client.generation == peer.client_generation,
             name + " belongs to a process that has ended");
    }
  }

  void check_waiting(uint32_t peer, uint32_t task) {
    ++waiting_;
    if (!valid(state_.cells, task, "waiting task")) return;
    const Cell& cell = segment_.cell(task);
    expect(cell.kind == RecordKind::kTask && cell.holder == peer,
           "peer " + std::to_string(peer) + " waits for a task that does not wait there");
  }

  void walk_actors() {
    std::vector<uint32_t> uses(state_.actors.used, 0);
    uint64_t ended = 0, restarting = 0;
    for (uint32_t i = 0; i < state_.actors.used; ++i) {
      const ActorSlot& actor = segment_.actor(i);
      ended += actor.generation;
      if (actor.state == ActorState::kFree) continue;
      --ended;
      ++uses[i];
      std::string name = "actor " + std::to_string(i);
      walk_list(actor.pending, "what waits for " + name, {RecordKind::kCall}, kNone);
      expect(is_known(actor.owner, actor.owner_uid), name + " has an owner that has ended");
      expect(is_pending_call(actor, actor.returned), name + " has lost a call that came back");
      restarting += actor.state == ActorState::kRestarting;
      if (actor.state != ActorState::kAlive) continue;
      bool is_served = is_live(actor.host, actor.host_uid);
      expect(!is_served || actor.pending.count == 0,
             name + " has a host and calls that wait for one");
      expect(is_known(actor.host, actor.host_uid), name + " has a host that has ended");
    }
    expect(restarting == state_.actors_restarting, "the actors that restart are miscounted");
    uint32_t steps = 0;
    for (uint32_t i = state_.actors.free_head; i != kNone && steps <= state_.actors.used; ++steps) {
      if (!valid(state_.actors, i, "free actor")) break;
      ++uses[i];
      i = segment_.actor(i).free_next;
    }
    expect(steps == state_.actors.free_count, "the free actors are miscounted");
    expect(ended == state_.actors_ended, "the actors that have ended are miscounted");
    for (uint32_t i = 0; i < state_.actors.used; ++i) {
      expect(uses[i] == 1, "actor " + std::to_string(i) + " is neither free nor in use, or both");
    }
  }

  void walk_free_cells() {
    uint32_t steps = 0;
    for (uint32_t i = state_.cells.free_head; i != kNone && steps <= state_.cells.used; ++steps) {
      if (!valid(state_.cells, i, "free cell")) break;
      ++cell_uses_[i];
      i = segment_.cell(i).free_next;
    }
    expect(steps == state_.cells.free_count, "the free cells are miscounted");
  }

  void count_in_flight(const List& list) {
    uint32_t count = 0;
    for (uint32_t i = list.head; exists(i) && count < list.count; ++count) {
      const Cell& cell = segment_.cell(i);
      if (cell.kind == RecordKind::kTask) {
        ++tasks_;
        count_held(cell);
      }
      i = cell.next;
    }
  }

  // `holder`: whose in_flight the list is, or kNone.
  void walk_list(const List& list, const std::string& name, std::initializer_list<RecordKind> kinds,
                 uint32_t holder) {
    uint32_t prev = kNone, count = 0;
    for (uint32_t i = list.head; i != kNone && count <= state_.cells.used; ++count) {
      if (!valid(state_.cells, i, "listed cell")) return;
      const Cell& cell = segment_.cell(i);
      expect(cell.prev == prev, name + " has a wrong back link");
      bool allowed = false;
      for (RecordKind kind : kinds) allowed |= cell.kind == kind;
      expect(allowed,
             name + " has a record of kind " + std::to_string(static_cast<uint32_t>(cell.kind)));
      bool is_request = cell.kind == RecordKind::kTask || cell.kind == RecordKind::kCall;
      expect(!is_request || cell.holder == holder, name + " has a record that another peer holds");
      walk_record(i, name);
      prev = i;
      i = cell.next;
    }
    expect(list.tail == prev, name + " has a wrong end");
    expect(list.count == count, name + " is miscounted");
  }

  void walk_record(uint32_t record, const std::string& name) {
    const Cell& head = segment_.cell(record);
    uint32_t count = 0;
    for (uint32_t i = record; i != kNone && count <= state_.cells.used; ++count) {
      if (!valid(state_.cells, i, "chained cell")) return;
      ++cell_uses_[i];
      i = segment_.cell(i).more;
    }
    expect(count == Records::cells_for(head.length), name + " has a record of the wrong length");
  }

  bool is_known(uint32_t peer, uint32_t uid) const {
    if (peer >= shm::kMaxPeers) return false;
    return state_.peers[peer].state != PeerState::kFree && state_.peers[peer].uid == uid;
  }

  bool is_live(uint32_t peer, uint32_t uid) const {
    return is_known(peer, uid) && state_.peers[peer].state == PeerState::kLive;
  }

  // kNone counts as one.
  bool is_pending_call(const ActorSlot& actor, uint32_t call) const {
    uint32_t steps = 0;
    for (uint32_t i = actor.pending.head; exists(i) && steps < actor.pending.count; ++steps) {
      if (i == call) return true;
      i = segment_.cell(i).next;
    }
    return call == kNone;
  }

  bool valid(const Table& table, uint32_t index, const char* what) {
    if (index < table.used) return true;
    expect(false, std::string(what) + " " + std::to_string(index) + " does not exist");
    return false;
  }

  const shm::Segment& segment_;
  const QueueState& state_;
  std::vector<uint32_t> cell_uses_;
  // Of tasks, as they were walked.
  uint64_t tasks_ = 0;
  int64_t held_[shm::kMaxResources] = {};
  int64_t held_devices_[shm::kMaxDevices] = {};
  uint64_t argument_units_ = 0;
  uint32_t waiting_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> check_queue(const shm::Segment& segment) { return Checker(segment).run(); }

}  // namespace mobula::queue
