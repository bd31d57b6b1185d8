import { put } from 'mobula';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import { look, makeArray } from '../support/tasks.js';

const memory = 1024 * 1024 * 1024;
const length = 512 * 1024;
const objectBytes = 8 * length;
/** In all more than the memory. */
const rounds = 300;

testInBoth('a loop over results has new ones take the memory of dropped ones', async (t) => {
  using store = runtimeStore();
  let most = 0;
  for (let i = 0; i < rounds; i++) {
    t.is((await makeArray.remote(length, i))[0], i);
    most = Math.max(most, store.stats().usedBytes);
  }
  t.true(most < memory / 2, `${most} bytes`);
});

testInBoth('a loop that passes refs on has new arguments take their memory', async (t) => {
  using store = runtimeStore();
  let most = 0;
  for (let i = 0; i < rounds; i++) {
    t.is((await look.remote(put(new Float64Array(length)))).sum, 0);
    most = Math.max(most, store.stats().usedBytes);
  }
  t.true(most < memory / 2, `${most} bytes`);
});

testInBoth('what refs stand for stays when garbage is collected', async (t) => {
  const refs = Array.from({ length: 50 }, (_, i) => put(new Float64Array(length).fill(i)));
  for (let i = 0; i < rounds / 3; i++) await makeArray.remote(length, i);
  using store = runtimeStore();
  t.true(store.stats().usedBytes >= refs.length * objectBytes);
  for (const [i, ref] of refs.entries()) t.is((await ref)[length - 1], i);
  for (const ref of refs) ref[Symbol.dispose]();
});

runInBoth({ memory });
