import type { ExecutionContext } from 'ava';
import { ObjectStore, type StoreOptions } from 'mobula/store';

export const KiB = 1024;
export const MiB = 1024 * KiB;

/**
 * A store of 1 MiB, unless told otherwise; at the test's end every structure of it must be in
 * order.
 */
export function createStore(t: ExecutionContext, options: Partial<StoreOptions> = {}): ObjectStore {
  const store = ObjectStore.create({ memory: MiB, ...options });
  const checker = ObjectStore.attach(store.handle);
  t.teardown(() => {
    const { problems } = checker.check();
    checker.close();
    store.close();
    if (problems.length > 0) throw new Error(`the store is damaged: ${problems.join('; ')}`);
  });
  return store;
}

/** `size` bytes that tell by their value where they came from. */
export function bytes(size: number, value = 1): Uint8Array {
  return new Uint8Array(size).fill(value);
}

/** An id that is good to read in a failure. */
export function idOf(number: number): string {
  return number.toString(16).padStart(32, '0');
}

/** What a refused call must leave as it was. */
export function stateOf(store: ObjectStore): unknown {
  return { list: store.list(), stats: store.stats() };
}
