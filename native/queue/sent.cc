#include "queue/sent.h"

#include <algorithm>

#include "shm/layout.h"

namespace mobula::queue {

using shm::kNone;

Sent::Page::Page() { std::fill_n(records, kPageSize, kNone); }

Sent::Page* Sent::page_of(uint64_t sequence) {
  uint64_t number = sequence / kPageSize;
  if (last_ != nullptr && last_number_ == number) return last_;
  auto found = pages_.find(number);
  if (found == pages_.end()) return nullptr;
  last_number_ = number;
  last_ = found->second.get();
  return last_;
}

void Sent::note(uint64_t sequence, uint32_t record) {
  Page* page = page_of(sequence);
  if (page == nullptr) {
    pages_.emplace(sequence / kPageSize, std::make_unique<Page>());
    page = page_of(sequence);
  }
  uint32_t& noted = page->records[sequence % kPageSize];
  if (noted == kNone) ++page->count;
  noted = record;
}

void Sent::forget(uint64_t sequence) {
  Page* page = page_of(sequence);
  if (page == nullptr) return;
  uint32_t& noted = page->records[sequence % kPageSize];
  if (noted == kNone) return;
  noted = kNone;
  if (--page->count > 0) return;
  last_ = nullptr;
  pages_.erase(sequence / kPageSize);
}

uint32_t Sent::find(uint64_t sequence) {
  Page* page = page_of(sequence);
  return page == nullptr ? kNone : page->records[sequence % kPageSize];
}

}  // namespace mobula::queue
