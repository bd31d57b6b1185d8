import { allocate, init, put, release, remote, ObjectRef } from 'mobula';
import * as work from '../work.js';
import type { OpenPool, WorkName } from './pool.js';
import type { ArgumentSource } from './subjects.js';

/** Large arrays are in shared memory from the beginning, where docs/tuning.md says that it is worth it. */
function arrayOf(length: number): Float64Array {
  const isLarge = length * Float64Array.BYTES_PER_ELEMENT >= 256_000;
  return isLarge ? allocate(Float64Array, length) : new Float64Array(length);
}

function ones(length: number): Float64Array {
  return arrayOf(length).fill(1);
}

function copyOf(numbers: Float64Array): Float64Array {
  const copy = arrayOf(numbers.length);
  copy.set(numbers);
  return copy;
}

const tasks: Record<WorkName, { remote(argument?: unknown): ObjectRef }> = {
  noop: remote(work.noop),
  burn: remote(work.burn),
  lastOf: remote(work.lastOf as (numbers: unknown) => number),
  ones: remote(ones as (length: unknown) => Float64Array),
  copyOf: remote(copyOf as (numbers: unknown) => Float64Array),
};

/** Workers of this kind. */
function openMobula(isolation: 'thread' | 'process'): OpenPool {
  return ({ workers }) => {
    const runtime = init({ workers, isolation, memory: '1GB' });
    return {
      run: (name, argument) => tasks[name].remote(argument),
      release(task, result) {
        if (task instanceof ObjectRef) task[Symbol.dispose]();
        release(result);
      },
      close: () => runtime.shutdown(),
    };
  };
}

export const openMobulaThreads = openMobula('thread');

export const openMobulaProcesses = openMobula('process');

/** All tasks get a ref to the same array. */
export const putOnce: ArgumentSource = (length) => {
  const argument = { value: put(ones(length)) };
  return () => argument;
};

/** Every task's array is made for it. */
export const allocated: ArgumentSource = (length) => () => {
  const value = ones(length);
  return { value, end: () => release(value) };
};
