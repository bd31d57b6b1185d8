/** Piscina with one worker. */
import { requirePeer } from '../harness/peers.js';
import type { Subject } from '../harness/workload.js';
import { serial, windowed } from './submission.js';

interface Pool {
  run(task: unknown, options: { name: string }): Promise<unknown>;
  destroy(): Promise<void>;
}

interface Module {
  readonly Piscina: new (options: object) => Pool;
  readonly FixedQueue: new () => object;
}

/**
 * What its documentation offers for speed: workers that wait on Atomics, the fast queue, no timing;
 * and as many tasks handed to the worker at once as are outstanding.
 */
function open(size: number): Pool {
  const { Piscina, FixedQueue } = requirePeer('piscina') as Module;
  return new Piscina({
    filename: new URL('./work.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    atomics: 'sync',
    concurrentTasksPerWorker: size,
    recordTiming: false,
    taskQueue: new FixedQueue(),
  });
}

export function piscinaNoop(size: number): Subject {
  const pool = open(size);
  const run = windowed(() => pool.run(undefined, { name: 'noop' }), size);
  return { run, stop: () => pool.destroy() };
}

export function piscinaArray(length: number): Subject {
  const pool = open(1);
  const array = new Float64Array(length).fill(1);
  const run = serial(() => pool.run(array, { name: 'lastOf' }));
  return { run, stop: () => pool.destroy() };
}
