#include "queue/check.h"

#include <initializer_list>

#include "queue/records.h"

namespace mobula::queue {

using shm::ActorSlot;
using shm::ActorState;
using shm::Cell;
using shm::kNone;
using shm::List;
using shm::PeerSlot;
using shm::PeerState;
using shm::QueueState;
using shm::RecordKind;
using shm::Table;

namespace {

class Checker {
 public:
  explicit Checker(const shm::Segment& segment)
      : segment_(segment), state_(segment.queue()), cell_uses_(state_.cells.used, 0) {}

  std::vector<std::string> run() {
    expect(state_.lock.count == 0, "the undo log is not empty");
    walk_run_queues();
    walk_peers();
    walk_actors();
    walk_free_cells();
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

  void walk_run_queues() {
    for (uint32_t queue = 0; queue < shm::kRunQueues; ++queue) {
      std::string name = "run queue " + std::to_string(queue);
      walk_list(state_.run[queue], name, {RecordKind::kTask});
      for (uint32_t peer = 0; peer < shm::kMaxPeers; ++peer) {
        if (!shm::test_bit(state_.idle[queue], peer)) continue;
        const PeerSlot& slot = state_.peers[peer];
        expect(slot.state == PeerState::kLive && slot.idle_queue == queue,
               name + " counts peer " + std::to_string(peer) + " as idle, which it is not");
      }
    }
  }

  void walk_peers() {
    std::vector<bool> uids(state_.next_uid, false);
    for (uint32_t i = 0; i < shm::kMaxPeers; ++i) {
      const PeerSlot& peer = state_.peers[i];
      std::string name = "peer " + std::to_string(i);
      walk_list(
          peer.mailbox, "the mailbox of " + name,
          {RecordKind::kCall, RecordKind::kCompletion, RecordKind::kMessage, RecordKind::kBounced});
      walk_list(peer.in_flight, "what runs at " + name, {RecordKind::kTask, RecordKind::kCall});
      if (peer.state == PeerState::kFree) {
        expect(peer.mailbox.count == 0 && peer.in_flight.count == 0,
               name + " is free but has records");
        continue;
      }
      expect(i < state_.peers_used, name + " lies beyond peers_used");
      bool fresh = peer.uid < state_.next_uid && !uids[peer.uid];
      expect(fresh, name + " has a uid that is not its own");
      if (fresh) uids[peer.uid] = true;
      const shm::ClientSlot& client = segment_.client(peer.client);
      expect(client.state != shm::ClientState::kFree && client.generation == peer.client_generation,
             name + " belongs to a process that has ended");
    }
  }

  void walk_actors() {
    std::vector<uint32_t> uses(state_.actors.used, 0);
    for (uint32_t i = 0; i < state_.actors.used; ++i) {
      const ActorSlot& actor = segment_.actor(i);
      if (actor.state == ActorState::kFree) continue;
      ++uses[i];
      std::string name = "actor " + std::to_string(i);
      walk_list(actor.pending, "what waits for " + name, {RecordKind::kCall});
      expect(is_known(actor.owner, actor.owner_uid), name + " has an owner that has ended");
      if (actor.state != ActorState::kAlive) continue;
      expect(actor.pending.count == 0, name + " has a host and calls that wait for one");
      expect(is_known(actor.host, actor.host_uid), name + " has a host that has ended");
    }
    uint32_t steps = 0;
    for (uint32_t i = state_.actors.free_head; i != kNone && steps <= state_.actors.used; ++steps) {
      if (!valid(state_.actors, i, "free actor")) break;
      ++uses[i];
      i = segment_.actor(i).free_next;
    }
    expect(steps == state_.actors.free_count, "the free actors are miscounted");
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

  void walk_list(const List& list, const std::string& name,
                 std::initializer_list<RecordKind> kinds) {
    uint32_t prev = kNone, count = 0;
    for (uint32_t i = list.head; i != kNone && count <= state_.cells.used; ++count) {
      if (!valid(state_.cells, i, "listed cell")) return;
      const Cell& cell = segment_.cell(i);
      expect(cell.prev == prev, name + " has a wrong back link");
      bool allowed = false;
      for (RecordKind kind : kinds) allowed |= cell.kind == kind;
      expect(allowed,
             name + " has a record of kind " + std::to_string(static_cast<uint32_t>(cell.kind)));
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
    expect(count == head.cells && count == Records::cells_for(head.length),
           name + " has a record of the wrong length");
  }

  bool is_known(uint32_t peer, uint32_t uid) const {
    if (peer >= shm::kMaxPeers) return false;
    return state_.peers[peer].state != PeerState::kFree && state_.peers[peer].uid == uid;
  }

  bool valid(const Table& table, uint32_t index, const char* what) {
    if (index < table.used) return true;
    expect(false, std::string(what) + " " + std::to_string(index) + " does not exist");
    return false;
  }

  const shm::Segment& segment_;
  const QueueState& state_;
  std::vector<uint32_t> cell_uses_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> check_queue(const shm::Segment& segment) { return Checker(segment).run(); }

}  // namespace mobula::queue
