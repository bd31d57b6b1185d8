/** Tasks that die, and tasks that are slow enough to be killed. */
import { allocate, remote, type ObjectRef } from 'mobula';
import { ObjectStore, type StoreHandle } from 'mobula/store';
import { standAt, type Pass } from './gate.js';

/** Leaves an object behind for each attempt, then kills its worker. */
export const crash = remote((attempts: StoreHandle): never => {
  ObjectStore.attach(attempts).put(new Uint8Array(1));
  process.exit(1);
});

function sumOf(array: Float64Array): number {
  return array.reduce((total, n) => total + n, 0);
}

/** Kills its worker the first time; then adds up the array and the one behind the ref. */
export const crashOnce = remote(
  async (attempts: StoreHandle, array: Float64Array, [ref]: ObjectRef<Float64Array>[]) => {
    using store = ObjectStore.attach(attempts);
    const isFirst = store.stats().objects === 0;
    store.put(new Uint8Array(1));
    if (isFirst) process.exit(1);
    return sumOf(array) + sumOf(await ref!);
  },
);

function work(): number {
  let sum = 0;
  for (let i = 0; i < 200_000; i++) sum += i;
  return sum;
}

export const squareSlowly = remote((n: number) => {
  work();
  return n * n;
});

export const slowSum = remote((array: Float64Array) => {
  work();
  return sumOf(array);
});

/** Waits at the gate with an unsealed object of the runtime's store. */
export const standWithMemory = remote(async (pass: Pass, length: number) => {
  const array = allocate(Uint8Array, length);
  await standAt(pass);
  return array.length;
});
