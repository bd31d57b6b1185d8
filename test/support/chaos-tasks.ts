/** Work of many kinds for a runtime whose workers are being killed. */
import assert from 'node:assert/strict';
import { put, remote, type ObjectRef } from 'mobula';
import type { Random } from './random.js';
import { refsOf } from './streams.js';

/** An array of these is 64 KiB. */
const floats = 8192;
/** More often than workers are killed. */
const lasting = { retries: 1_000_000 };

const echoNumber = remote((value: number) => value).options(lasting);
const describe = remote((n: number) => ({ n, text: `number ${n}`, half: n / 2 })).options(lasting);
const fill = remote((n: number) => new Float64Array(floats).fill(n)).options(lasting);
const addRefs = remote((a: number, b: number) => a + b).options(lasting);
const sumArray = remote((array: Float64Array, [ref]: ObjectRef<number>[]) => [
  array.reduce((total, n) => total + n, 0),
  ref,
]).options(lasting);
const sumToNested = remote(async (n: number): Promise<number> => {
  const refs = Array.from({ length: n }, (_, i) => echoNumber.remote(i));
  let total = 0;
  for (const ref of refs) total += await addRefs.remote(ref, 1);
  return total;
}).options(lasting);
const countFrom = remote(function* (start: number, count: number) {
  for (let i = 0; i < count; i++) yield start + i;
}).options(lasting);

/** Each submits a task, or several, and checks the one value that it may have. */
export const chaosKinds: readonly ((random: Random) => Promise<void>)[] = [
  async (random) => {
    const n = random.below(1e9);
    using ref = echoNumber.remote(n);
    assert.equal(await ref, n);
  },
  async (random) => {
    const n = random.below(1e9);
    using ref = describe.remote(n);
    assert.deepEqual(await ref, { n, text: `number ${n}`, half: n / 2 });
  },
  async (random) => {
    const n = random.below(1e9);
    using ref = fill.remote(n);
    assert.ok(isFilledWith(await ref, n));
  },
  async (random) => {
    const n = random.below(1000);
    using left = echoNumber.remote(n);
    using right = put(n);
    using sum = addRefs.remote(left, right);
    assert.equal(await sum, 2 * n);
  },
  async (random) => {
    const n = random.below(1000);
    using array = fill.remote(n);
    using inner = echoNumber.remote(n);
    using result = sumArray.remote(array, [inner]);
    const [sum, ref] = (await result) as [number, ObjectRef<number>];
    assert.deepEqual([sum, await ref], [floats * n, n]);
    ref[Symbol.dispose]();
  },
  async (random) => {
    const n = random.below(8);
    using ref = sumToNested.remote(n);
    assert.equal(await ref, (n * (n + 1)) / 2);
  },
  async (random) => {
    const [start, count] = [random.below(1000), random.below(20)];
    const refs = await refsOf(countFrom.remote(start, count));
    const values = await Promise.all(refs);
    for (const ref of refs) ref[Symbol.dispose]();
    assert.deepEqual(
      values,
      Array.from({ length: count }, (_, i) => start + i),
    );
  },
];

function isFilledWith(array: Float64Array, value: number): boolean {
  return array.length === floats && array.every((n) => n === value);
}
