import { inspect } from 'node:util';
import { onAbort } from '../common/abort.js';
import { requireContext } from '../runtime/context.js';
import type { Outcome } from './outcome.js';

export type AnyIterable<T> = Iterable<T> | AsyncIterable<T>;

/** What is done with each item of a source. */
export interface Step<Item, T> {
  /** How many items may be on their way: taken from the source, their values not yet handed out. */
  width(): number;
  begin(item: Item): Outcome<T>;
}

export interface FlowOptions {
  /** Hands values out in the order of their items; otherwise as they come. */
  readonly ordered: boolean;
  /** Ends it, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Why it ends early. */
interface Failure {
  readonly error: unknown;
}

type Source<Item> = Iterator<Item> | AsyncIterator<Item>;

function isAsync<T>(items: AnyIterable<T>): items is AsyncIterable<T> {
  return typeof items === 'object' && Symbol.asyncIterator in items;
}

export function isAnyIterable(value: unknown): value is AnyIterable<unknown> {
  if (typeof value === 'string') return true;
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}

/**
 * The values that come of the items of a source; to be iterated once. Nothing begins before the
 * first value is asked for. The first failure ends it: what is on its way is cancelled and the
 * source closed at once, values that were there before are still handed out (in order: those at the
 * front), and then it throws. Leaving the loop early cancels and closes too.
 *
 * By hand rather than by a generator, whose `return()` would wait for a `next()` that is pending.
 */
export class ValueFlow<Item, T> implements AsyncIterableIterator<T, undefined> {
  readonly #items: AnyIterable<Item>;
  readonly #step: Step<Item, T>;
  readonly #options: FlowOptions;
  #source: Source<Item> | undefined;
  #sourceEnded = false;
  /** An asynchronous source has been asked for an item. */
  #isPulling = false;
  /** On their way, or waiting to be handed out. */
  readonly #begun = new Set<Outcome<T>>();
  /** In the order in which they are handed out. */
  readonly #line: Outcome<T>[] = [];
  #failure: Failure | undefined;
  #end: Promise<void> | undefined;
  #wake: () => void = () => undefined;
  #lastStep: Promise<unknown> = Promise.resolve();
  #stopListening: (() => void) | undefined;

  constructor(items: AnyIterable<Item>, step: Step<Item, T>, options: FlowOptions) {
    this.#items = items;
    this.#step = step;
    this.#options = options;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const advance = () => this.#advance();
    const step = this.#lastStep.then(advance, advance);
    this.#lastStep = step;
    return step;
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.#finish();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #advance(): Promise<IteratorResult<T, undefined>> {
    try {
      this.#fill();
      const outcome = await this.#settled();
      if (outcome !== undefined) {
        this.#begun.delete(outcome);
        const value = await outcome.read();
        if (this.#end !== undefined) return { done: true, value: undefined };
        this.#fill();
        return { done: false, value };
      }
    } catch (error) {
      this.#fail(error);
      await this.#finish();
      throw error;
    }
    return this.return();
  }

  /** The next one that has a value; undefined when there are no more. */
  async #settled(): Promise<Outcome<T> | undefined> {
    for (;;) {
      if (this.#end !== undefined) return undefined;
      this.#options.signal?.throwIfAborted();
      if (this.#line[0]?.state === 'value') return this.#line.shift();
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#sourceEnded && this.#begun.size === 0) return undefined;
      await this.#change();
    }
  }

  /** A task that waits for others lends its slot. */
  #change(): Promise<void> {
    const endWait = this.#begun.size > 0 ? requireContext().core.values.wait() : undefined;
    return new Promise((resolve) => {
      this.#wake = () => {
        endWait?.();
        this.#wake = () => undefined;
        resolve();
      };
    });
  }

  /** Takes items from the source as long as there is room for them. */
  #fill(): void {
    while (this.#mayPull()) {
      try {
        this.#pull((this.#source ??= this.#open()).next());
      } catch (error) {
        this.#sourceFailed(error);
      }
    }
  }

  #mayPull(): boolean {
    if (this.#sourceEnded || this.#isPulling || this.#end !== undefined) return false;
    return this.#begun.size < this.#step.width();
  }

  #open(): Source<Item> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    this.#stopListening = signal && onAbort(signal, () => this.#abort());
    const items = this.#items;
    return isAsync(items) ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  }

  #pull(pulled: IteratorResult<Item> | PromiseLike<IteratorResult<Item>>): void {
    if (isAsync(this.#items)) void this.#take(pulled as PromiseLike<IteratorResult<Item>>);
    else this.#accept(pulled as IteratorResult<Item>);
  }

  async #take(pulled: PromiseLike<IteratorResult<Item>>): Promise<void> {
    this.#isPulling = true;
    try {
      this.#accept(await pulled);
    } catch (error) {
      this.#sourceFailed(error);
    } finally {
      this.#isPulling = false;
    }
    this.#fill();
    this.#wake();
  }

  #accept(result: IteratorResult<Item>): void {
    const given: unknown = result;
    if (typeof given !== 'object' || given === null) {
      throw new TypeError(`Iterator result ${inspect(given)} is not an object`);
    }
    if (result.done === true) this.#sourceEnded = true;
    else if (!this.#sourceEnded) this.#begin(result.value);
  }

  #begin(item: Item): void {
    const outcome = this.#step.begin(item);
    const { ordered } = this.#options;
    this.#begun.add(outcome);
    if (ordered) this.#line.push(outcome);
    outcome.whenSettled(() => {
      if (outcome.state === 'failed') this.#fail(outcome.error);
      else if (!ordered) this.#line.push(outcome);
      this.#wake();
    });
  }

  /** A source that has thrown needs no closing. */
  #sourceFailed(error: unknown): void {
    this.#sourceEnded = true;
    this.#fail(error);
  }

  /** What has a value already may still be handed out. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    for (const outcome of this.#begun) if (outcome.state !== 'value') outcome.drop();
    void this.#closeSource();
  }

  #abort(): void {
    this.#fail(this.#options.signal!.reason);
    this.#dropAll();
    this.#wake();
  }

  #finish(): Promise<void> {
    if (this.#end !== undefined) return this.#end;
    this.#end = this.#closeSource();
    this.#stopListening?.();
    this.#dropAll();
    this.#wake();
    return this.#end;
  }

  #dropAll(): void {
    for (const outcome of this.#begun) outcome.drop();
    this.#begun.clear();
    this.#line.length = 0;
  }

  /** A source that is being asked for an item hears of it, but may never answer. */
  async #closeSource(): Promise<void> {
    if (this.#sourceEnded || this.#source === undefined) return;
    this.#sourceEnded = true;
    const isWaitedFor = !this.#isPulling && this.#failure === undefined;
    const closed = this.#returnSource();
    if (isWaitedFor) await closed;
    else closed.catch(() => undefined);
  }

  async #returnSource(): Promise<void> {
    await this.#source!.return?.();
  }
}
