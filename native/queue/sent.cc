#include "queue/sent.h"

#include <algorithm>
#include <utility>

#include "shm/layout.h"

namespace mobula::queue {

using shm::kNone;

Sent::Page::Page() { std::fill_n(records, kPageSize, kNone); }

Sent::Page* Sent::find_page(uint64_t number) {
  auto found = pages_.find(number);
  if (found == pages_.end()) return nullptr;
  last_number_ = number;
  last_ = found->second.get();
  return last_;
}

Sent::Page* Sent::add_page(uint64_t number) {
  remove_if_empty(std::exchange(newest_, number));
  pages_.emplace(number, std::make_unique<Page>());
  return find_page(number);
}

void Sent::remove_if_empty(uint64_t number) {
  Page* page = page_of(number);
  if (page == nullptr || page->count > 0) return;
  last_ = nullptr;
  pages_.erase(number);
}

void Sent::note(uint64_t sequence, uint32_t record) {
  uint64_t number = sequence / kPageSize;
  Page* page = page_of(number);
  if (page == nullptr) page = add_page(number);
  uint32_t& noted = page->records[sequence % kPageSize];
  if (noted == kNone) {
    ++page->count;
    ++size_;
  }
  noted = record;
}

void Sent::forget(uint64_t sequence) {
  uint64_t number = sequence / kPageSize;
  Page* page = page_of(number);
  if (page == nullptr) return;
  uint32_t& noted = page->records[sequence % kPageSize];
  if (noted == kNone) return;
  noted = kNone;
  --size_;
  if (--page->count == 0 && number != newest_) remove_if_empty(number);
}

uint32_t Sent::find(uint64_t sequence) {
  Page* page = page_of(sequence / kPageSize);
  return page == nullptr ? kNone : page->records[sequence % kPageSize];
}

}  // namespace mobula::queue
