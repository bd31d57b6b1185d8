import '../support/refusing-buffers.js';
import { allocate, put, stats } from 'mobula';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { look, makeArray } from '../support/tasks.js';

const length = 10_000;

testInBoth('where external buffers are refused arguments and results are right', async (t) => {
  const before = stats().store.copiedViews;
  t.is((await look.remote(new Float64Array(length).fill(0.5))).sum, length / 2);
  t.deepEqual(await makeArray.remote(length, 3), new Float64Array(length).fill(3));
  t.true(stats().store.copiedViews > before);
});

testInBoth('an allocated array is stored as it is when it is put', async (t) => {
  const array = allocate(Float64Array, length).fill(1);
  const ref = put(array);
  array.fill(2);
  t.is((await look.remote(ref)).sum, length);
  t.is((await ref)[length - 1], 1);
});

runInBoth();
