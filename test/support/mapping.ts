import { context, map, remote } from 'mobula';
import { ObjectStore, type StoreHandle } from 'mobula/store';
import { standAt, type Pass } from './gate.js';

export const square = remote((n: number) => n * n);

export const zeros = remote((length: number) => new Float64Array(length));

/** What an item asks its task to do. */
export type Deed =
  | { readonly give: number }
  | { readonly fail: string }
  | { readonly standAt: Pass; readonly give: number }
  | { readonly markAborted: StoreHandle };

/** Does what its item says. The last one waits until it is cancelled, and then leaves a mark. */
export const perform = remote(async (deed: Deed): Promise<number> => {
  if ('fail' in deed) throw new RangeError(deed.fail);
  if ('standAt' in deed) await standAt(deed.standAt);
  if ('give' in deed) return deed.give;
  const { signal } = context();
  using marks = ObjectStore.attach(deed.markAborted);
  marks.put(new Uint8Array(1));
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  marks.put(new Uint8Array(1));
  return 0;
});

/** A source that tells what was done with it. */
export class Source<T> implements Iterable<T> {
  pulled = 0;
  closed = 0;
  readonly #items: Iterable<T>;

  constructor(items: Iterable<T>) {
    this.#items = items;
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    let hasEnded = false;
    try {
      for (const item of this.#items) {
        this.pulled++;
        yield item;
      }
      hasEnded = true;
    } finally {
      if (!hasEnded) this.closed++;
    }
  }
}

/** Endless. */
export function* naturals(): Generator<number, void, undefined> {
  for (let n = 0; ; n++) yield n;
}

export async function toArray<T>(values: AsyncIterable<T>): Promise<T[]> {
  const array: T[] = [];
  for await (const value of values) array.push(value);
  return array;
}

/** Maps in a task, whose slot the tasks that it waits for may need. */
export const sumOfSquares = remote(async (end: number) => {
  let sum = 0;
  for await (const value of map(square, Array(end).keys())) sum += value;
  return sum;
});
