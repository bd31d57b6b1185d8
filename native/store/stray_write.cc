#include "store/stray_write.h"

#include <algorithm>
#include <cstring>
#include <mutex>

namespace mobula::store {
namespace {

using shm::Block;
using shm::Header;
using shm::ObjectEntry;
using shm::StoreState;

// What the fault handler knows of a segment: its two mappings. Free while `views` is 0.
struct Mappings {
  std::atomic<uintptr_t> views{0};
  std::atomic<uintptr_t> base{0};
  std::atomic<uint64_t> size{0};
};

constinit Mappings explained[1024];
constinit std::mutex explained_mutex;  // held while one is taken or freed

// A line of text that needs no memory but its own. Too long, it is cut off.
class Line {
 public:
  Line& operator<<(const char* text) { return add(text, std::strlen(text)); }

  Line& operator<<(uint64_t number) {
    char digits[20];
    size_t first = sizeof digits;
    do {
      digits[--first] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return add(digits + first, sizeof digits - first);
  }

  Line& operator<<(const ObjectId& id) {
    for (uint8_t byte : id.bytes) {
      char digits[] = {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
      add(digits, sizeof digits);
    }
    return *this;
  }

  void write() const { port::write_error(text_, length_); }

 private:
  Line& add(const char* text, size_t length) {
    length = std::min(length, sizeof text_ - length_);
    std::memcpy(text_ + length_, text, length);
    length_ += length;
    return *this;
  }

  char text_[320];
  size_t length_ = 0;
};

// Reads tables of a mapped segment without the lock. Others may be changing them, or may have left
// anything there, so nothing outside the mapping is ever looked at.
class Tables {
 public:
  Tables(uintptr_t base, uint64_t size)
      : base_(base), size_(size), header_(*reinterpret_cast<const Header*>(base)) {}

  // The object in whose block a byte of the data area lies. One pass over the blocks.
  const ObjectEntry* object_at(uint64_t segment_offset, uint64_t* offset_in_object) const {
    uint64_t store_offset = port::load_word(header_.store_offset);
    if (size_ < sizeof(StoreState) || store_offset > size_ - sizeof(StoreState)) return nullptr;
    const auto& store = *reinterpret_cast<const StoreState*>(base_ + store_offset);
    uint64_t data_offset = port::load_word(header_.data_offset);
    if (segment_offset < data_offset) return nullptr;
    uint64_t unit = (segment_offset - data_offset) / shm::kUnit;
    Rows<Block> blocks = rows<Block>(store.blocks);
    for (uint32_t i = 0; i < blocks.count; ++i) {
      const Block& block = blocks.first[i];
      uint64_t start = port::load_word(block.start);
      bool holds = port::load_word(block.state) == shm::BlockState::kUsed && unit >= start &&
                   unit - start < port::load_word(block.units);
      if (!holds) continue;
      *offset_in_object = segment_offset - data_offset - start * shm::kUnit;
      return owner(store, block, i);
    }
    return nullptr;
  }

 private:
  template <class Row>
  struct Rows {
    const Row* first = nullptr;
    uint32_t count = 0;
  };

  template <class Row>
  Rows<Row> rows(const shm::Table& table) const {
    uint64_t offset = port::load_word(table.offset);
    uint32_t used = std::min(port::load_word(table.used), port::load_word(table.committed));
    if (offset > size_ || used > (size_ - offset) / sizeof(Row) || offset % alignof(Row) != 0) {
      return {};
    }
    return {reinterpret_cast<const Row*>(base_ + offset), used};
  }

  const ObjectEntry* owner(const StoreState& store, const Block& block, uint32_t index) const {
    Rows<ObjectEntry> entries = rows<ObjectEntry>(store.entries);
    uint32_t owner = port::load_word(block.owner);
    if (owner >= entries.count) return nullptr;
    const ObjectEntry& entry = entries.first[owner];
    return port::load_word(entry.block) == index ? &entry : nullptr;
  }

  const uintptr_t base_;
  const uint64_t size_;
  const Header& header_;
};

void explain(uintptr_t base, uint64_t size, uint64_t offset, bool through_view) {
  uint64_t within = 0;
  const ObjectEntry* entry = Tables(base, size).object_at(offset, &within);
  Line line;
  line << "mobula: a write to ";
  if (entry == nullptr) {
    line << "an object that is gone";
  } else {
    bool sealed = port::load_word(entry->state) == shm::ObjectState::kSealed;
    line << (sealed ? "the sealed object " : "the object ") << entry->id << " (offset " << within
         << " of " << entry->size << " bytes)";
  }
  line << (through_view ? " through a view, which is read-only"
                        : " through its writer, which is read-only since seal()")
       << ": copy it first, for example with data.slice()\n";
  line.write();
}

// In a signal handler.
bool explain_address(const void* fault) {
  auto address = reinterpret_cast<uintptr_t>(fault);
  for (const Mappings& mappings : explained) {
    uintptr_t views = mappings.views;
    uintptr_t base = mappings.base;
    uint64_t size = mappings.size;
    // Freed and taken again meanwhile: then nobody could write to what it was.
    if (views == 0 || mappings.views != views) continue;
    bool through_view = address - views < size;
    if (!through_view && address - base >= size) continue;
    explain(base, size, address - (through_view ? views : base), through_view);
    return true;
  }
  return false;
}

}  // namespace

void explain_stray_writes(const shm::Segment& segment) {
  std::lock_guard lock(explained_mutex);
  [[maybe_unused]] static const int installed = port::explain_write_faults(&explain_address);
  for (Mappings& mappings : explained) {
    if (mappings.views != 0) continue;
    mappings.base = reinterpret_cast<uintptr_t>(segment.base());
    mappings.size = segment.size();
    mappings.views = reinterpret_cast<uintptr_t>(segment.base() - segment.writable_data(0) +
                                                 segment.readable_data(0));
    return;
  }
}

void forget_stray_writes(const shm::Segment& segment) {
  std::lock_guard lock(explained_mutex);
  for (Mappings& mappings : explained) {
    bool found =
        mappings.views != 0 && mappings.base == reinterpret_cast<uintptr_t>(segment.base());
    if (found) mappings.views = 0;
  }
}

}  // namespace mobula::store
