import assert from 'node:assert/strict';
import { init, put, shutdown } from 'mobula';
import { Counter, sum } from './workload.js';

for (const isolation of ['thread', 'process'] as const) {
  init({ workers: 2, memory: '64MiB', isolation });
  const ref = put(new Float64Array(1000).fill(0.5));
  assert.equal(await sum.remote(ref), 500);
  const counter = Counter.remote();
  assert.equal(await counter.add(2), 2);
  await assert.rejects(sum.remote(null as never).then(), /reduce/);
  await shutdown();
}
