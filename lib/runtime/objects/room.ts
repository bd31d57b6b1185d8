import { StoreFullError } from '../../common/errors.js';
import { copyOf, type Encoded } from '../../serialization/codec.js';
import { Availability, native, Room as Fits } from '../../store/binding.js';
import type { Core } from '../core.js';
import { Collector } from './collector.js';

/** How long a synchronous caller waits for what others give back. */
const patienceMs = 200;
const sliceMs = 5;
/** What waits for room looks again, and asks anew, this often. */
const pollMs = 50;
/** What waits for room fails when the store has given nothing back for this long. */
const hopeMs = 30_000;
/** Garbage is looked for when less than this part of the memory, or no room for another such object,
 * is left; and only after that many bytes more. */
const spareShare = 1 / 4;
const lookShare = 1 / 16;

interface Waiter {
  readonly place: number;
  readonly encoded: Encoded;
  /** Gives the id of what it has stored; an empty one when nobody wants it any more. */
  readonly store: (encoded: Encoded) => string;
  readonly fail: (error: unknown) => void;
}

/** So many ids are kept before the consumed ones among them are forgotten. */
const storedAtMost = 1000;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * What one thread does when the store is full. All who have the store open are asked to collect
 * garbage. Callers that need an answer now wait a moment for what others give back, never for what
 * only their own finalizers could, and get StoreFullError. Results and promised values wait, in the
 * order they came, until there is room or no hope.
 */
export class Room {
  readonly #core: Core;
  readonly #collector = new Collector();
  readonly #memory: number;
  #waiters: Waiter[] = [];
  /** Ids of values stored by {@link whenever} that may not be consumed yet. */
  #stored: string[] = [];
  #watch: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #changedAt = 0;
  #letPass = 0;
  /** A value that waited has been stored since the last look. */
  #hasMoved = false;
  #bytesSinceLook = 0;

  constructor(core: Core) {
    this.#core = core;
    this.#memory = native.storeStats(core.store)[0]!;
    native.storeOnCollect(core.store, () => this.#collector.request());
  }

  /**
   * How many values wait for room, and hold up their thread: it makes no more of them. When nothing
   * moves, those that consume may stand behind those that produce; so one more may be made with each
   * look, until as many bytes wait as the store has.
   */
  get holdsUp(): number {
    return Math.max(0, this.#waiters.length - this.#letPass);
  }

  /**
   * Settles once garbage has been collected; undefined when there is plenty of room. Who reads values
   * waits for it, so that a loop that only drops refs lets their finalizers run.
   */
  get relief(): Promise<void> | undefined {
    return this.#collector.relief;
  }

  /** An object of `size` bytes has been created by this thread. */
  created(size: number): void {
    this.#bytesSinceLook += size;
    if (this.#bytesSinceLook < this.#memory * lookShare) return;
    this.#bytesSinceLook = 0;
    if (this.#has(Math.max(size, this.#memory * spareShare))) return;
    this.#collector.request();
    native.storeAskToCollect(this.#core.store);
  }

  #has(size: number): boolean {
    return native.storeRoomFor(this.#core.store, size) === Fits.some;
  }

  /** Makes an object of `size` bytes, for a caller that cannot wait long. */
  now<T>(size: number, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (!this.#isHopeful(error, size)) throw error;
      return this.#collectAndMake(size, make, error);
    }
  }

  /** Whether the error is one of lacking room that may come. */
  #isHopeful(error: unknown, size: number): boolean {
    if (!(error instanceof StoreFullError)) return false;
    return native.storeRoomFor(this.#core.store, size) !== Fits.never;
  }

  #collectAndMake<T>(size: number, make: () => T, full: unknown): T {
    this.#collector.now();
    if (this.#has(size)) return make();
    const others = native.storeAskToCollect(this.#core.store) - 1;
    const deadline = performance.now() + patienceMs;
    while (others > 0 && performance.now() < deadline) {
      Atomics.wait(sleeper, 0, 0, sliceMs);
      if (this.#has(size)) return make();
    }
    throw full;
  }

  /**
   * Stores a value now, or after all those that wait already, here and elsewhere. It is copied when it has to wait. `fail`
   * gets what `store` throws, a StoreFullError at last. False when it has to wait.
   */
  whenever(encoded: Encoded, store: Waiter['store'], fail: Waiter['fail']): boolean {
    if (this.#waiters.length === 0) {
      if (this.#attempt(encoded, store, fail, Number.MAX_SAFE_INTEGER)) return true;
      this.#begin();
    }
    const place = native.storeEnterRoomQueue(this.#core.store);
    this.#waiters.push({ place, encoded: copyOf(encoded), store, fail });
    return false;
  }

  #begin(): void {
    this.#changedAt = performance.now();
    this.#letPass = 0;
    this.#watch = this.#core.changes.watchRoom(() => {
      this.#changedAt = performance.now();
      this.#retry();
    });
    this.#timer = setInterval(() => this.#poll(), pollMs);
    native.storeAskToCollect(this.#core.store);
  }

  #poll(): void {
    this.#retry();
    if (this.#waiters.length === 0) return;
    const unchangedMs = performance.now() - this.#changedAt;
    if (unchangedMs > hopeMs) {
      this.#giveUp();
      return;
    }
    native.storeAskToCollect(this.#core.store);
    if (!this.#hasMoved) this.#letOnePass();
    this.#hasMoved = false;
  }

  #letOnePass(): void {
    const bytes = this.#waiters.reduce((total, { encoded }) => total + encoded.size, 0);
    if (bytes > this.#memory) return;
    this.#letPass = this.#waiters.length;
    this.#core.peer.schedule();
  }

  #retry(): void {
    while (this.#waiters.length > 0 && this.#storeFirst()) {
      this.#leave(this.#waiters.shift()!);
      this.#hasMoved = true;
    }
    if (this.#waiters.length === 0) this.#end();
  }

  /** False when there is no room for it yet. */
  #storeFirst(): boolean {
    const { place, encoded, store, fail } = this.#waiters[0]!;
    return this.#attempt(encoded, store, fail, place);
  }

  /** False when there is no room for it yet, or it is not its turn. */
  #attempt(encoded: Encoded, store: Waiter['store'], fail: Waiter['fail'], place: number): boolean {
    if (!this.#isAllowed(encoded.size, place)) return false;
    try {
      const id = store(encoded);
      if (id !== '') this.#stored.push(id);
    } catch (error) {
      if (this.#isHopeful(error, encoded.size)) return false;
      fail(error);
    }
    return true;
  }

  /**
   * Who has values in the store that are not consumed yet waits for its turn, and leaves room for one
   * such value of each other thread. So the value that a consumer waits for gets in, even when those
   * after it were ready sooner.
   */
  #isAllowed(size: number, place: number): boolean {
    const { store } = this.#core;
    const threads = native.storeCollectors(store);
    const isFirst = native.storeIsFirstForRoom(store, place);
    if (isFirst && native.storeRoomFor(store, size * threads) === Fits.some) {
      if (this.#stored.length > storedAtMost) this.#forgetConsumed();
      return true;
    }
    const fits = native.storeRoomFor(store, size);
    if (fits !== Fits.some) return fits === Fits.never;
    this.#forgetConsumed();
    return this.#stored.length === 0;
  }

  #forgetConsumed(): void {
    const { objects } = this.#core;
    this.#stored = this.#stored.filter((id) => objects.availability(id) === Availability.ready);
  }

  #leave({ place }: Waiter): void {
    native.storeLeaveRoomQueue(this.#core.store, place);
  }

  #giveUp(): void {
    const waiters = this.#waiters;
    waiters.forEach((waiter) => this.#leave(waiter));
    this.#end();
    for (const { encoded, store, fail } of waiters) {
      try {
        store(encoded);
      } catch (error) {
        fail(error);
      }
    }
  }

  #end(): void {
    this.#waiters = [];
    if (this.#watch !== undefined) this.#core.changes.unwatch(this.#watch);
    this.#watch = undefined;
    clearInterval(this.#timer);
    // The executor may take tasks again.
    this.#core.peer.schedule();
  }

  /** The store is about to be closed. */
  close(): void {
    this.#waiters = [];
    this.#watch = undefined;
    clearInterval(this.#timer);
  }
}
