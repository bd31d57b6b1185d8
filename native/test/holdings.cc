#include "test/holdings.h"

namespace mobula::test {

Holdings::Holdings(ObjectStore& store) : driver(store), worker(store) {
  Reading reading;
  Writing writing;
  EntryRef ref;
  ObjectId written = id_of(2), inner = id_of(5);
  REQUIRE_OK(put(store, inner, 100));
  REQUIRE_OK(store.get(id_of(1), &reading));
  REQUIRE_OK(store.create_object(&written, 500, 0, &writing, nullptr));
  REQUIRE_OK(store.promise(id_of(3), &ref));
  SealOptions options;
  options.add_ref = true;
  options.contained = &inner;
  options.contained_count = 1;
  REQUIRE_OK(put(store, id_of(4), 700, options));
  driver.submit(1, "x");
  driver.exchange();
  REQUIRE(worker.exchange(1).size() == 1);
  Actor actor = driver.create_actor();
  driver.call(actor, 1, "x");
  driver.exchange();
}

}  // namespace mobula::test
