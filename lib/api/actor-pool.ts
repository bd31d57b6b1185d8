import { AsyncResource } from 'node:async_hooks';
import { startDeadline } from '../common/deadline.js';
import { GetTimeoutError, MobulaError } from '../common/errors.js';
import { checkFunction, invalidType } from '../common/validate.js';
import { ActorHandle } from '../runtime/actors/actor-handle.js';
import { requireContext } from '../runtime/context.js';
import type { ObjectRef } from '../runtime/objects/object-ref.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';
import { Outcome } from './outcome.js';
import { checkLimits, type Limits } from './limits.js';
import { isAnyIterable, ValueFlow } from './value-flow.js';

/** How long to wait for a result of a pool. */
export interface GetNextOptions {
  /** 0 polls; default none. After a GetTimeoutError the next call waits for the same result. */
  timeout?: number | string;
  /** Rejects with its reason when aborted; the next call waits for the same result. */
  signal?: AbortSignal;
}

/** An item that waits for an actor. */
interface Job<A, T> {
  readonly outcome: Outcome<T>;
  readonly call: (actor: A) => ObjectRef<T>;
}

/** What was submitted, and not taken yet. */
interface Result<T> {
  readonly outcome: Outcome<T>;
  /** Somebody is about to take it. */
  isClaimed: boolean;
  /** Tells who has claimed it that it is there. */
  wake: Wake<T> | undefined;
}

type Wake<T> = (result: Result<T>) => void;

/**
 * Shares work out to actors, to each one item at a time: an actor is idle from the end of its call
 * to the next. `T` is what {@link submit} gives; the results of `map` and `mapUnordered` are their
 * own. For one thread.
 */
export class ActorPool<
  A extends {
    /** Its handle's. */
    readonly actorId: string;
  },
  T = unknown,
> {
  readonly #actors = new Map<string, A>();
  readonly #idle: A[] = [];
  readonly #jobs: Job<A, unknown>[] = [];
  readonly #results: Result<T>[] = [];
  /** Those who wait for whatever comes first. */
  readonly #takers: Wake<T>[] = [];

  constructor(actors: readonly A[]) {
    const given: unknown = actors;
    if (!Array.isArray(given)) throw invalidType('actors', 'an array of actor handles', given);
    actors.forEach((actor, index) => this.#add(`actors[${index}]`, actor));
  }

  /**
   * The values of `fn` for each of the items, in their order; to be iterated once. Items are taken
   * from their source as they are needed: at most two for each actor are on their way until their
   * values are handed out. The first failure throws, as in the function `map`; it, and leaving the
   * loop early, cancels the calls on their way and closes the source.
   */
  map<Item, Value>(
    fn: (actor: A, item: Item) => ObjectRef<Value>,
    items: Iterable<Item> | AsyncIterable<Item>,
  ): AsyncIterableIterator<Value, undefined> {
    return this.#flow(fn, items, true);
  }

  /** As {@link map}, in the order in which the values come. */
  mapUnordered<Item, Value>(
    fn: (actor: A, item: Item) => ObjectRef<Value>,
    items: Iterable<Item> | AsyncIterable<Item>,
  ): AsyncIterableIterator<Value, undefined> {
    return this.#flow(fn, items, false);
  }

  #flow<Item, Value>(
    fn: (actor: A, item: Item) => ObjectRef<Value>,
    items: Iterable<Item> | AsyncIterable<Item>,
    ordered: boolean,
  ): AsyncIterableIterator<Value, undefined> {
    assertNotImporting('ActorPool.map()');
    checkFunction('fn', fn);
    if (!isAnyIterable(items))
      throw invalidType('items', 'an iterable or an async iterable', items);
    const step = {
      width: () => Math.max(2, 2 * this.#actors.size),
      begin: (item: Item) => this.#enqueue(fn, item),
    };
    return new ValueFlow<Item, Value>(items, step, { ordered });
  }

  /** Calls `fn` with an actor as soon as one is idle. What it throws fails its result. */
  submit<Item>(fn: (actor: A, item: Item) => ObjectRef<T>, item: Item): void {
    assertNotImporting('ActorPool.submit()');
    checkFunction('fn', fn);
    const outcome = this.#enqueue(fn, item);
    const result: Result<T> = { outcome, isClaimed: false, wake: undefined };
    this.#results.push(result);
    outcome.whenSettled(() => this.#settled(result));
  }

  /** Whether something was submitted that nobody has taken, or waits for. */
  hasNext(): boolean {
    return this.#results.filter(isFree).length > this.#takers.length;
  }

  /** The result that was submitted first of those not taken yet; rejects when it has failed. */
  async getNext(options: GetNextOptions = {}): Promise<T> {
    const limits = checkLimits(options);
    this.#assertNext('getNext()');
    const result = this.#results.find(isFree)!;
    if (result.outcome.state !== 'pending') return this.#take(result);
    return this.#takeLater(limits, (wake) => {
      result.isClaimed = true;
      result.wake = wake;
      return () => {
        result.isClaimed = false;
        result.wake = undefined;
      };
    });
  }

  /** The result that comes first of those not taken yet; rejects when it has failed. */
  async getNextUnordered(options: GetNextOptions = {}): Promise<T> {
    const limits = checkLimits(options);
    this.#assertNext('getNextUnordered()');
    const settled = this.#results.find((one) => isFree(one) && one.outcome.state !== 'pending');
    if (settled !== undefined) return this.#take(settled);
    return this.#takeLater(limits, (wake) => {
      this.#takers.push(wake);
      return () => this.#takers.splice(this.#takers.indexOf(wake), 1);
    });
  }

  /** Adds an actor, which must not be in the pool. */
  push(actor: A): void {
    this.#add('actor', actor);
    this.#assign();
  }

  /** Takes an actor that is idle out of the pool, if there is one. */
  popIdle(): A | undefined {
    const actor = this.#idle.shift();
    if (actor !== undefined) this.#actors.delete(actor.actorId);
    return actor;
  }

  #add(name: string, actor: A): void {
    if (!(actor instanceof ActorHandle)) throw invalidType(name, 'an actor handle', actor);
    if (this.#actors.has(actor.actorId)) {
      throw invalidType(name, 'an actor that is not in the pool', actor);
    }
    this.#actors.set(actor.actorId, actor);
    this.#idle.push(actor);
  }

  #enqueue<Item, Value>(
    fn: (actor: A, item: Item) => ObjectRef<Value>,
    item: Item,
  ): Outcome<Value> {
    const outcome = new Outcome<Value>({ ownsRef: false });
    const call = AsyncResource.bind((actor: A) => fn(actor, item));
    this.#jobs.push({ outcome, call });
    this.#assign();
    return outcome;
  }

  #assign(): void {
    while (this.#idle.length > 0) {
      const job = this.#jobs.shift();
      if (job === undefined) return;
      if (job.outcome.state !== 'pending') continue;
      const actor = this.#idle.shift()!;
      job.outcome.begin(
        () => job.call(actor),
        () => this.#ended(actor),
      );
    }
  }

  /** The next call is made in a turn of its own: it is the user's code. */
  #ended(actor: A): void {
    this.#idle.push(actor);
    if (this.#jobs.length > 0) queueMicrotask(() => this.#assign());
  }

  #settled(result: Result<T>): void {
    if (!result.isClaimed && this.#takers.length > 0) {
      result.isClaimed = true;
      this.#takers.shift()!(result);
      return;
    }
    result.wake?.(result);
  }

  #assertNext(what: string): void {
    if (this.hasNext()) return;
    throw new MobulaError(
      'MOBULA_NO_RESULTS',
      `${what} has nothing to wait for: submit() something before, and ask hasNext()`,
    );
  }

  /** Waits in the place where `enter` puts a waiter, and which it returns the way out of. */
  async #takeLater(limits: Limits, enter: (wake: Wake<T>) => () => void): Promise<T> {
    const { timeout, signal } = limits;
    signal?.throwIfAborted();
    if (timeout === 0) throw outOfTime(0);
    const endWait = requireContext().core.values.wait();
    const waited = new Promise<Result<T>>((resolve, reject) => {
      const leave = enter((result) => {
        stop();
        resolve(result);
      });
      const fail = (reason: unknown) => {
        leave();
        reject(reason);
      };
      const stop = startDeadline(limits, () => fail(outOfTime(timeout!)), fail);
    });
    return this.#take(await waited.finally(endWait));
  }

  #take(result: Result<T>): Promise<T> {
    this.#results.splice(this.#results.indexOf(result), 1);
    return result.outcome.read();
  }
}

function isFree({ isClaimed }: { readonly isClaimed: boolean }): boolean {
  return !isClaimed;
}

function outOfTime(timeout: number): GetTimeoutError {
  return new GetTimeoutError(`No result of the pool was ready in ${timeout} ms`);
}
