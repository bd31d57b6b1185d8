#include "shm/lock.h"

#include "port/port.h"
#include "test/support.h"

namespace mobula::test {
namespace {

// A word that the store lock protects and that nobody uses.
uint64_t& spare_word(ObjectStore& store) {
  return store.client()->segment().store().lock.reserved2[0];
}

ROLE(dying_holder) {
  shm::Lock& lock = self.store().client()->store_lock();
  REQUIRE_OK(lock.acquire());
  uint64_t& word = spare_word(self.store());
  lock.set(word, 1);
  lock.commit();
  lock.set(word, 2);
  lock.set(word, 3);
  self.tell_and_linger("holding");
}

ROLE(counter) {
  shm::Lock& lock = self.store().client()->store_lock();
  for (int i = 0; i < 20'000; ++i) {
    shm::LockGuard guard(lock);
    REQUIRE_OK(guard.status());
    lock.add(spare_word(self.store()), 1);
  }
}

}  // namespace

TEST("a killed holder is undone to its last commit and counted") {
  auto store = new_store();
  Process holder("dying_holder", store->handle());
  EXPECT_EQ(holder.hear(), "holding");
  holder.kill();
  {
    shm::LockGuard guard(store->client()->store_lock());
    REQUIRE_OK(guard.status());
    EXPECT_EQ(spare_word(*store), 1u);
    EXPECT(store->client()->store_lock().log_is_empty());
  }
  EXPECT_EQ(stats_of(*store).recoveries, 1u);
  reap_all(*store);
  expect_sound(*store);
}

TEST("rollback takes back what followed the last commit, in reverse") {
  auto store = new_store();
  shm::Lock& lock = store->client()->store_lock();
  shm::LockGuard guard(lock);
  uint64_t& word = spare_word(*store);
  lock.set(word, 1);
  lock.commit();
  for (uint64_t i = 2; i < 100; ++i) lock.set(word, i);
  lock.rollback();
  EXPECT_EQ(word, 1u);
  EXPECT(lock.log_is_empty());
}

TEST("words of every width are put back") {
  auto store = new_store();
  shm::Lock& lock = store->client()->store_lock();
  shm::LockGuard guard(lock);
  uint64_t& word = spare_word(*store);
  lock.set(word, 0x1122334455667788u);
  lock.commit();
  auto* bytes = reinterpret_cast<uint8_t*>(&word);
  lock.set(bytes[0], 0xff);
  lock.set(*reinterpret_cast<uint16_t*>(bytes + 2), 0xffff);
  lock.set(*reinterpret_cast<uint32_t*>(bytes + 4), 0xffffffff);
  EXPECT(word != 0x1122334455667788u);
  lock.rollback();
  EXPECT_EQ(word, 0x1122334455667788u);
}

TEST("processes that add under the lock lose no addition") {
  auto store = new_store();
  Process a("counter", store->handle()), b("counter", store->handle());
  a.finish();
  b.finish();
  shm::LockGuard guard(store->client()->store_lock());
  EXPECT_EQ(spare_word(*store), 40'000u);
}

}  // namespace mobula::test
