import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { requirePeer } from '../../harness/peers.js';
import type { Pool, PoolSettings } from './pool.js';

interface FixedThreadPool {
  readonly info: { readonly ready: boolean };
  execute(
    data: unknown,
    name: string,
    signal: undefined,
    transfer?: readonly ArrayBuffer[],
  ): Promise<unknown>;
  destroy(): Promise<void>;
}

interface Module {
  readonly FixedThreadPool: new (size: number, path: string, options: object) => FixedThreadPool;
}

/**
 * A fixed pool of threads without events; without the queue, which is the default, a worker is handed
 * its tasks at once. A worker cannot transfer a result: it is copied.
 */
export async function openPoolifier({ workers }: PoolSettings): Promise<Pool> {
  const { FixedThreadPool } = requirePeer('poolifier') as Module;
  const script = fileURLToPath(new URL('./poolifier-worker.js', import.meta.url));
  let running = workers;
  let ended: () => void = () => undefined;
  const exitHandler = () => {
    if (--running === 0) ended();
  };
  const pool = new FixedThreadPool(workers, script, { enableEvents: false, exitHandler });
  // Only a worker that is ready can be ended; without events there is no other way to know.
  while (!pool.info.ready) await delay(1);
  return {
    run: (name, argument, transfer) => pool.execute(argument, name, undefined, transfer),
    // The promise of destroy() stays pending when a worker ends before its end is listened for.
    close: () =>
      new Promise<void>((resolve, reject) => {
        ended = resolve;
        pool.destroy().catch(reject);
      }),
  };
}
