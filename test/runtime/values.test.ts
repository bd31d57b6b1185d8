import { isDeepStrictEqual } from 'node:util';
import { allocate, get, put } from 'mobula';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import { echo, look, makeAllocated, makeArray, makeText, keepAllocated } from '../support/tasks.js';
import { collectGarbage, untilCollected } from '../support/until.js';

const MB = 1_000_000;

testInBoth(
  'an array of 80 MB arrives in a task as a view on shared memory: one object, no copy',
  async (t) => {
    using store = runtimeStore();
    const ref = put(new Float64Array(10 * MB).fill(0.5));
    const { usedBytes, puts } = store.stats();
    const seen = await look.remote(ref);
    t.deepEqual(seen, { type: 'Float64Array', length: 10 * MB, isShared: true, sum: 5 * MB });
    const after = store.stats();
    t.true(after.usedBytes - usedBytes < MB);
    t.true(after.puts - puts < 5);
    ref[Symbol.dispose]();
  },
);

testInBoth('an array of 80 MB that a task returns is a view on shared memory here', async (t) => {
  const array = await makeArray.remote(10 * MB, 2);
  t.true(array.buffer instanceof SharedArrayBuffer);
  t.is(array.length, 10 * MB);
  t.true(array.every((value) => value === 2));
});

testInBoth('get of one array twice gives two views of the same memory', async (t) => {
  const ref = put(new Float64Array(MB));
  const [first, second] = await get([ref, ref]);
  t.is(first.buffer, second.buffer);
});

testInBoth('put of a whole allocated array seals it where it lies, with no copy', async (t) => {
  using store = runtimeStore();
  const array = allocate(Float64Array, 5 * MB);
  t.true(array.buffer instanceof SharedArrayBuffer);
  array.fill(0.25);
  const { usedBytes, unsealed } = store.stats();
  t.is(unsealed, 1);
  const ref = put(array);
  t.like(store.stats(), { usedBytes, unsealed: 0 });
  t.like(await look.remote(ref), { sum: 1.25 * MB, isShared: true });
  t.true((await ref).every((value) => value === 0.25));
  ref[Symbol.dispose]();
});

testInBoth('an allocated array that is an argument is sealed where it lies', async (t) => {
  using store = runtimeStore();
  const array = allocate(Float64Array, 5 * MB).fill(0.25);
  const { usedBytes, puts } = store.stats();
  t.like(await look.remote(array), { sum: 1.25 * MB, isShared: true });
  const after = store.stats();
  t.true(after.usedBytes - usedBytes < MB);
  t.true(after.puts - puts <= 2);
});

testInBoth('an allocated array that a task returns is sealed where it lies', async (t) => {
  using store = runtimeStore();
  const { usedBytes } = store.stats();
  const array = await makeAllocated.remote(5 * MB, 0.25);
  t.is(array.length, 5 * MB);
  t.true(array.every((value) => value === 0.25));
  t.true(store.stats().usedBytes - usedBytes < 45 * MB);
});

testInBoth(
  'a sealed array stays readable where it was allocated, whatever becomes of its ref',
  async (t) => {
    for (let i = 0; i < 8; i++) {
      using ref = keepAllocated.remote(100_000);
      t.true((await ref).every((value) => value === 0.5));
      for (let j = 0; j < 5; j++) put(new Float64Array(100_000))[Symbol.dispose]();
    }
    const here = allocate(Float64Array, 100_000).fill(2);
    put(here)[Symbol.dispose]();
    for (let i = 0; i < 20; i++) put(new Float64Array(100_000))[Symbol.dispose]();
    t.true(here.every((value) => value === 2));
  },
);

testInBoth(
  'an allocated array that a task returns can be passed on and stored elsewhere',
  async (t) => {
    const ref = makeAllocated.remote(100_000, 1);
    t.like(await look.remote(ref), { sum: 100_000, isShared: true });
    const [inner] = (await echo.remote([ref])) as [typeof ref];
    ref[Symbol.dispose]();
    t.is((await inner).length, 100_000);
  },
);

testInBoth('an allocated array can be put once with no copy, and again with one', async (t) => {
  const array = allocate(Uint8Array, 100_000).fill(3);
  const [first, second] = await get([put(array), put(array)]);
  t.deepEqual([first[99_999], second[99_999]], [3, 3]);
  t.not(first.buffer, second.buffer);
});

testInBoth('inside a larger value, and in part, an allocated array is copied', async (t) => {
  const array = allocate(Float64Array, 10_000).fill(1);
  const inside = put({ array });
  const part = put(array.subarray(10));
  array.fill(2);
  t.true((await inside).array.every((value) => value === 1));
  t.true((await part).every((value) => value === 1));
  t.is((await part).length, 9990);
  t.like(await look.remote(array), { sum: 20_000 });
});

testInBoth('arrays of every type can be allocated, empty ones too', async (t) => {
  const { Float16Array } = globalThis as { Float16Array?: Float32ArrayConstructor };
  const types = [
    ...(Float16Array === undefined ? [] : [Float16Array]),
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ];
  for (const type of types) {
    for (const length of [0, 1, 1000]) {
      const array = await put(allocate(type, length));
      t.is(array.constructor, type);
      t.is(array.length, length);
    }
  }
});

testInBoth('an allocated array that is dropped gives its memory back', async (t) => {
  using store = runtimeStore();
  await untilCollected('earlier tests have left nothing', () => store.stats().unsealed === 0);
  (() => {
    allocate(Float64Array, MB);
    t.is(store.stats().unsealed, 1);
  })();
  await untilCollected('it is gone', () => store.stats().unsealed === 0);
});

testInBoth('allocate refuses wrong types and lengths', (t) => {
  const wrongly = allocate as (type: unknown, length: unknown) => unknown;
  class Own extends Float64Array {}
  for (const type of [undefined, null, Array, 'Float64Array', DataView, Buffer, Own]) {
    t.throws(() => wrongly(type, 1), { instanceOf: TypeError });
  }
  for (const length of [-1, 0.5, NaN]) {
    t.throws(() => wrongly(Float64Array, length), { instanceOf: RangeError });
  }
  t.throws(() => wrongly(Float64Array, '1'), { instanceOf: TypeError });
});

testInBoth(
  'what does not fit into the store is StoreFullError, and the runtime goes on',
  async (t) => {
    t.throws(() => put(new Uint8Array(300 * MB)), { code: 'MOBULA_STORE_FULL' });
    t.throws(() => allocate(Float64Array, 100 * MB), { code: 'MOBULA_STORE_FULL' });
    t.throws(() => echo.remote(new Uint8Array(300 * MB)), { code: 'MOBULA_STORE_FULL' });
    await t.throwsAsync(makeArray.remote(40 * MB, 1).then(), { code: 'MOBULA_STORE_FULL' });
    t.is(await echo.remote(1), 1);
  },
);

testInBoth(
  'arrays of 1 KiB or more inside a value are shared views, smaller ones private copies',
  async (t) => {
    const value = { large: new Uint8Array(1024).fill(1), small: new Uint8Array(1023).fill(2) };
    for (const ref of [put(value), echo.remote(value)]) {
      const { large, small } = (await ref) as typeof value;
      t.true(large.buffer instanceof SharedArrayBuffer);
      t.true(small.buffer instanceof ArrayBuffer);
      t.true(large.every((byte) => byte === 1));
      t.true(small.every((byte) => byte === 2));
    }
  },
);

testInBoth('everything that structured clone takes goes to a task and comes back', async (t) => {
  const cycle: { name: string; self?: unknown } = { name: 'cycle' };
  cycle.self = cycle;
  const value = {
    primitives: [
      undefined,
      null,
      true,
      -0,
      NaN,
      Infinity,
      2 ** 53,
      123456789012345678901234567890n,
    ],
    text: 'ä€😀\0',
    date: new Date(1e12),
    pattern: /a+/giu,
    map: new Map<unknown, unknown>([[{ key: 1 }, new Set([1, 'a'])]]),
    typed: [new Int16Array([1, -1]), new BigUint64Array([1n]), new Float32Array([0.5])],
    view: new DataView(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2),
    buffer: Uint8Array.of(1, 2).buffer,
    sparse: [, 1, , 2], // eslint-disable-line no-sparse-arrays
    error: new RangeError('inside'),
    cycle,
  };
  const back = (await echo.remote(value)) as typeof value;
  t.deepEqual(back, structuredClone(value));
  t.is((back.cycle.self as typeof cycle).self, back.cycle);
  t.true(Object.is(back.primitives[3], -0));
  t.false(0 in back.sparse);
});

testInBoth('large values that are no arrays arrive whole', async (t) => {
  const entries = Array.from({ length: 20_000 }, (_, i) => [i, { name: `item ${i}` }] as const);
  const map = new Map(entries);
  t.true(isDeepStrictEqual(await echo.remote(map), map));
  t.true(isDeepStrictEqual(await put(map), map));
  t.is((await makeText.remote(5 * MB)).length, 5 * MB);
});

testInBoth('keys such as __proto__ in data change no prototype', async (t) => {
  const hostile: unknown = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}');
  const back = (await echo.remote(hostile)) as Record<string, unknown>;
  t.is(Object.getPrototypeOf(back), Object.prototype);
  t.is(back.polluted, undefined);
  t.deepEqual(Object.keys(back), ['__proto__', 'constructor']);
});

testInBoth('views of shared memory can be arguments and parts of values again', async (t) => {
  const array = await put(new Float64Array(10_000).fill(1));
  t.like(await look.remote(array), { sum: 10_000 });
  t.like(await look.remote(array.subarray(0, 5000)), { sum: 5000 });
  const back = (await echo.remote({ array })) as { array: Float64Array };
  t.is(back.array.length, 10_000);
});

testInBoth('an array already got stays whole while the store fills up with others', async (t) => {
  const array = await put(new Float64Array(MB).fill(7));
  collectGarbage();
  for (let i = 0; i < 40; i++) put(new Float64Array(MB))[Symbol.dispose]();
  t.true(array.every((value) => value === 7));
});

runInBoth();
