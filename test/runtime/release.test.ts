import { get, type ObjectRef, put, release } from 'mobula';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import { Grid, Series } from '../support/values.js';
import { makeArray } from '../support/tasks.js';

function isHeld(ref: ObjectRef): boolean {
  using store = runtimeStore();
  return store.peek(ref.id)?.pins === 1;
}

const large = () => new Float64Array(1000).fill(1);

testInBoth('release ends the hold of a value on shared memory', async (t) => {
  const ref = put(large());
  const array = await ref;
  t.true(isHeld(ref));
  release(array);
  t.false(isHeld(ref));
});

testInBoth(
  'release finds the arrays in arrays, objects, maps, sets, errors and cycles',
  async (t) => {
    const values = [
      [large()],
      { a: { b: large() } },
      new Map([['key', large()]]),
      new Map([[large(), 1]]),
      new Set([large()]),
      new Error('e', { cause: large() }),
      Object.assign(new Error('e'), { data: large() }),
      { buffer: Buffer.alloc(2000), view: new DataView(new ArrayBuffer(2000)) },
      { whole: new ArrayBuffer(2000) },
    ];
    for (const value of values) {
      const cycle: { value: unknown; self?: unknown } = { value };
      cycle.self = cycle;
      const ref = put(cycle);
      const got = await ref;
      t.true(isHeld(ref));
      release(got);
      t.false(isHeld(ref));
    }
  },
);

testInBoth('release reaches what the instance of a registered class hides', async (t) => {
  for (const value of [new Grid(large()), new Series(large())]) {
    const ref = put([value]);
    const [got] = await ref;
    t.true(isHeld(ref));
    release(got);
    t.false(isHeld(ref));
  }
});

testInBoth('release ends one hold, not those of other values got from the same ref', async (t) => {
  const ref = put({ a: large(), b: large() });
  const [first, second] = await get([ref, ref]);
  release(first);
  release(first);
  t.true(isHeld(ref));
  release(second);
  t.false(isHeld(ref));
});

testInBoth('the hold ends with the last part that is released', async (t) => {
  const ref = put({ a: large(), b: large() });
  const value = await ref;
  release(value.a);
  release(value.a);
  t.true(isHeld(ref));
  release([value, value]);
  t.false(isHeld(ref));
});

testInBoth('a value that was read after a release is held again', async (t) => {
  const ref = put(large());
  release(await ref);
  const array = await ref;
  t.true(isHeld(ref));
  t.is(array[999], 1);
  release(array);
  t.false(isHeld(ref));
});

testInBoth('values without views hold nothing', async (t) => {
  for (const value of [
    [1],
    'x'.repeat(20_000),
    { small: new Uint8Array(100) },
    new Grid(new Float64Array(1)),
  ]) {
    const ref = put(value);
    const got = await ref;
    t.false(isHeld(ref));
    release(got);
  }
});

testInBoth('release leaves alone what has nothing to release', (t) => {
  const value = {
    get trap(): never {
      throw new Error('not to be asked');
    },
  };
  const own = large();
  for (const other of [undefined, null, 1, 'text', Symbol('s'), () => 1, value, own, put(1)]) {
    t.notThrows(() => release(other));
  }
  t.is(own[0], 1);
});

testInBoth(
  'with release the use of many large arrays one after the other fits into a small store',
  async (t) => {
    for (let i = 0; i < 12; i++) {
      using ref = makeArray.remote(4_000_000, i);
      const array = await ref;
      t.is(array[3_999_999], i);
      release(array);
    }
  },
);

runInBoth();
