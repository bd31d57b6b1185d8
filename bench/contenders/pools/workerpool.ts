import { fileURLToPath } from 'node:url';
import { requirePeer } from '../../harness/peers.js';
import type { Pool, PoolSettings } from './pool.js';

interface Workerpool {
  exec(name: string, args: unknown[], options?: object): PromiseLike<unknown>;
  terminate(): PromiseLike<void>;
}

interface Module {
  pool(script: string, options: object): Workerpool;
}

/**
 * Threads with a script of their own, all started at once; a worker gets one task at a time, for which
 * there is no setting. Results are transferred.
 */
export function openWorkerpool({ workers }: PoolSettings): Pool {
  const script = fileURLToPath(new URL('./workerpool-worker.js', import.meta.url));
  const options = { workerType: 'thread', minWorkers: workers, maxWorkers: workers };
  const pool = (requirePeer('workerpool') as Module).pool(script, options);
  return {
    run: (name, argument, transfer) =>
      pool.exec(name, [argument], transfer === undefined ? undefined : { transfer }),
    close: () => pool.terminate(),
  };
}
