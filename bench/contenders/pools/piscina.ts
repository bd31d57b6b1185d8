import { requirePeer } from '../../harness/peers.js';
import type { Pool, PoolSettings } from './pool.js';

interface Piscina {
  run(task: unknown, options: object): Promise<unknown>;
  destroy(): Promise<void>;
}

interface Module {
  readonly Piscina: new (options: object) => Piscina;
  readonly FixedQueue: new () => object;
}

/**
 * What its documentation offers for speed: workers that wait on Atomics, the fast queue, no timing;
 * and as many tasks handed to a worker at once as are outstanding. Results are moved.
 */
export function openPiscina({ workers, outstanding }: PoolSettings): Pool {
  const { Piscina, FixedQueue } = requirePeer('piscina') as Module;
  const pool = new Piscina({
    filename: new URL('./piscina-worker.js', import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
    atomics: 'sync',
    concurrentTasksPerWorker: Math.ceil(outstanding / workers),
    recordTiming: false,
    taskQueue: new FixedQueue(),
  });
  return {
    run: (name, argument, transferList) => pool.run(argument, { name, transferList }),
    close: () => pool.destroy(),
  };
}
