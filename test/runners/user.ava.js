import test from 'ava';
import { init, put, shutdown } from 'mobula';
import { Counter, sum } from './workload.js';

for (const isolation of ['thread', 'process']) {
  test.serial(`tasks, actors and errors work in a ${isolation}`, async (t) => {
    t.teardown(() => shutdown());
    init({ workers: 2, memory: '64MiB', isolation });
    const numbers = new Float64Array(1000).fill(0.5);
    const ref = put(numbers);
    t.deepEqual(await ref, numbers);
    t.is(await sum.remote(ref), 500);
    const counter = Counter.remote();
    t.is(await counter.add(2), 2);
    counter[Symbol.dispose]();
    await t.throwsAsync(sum.remote(null).then(), { message: /reduce/ });
  });
}
