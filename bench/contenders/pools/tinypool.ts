import { requirePeer } from '../../harness/peers.js';
import type { Pool, PoolSettings } from './pool.js';

interface Tinypool {
  run(task: unknown, options: object): Promise<unknown>;
  destroy(): Promise<void>;
}

interface Module {
  readonly Tinypool: new (options: object) => Tinypool;
}

/**
 * Its documentation refers to that of piscina: workers that wait on Atomics, which is the default, and
 * as many tasks handed to a worker at once as are outstanding. Results are moved.
 */
export function openTinypool({ workers, outstanding }: PoolSettings): Pool {
  const { Tinypool } = requirePeer('tinypool') as Module;
  const pool = new Tinypool({
    filename: new URL('./tinypool-worker.js', import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: Math.ceil(outstanding / workers),
  });
  return {
    run: (name, argument, transferList) => pool.run(argument, { name, transferList }),
    close: () => pool.destroy(),
  };
}
