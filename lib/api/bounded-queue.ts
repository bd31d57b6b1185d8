import { startDeadline } from '../common/deadline.js';
import { QueueEmptyError, QueueFullError } from '../common/errors.js';

/** How long somebody waits. */
export interface Patience {
  /** Milliseconds; 0 does not wait, Infinity waits for ever. */
  readonly timeout: number;
  /** Whoever is aborted leaves the line. */
  readonly signal: AbortSignal;
  /** Asked before it is served: nothing is wasted on those who have gone. */
  readonly isThere: () => boolean;
}

interface Waiter<Result> {
  readonly patience: Patience;
  /** Ends its deadline. */
  stop: () => void;
  readonly resolve: (result: Result) => void;
}

interface Putter<T> extends Waiter<void> {
  readonly items: readonly T[];
}

interface Getter<T> extends Waiter<T[]> {
  readonly count: number;
}

/**
 * Items in the order in which they came, at most `maxSize`. Those who wait to put, and those who
 * wait to get, are each served in the order in which they came: who wants little waits behind who
 * wants much. What belongs together is put, and got, at once or not at all. For one thread.
 */
export class BoundedQueue<T> {
  readonly #maxSize: number;
  #items: T[] = [];
  /** So many of the items have been taken already. */
  #taken = 0;
  readonly #putters: Putter<T>[] = [];
  readonly #getters: Getter<T>[] = [];

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get size(): number {
    return this.#items.length - this.#taken;
  }

  /** Rejects with QueueFullError when there is no room in time, or can never be. */
  put(items: readonly T[], patience: Patience): Promise<void> {
    return new Promise((resolve, reject) => {
      if (items.length > this.#maxSize) {
        throw new QueueFullError(`${items.length} items do not fit: it takes ${this.#maxSize}`);
      }
      const full = () => reject(this.#full(patience.timeout));
      this.#join(this.#putters, { items, patience, resolve, stop: nothing }, full, reject);
    });
  }

  /** Rejects with QueueEmptyError when there are not so many in time, or can never be. */
  get(count: number, patience: Patience): Promise<T[]> {
    return new Promise((resolve, reject) => {
      if (count > this.#maxSize) {
        throw new QueueEmptyError(`There are never ${count} items: it takes ${this.#maxSize}`);
      }
      const empty = () => reject(this.#empty(count, patience.timeout));
      this.#join(this.#getters, { count, patience, resolve, stop: nothing }, empty, reject);
    });
  }

  #join<W extends Waiter<never>>(
    line: W[],
    waiter: W,
    expire: () => void,
    abort: (reason: unknown) => void,
  ): void {
    line.push(waiter);
    this.#serve();
    if (!line.includes(waiter)) return;
    const leave = (tell: () => void) => {
      line.splice(line.indexOf(waiter), 1);
      waiter.stop();
      tell();
      this.#serve();
    };
    if (waiter.patience.timeout === 0) leave(expire);
    else
      waiter.stop = startDeadline(
        waiter.patience,
        () => leave(expire),
        (reason) => leave(() => abort(reason)),
      );
  }

  #serve(): void {
    while (this.#serveGetter() || this.#servePutter());
  }

  #serveGetter(): boolean {
    const getter = first(this.#getters);
    if (getter === undefined || getter.count > this.size) return false;
    this.#getters.shift();
    getter.stop();
    getter.resolve(this.#take(getter.count));
    return true;
  }

  #servePutter(): boolean {
    const putter = first(this.#putters);
    if (putter === undefined || this.size + putter.items.length > this.#maxSize) return false;
    this.#putters.shift();
    putter.stop();
    for (const item of putter.items) this.#items.push(item);
    putter.resolve();
    return true;
  }

  #take(count: number): T[] {
    const taken = this.#items.slice(this.#taken, this.#taken + count);
    this.#items.fill(undefined as T, this.#taken, this.#taken + count);
    this.#taken += count;
    if (this.#taken > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return taken;
  }

  #full(timeout: number): QueueFullError {
    const holds = `it holds ${this.size} of ${this.#maxSize} items`;
    return new QueueFullError(`There was no room for ${timeout} ms: ${holds}`);
  }

  #empty(count: number, timeout: number): QueueEmptyError {
    const what = count === 1 ? 'no item' : `not ${count} items at a time`;
    return new QueueEmptyError(`There was ${what} for ${timeout} ms`);
  }
}

function nothing(): void {
  return;
}

/** The first in line who is still there. */
function first<W extends Waiter<never>>(line: W[]): W | undefined {
  for (;;) {
    const waiter = line[0];
    if (waiter?.patience.isThere() !== false) return waiter;
    waiter.stop();
    line.shift();
  }
}
