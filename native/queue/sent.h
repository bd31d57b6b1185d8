#ifndef MOBULA_QUEUE_SENT_H_
#define MOBULA_QUEUE_SENT_H_

#include <cstdint>
#include <memory>
#include <unordered_map>

namespace mobula::queue {

// Where the tasks and calls stand that a peer has sent and that have not come back: records by
// sequence, in this process's memory. A record may have ended since, and its cell be another's.
// Sequences that are near each other share a page, so that each costs some 4 bytes. Used by one
// thread.
class Sent {
 public:
  void note(uint64_t sequence, uint32_t record);
  void forget(uint64_t sequence);
  uint32_t find(uint64_t sequence);  // or kNone
  bool is_empty() const { return size_ == 0; }

 private:
  static constexpr uint64_t kPageSize = 256;
  struct Page {
    Page();
    uint32_t count = 0;
    uint32_t records[kPageSize];
  };
  Page* page_of(uint64_t number) {
    return last_ != nullptr && last_number_ == number ? last_ : find_page(number);
  }
  Page* find_page(uint64_t number);
  Page* add_page(uint64_t number);
  void remove_if_empty(uint64_t number);

  std::unordered_map<uint64_t, std::unique_ptr<Page>> pages_;
  uint64_t size_ = 0;
  uint64_t newest_ = 0;  // the page that was added last; it stays when it is empty
  // The page that was asked for last.
  uint64_t last_number_ = 0;
  Page* last_ = nullptr;
};

}  // namespace mobula::queue

#endif  // MOBULA_QUEUE_SENT_H_
