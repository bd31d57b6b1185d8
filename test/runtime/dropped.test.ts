import test from 'ava';
import { setImmediate } from 'node:timers/promises';
import { allocate, init, put, shutdown } from 'mobula';

test('a loop that drops what it has allocated and put never sees a full store', async (t) => {
  init({ memory: '32MB', workers: 1 });
  t.teardown(() => shutdown());
  for (let i = 0; i < 3000; i++) {
    put(allocate(Float64Array, 50_000));
    await setImmediate();
  }
  t.pass();
});
