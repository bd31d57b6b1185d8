import { release } from 'mobula';
import { askAllToCollect } from './internals.js';
import { runtimeStore } from './runtime.js';
import { collectGarbage, until } from './until.js';

/** The first number of an array that is read and released. */
export async function first(ref: PromiseLike<unknown>): Promise<number | undefined> {
  const value = (await ref) as Float64Array;
  const number = value[0];
  release(value);
  return number;
}

/** Evicts all that nobody reads, until these are gone. */
export async function lose(...objects: readonly { readonly id: string }[]): Promise<void> {
  using store = runtimeStore();
  await until('the objects are evicted', () => {
    askAllToCollect();
    collectGarbage();
    store.evict(store.stats().memory);
    return !objects.some(({ id }) => store.contains(id));
  });
}
