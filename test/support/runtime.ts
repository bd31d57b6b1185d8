import test, { type ExecutionContext } from 'ava';
import { init, shutdown, type InitOptions } from 'mobula';
import { ObjectStore } from 'mobula/store';
import { runtimeStoreHandle } from './internals.js';

export type Isolation = 'thread' | 'process';
export const isolations: readonly Isolation[] = ['thread', 'process'];

type Body = (t: ExecutionContext, isolation: Isolation) => void | Promise<void>;

let running: Isolation | undefined;
const declared: { title: string; body: Body }[] = [];

/**
 * Declares a test that runs twice: on a runtime whose workers are threads, and on one whose workers
 * are processes. The tests of a file share a runtime and run one after the other; after each the
 * structures of its store must be in order.
 */
export function testInBoth(title: string, body: Body): void {
  declared.push({ title, body });
}

/** Declares what {@link testInBoth} has collected; to be called at the end of the file. */
export function runInBoth(options: InitOptions = {}): void {
  for (const isolation of isolations) {
    for (const { title, body } of declared) {
      test.serial(`${title} [${isolation}]`, async (t) => {
        await useRuntime(isolation, options);
        await body(t, isolation);
        checkRuntimeStore(t);
      });
    }
  }
  test.after.always(() => shutdown());
}

async function useRuntime(isolation: Isolation, options: InitOptions): Promise<void> {
  if (running === isolation) return;
  await shutdown();
  init({ workers: 2, memory: '256MiB', ...options, isolation });
  running = isolation;
}

/** The store under the runtime, as another client of it would see it. */
export function runtimeStore(): ObjectStore {
  return ObjectStore.attach(runtimeStoreHandle());
}

function checkRuntimeStore(t: ExecutionContext): void {
  using store = runtimeStore();
  t.deepEqual(store.check(), { ok: true, problems: [] });
}
