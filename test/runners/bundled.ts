import assert from 'node:assert/strict';
import { init, main, put } from 'mobula';
import { Counter, sum } from './workload.js';

main(async () => {
  init({ workers: 2, memory: '64MiB' });
  assert.equal(await sum.remote(put(new Float64Array(1000).fill(0.5))), 500);
  const counter = Counter.remote();
  assert.equal(await counter.add(2), 2);
});
