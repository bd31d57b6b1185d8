import { OutOfDiskError, StoreFullError } from '../../common/errors.js';
import { copyOf, type Encoded } from '../../serialization/codec.js';
import { Availability, native, Room as Fits } from '../../store/binding.js';
import { statsOf } from '../../store/object-info.js';
import type { Core } from '../core.js';
import { Collector } from './collector.js';

/** How long a synchronous caller waits for what others give back: they may have little of the cpus. */
const patienceMs = 1000;
const sliceMs = 5;
/** What waits for room looks again, and asks anew, this often. */
const pollMs = 50;
/**
 * Garbage is looked for when less than this part of the memory, or no room for another such object, is
 * left; and only after that many bytes more.
 */
const spareShare = 1 / 4;
const lookShare = 1 / 16;
/** How much more must be in use at least for the memory to have grown. */
const growthBytes = 64 * 1024 * 1024;

/**
 * What becomes of a value that may have to wait: one of `store`, `fail` and `drop` is the last
 * call.
 */
export interface Storing {
  /** False when nobody waits for the value any more. */
  isWanted?(): boolean;
  /** Gives the id of what it has stored; an empty one when nobody is there to have it. */
  store(encoded: Encoded): string;
  /** Gets what `store` has thrown. */
  fail(error: unknown): void;
  /** It was not wanted any more. */
  drop?(): void;
}

interface Waiter {
  readonly place: number;
  readonly encoded: Encoded;
  readonly storing: Storing;
}

/** So many ids are kept at least before the consumed ones among them are forgotten. */
const storedAtLeast = 1000;

function isOfRoom(error: unknown): error is StoreFullError | OutOfDiskError {
  return error instanceof StoreFullError || error instanceof OutOfDiskError;
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * What one thread does when the store is full. All who have the store open are asked to collect
 * garbage. Callers that need an answer now wait a moment for what others give back, never for what
 * only their own finalizers could, and get StoreFullError. Results and promised values wait, in the
 * order they came, until there is room or no hope.
 */
export class Room {
  /** What waits for room fails when the store has given nothing back for this long. */
  hopeMs = 30_000;
  readonly #core: Core;
  readonly #collector = new Collector(() => this.#beginGrowth());
  readonly #memory: number;
  readonly #lookBytes: number;
  #waiters: Waiter[] = [];
  /** Of errors that say that an object on disk found no room: its size. */
  readonly #unread = new WeakMap<Error, number>();
  /** Ids of values stored by {@link whenever} that may not be consumed yet. */
  #stored: string[] = [];
  /** Which of them are consumed is looked at when they are more than this: twice as many as last time. */
  #storedAtMost = storedAtLeast;
  #watch: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When, and of how many, an object was last seen to have gone. */
  #changedAt = 0;
  #gone = 0;
  #letPass = 0;
  /** A value that waited has been stored since the last look. */
  #hasMoved = false;
  /** At the last look nobody was at work, and nothing had moved. */
  #wasQuiet = false;
  #createdSinceLook = 0;
  #openedSinceLook = 0;
  /** What this thread has created and opened since it has last collected garbage, */
  #touched = 0;
  #touchedAtLook = 0;
  /** and the least that was in use since then. */
  #leastUsed = Infinity;

  constructor(core: Core) {
    this.#core = core;
    this.#memory = native.storeStats(core.store)[0]!;
    this.#lookBytes = Math.min(this.#memory * lookShare, growthBytes / 4);
    native.storeOnCollect(core.store, () => this.#collector.request());
  }

  /**
   * How many values wait for room, and hold up their thread: it makes no more of them. When nothing
   * moves, those that consume may stand behind those that produce; so one more may be made with
   * each look, until as many bytes wait as the store has.
   */
  get holdsUp(): number {
    return Math.max(0, this.#waiters.length - this.#letPass);
  }

  /** Whether values wait for room. */
  get isAwaited(): boolean {
    return this.#waiters.length > 0;
  }

  /**
   * Settles once garbage has been collected; undefined when there is plenty of room, or spilling
   * makes some until the next collection is due. Who reads values waits for it, so that a loop that
   * only drops refs lets their finalizers run.
   */
  get relief(): Promise<void> | undefined {
    const { relief, rests } = this.#collector;
    return relief && rests && this.#canHave(this.#memory * spareShare) ? undefined : relief;
  }

  /** An object of `size` bytes has been created by this thread. */
  created(size: number): void {
    this.#touch(size);
    this.#createdSinceLook += size;
    if (this.#createdSinceLook < this.#memory * lookShare) return;
    this.#createdSinceLook = 0;
    if (this.#has(Math.max(size, this.#memory * spareShare))) return;
    this.#collector.request();
    native.storeAskToCollect(this.#core.store);
  }

  /**
   * This thread holds an object of `size` bytes more, which stay where they are meanwhile. A loop
   * that only reads gives no turn to anybody, so what it has dropped would hold up the put after
   * it.
   */
  opened(size: number): void {
    this.#touch(size);
    const spare = this.#memory * spareShare;
    this.#openedSinceLook += size;
    if (this.#openedSinceLook < spare) return;
    this.#openedSinceLook = 0;
    if (!this.#canHave(spare)) this.#collector.request();
  }

  /**
   * New memory costs more than memory that is used again. So garbage is looked for whenever the
   * store has doubled, by a thread that may hold its share of what is new.
   */
  #touch(size: number): void {
    this.#touched += size;
    if (this.#touched - this.#touchedAtLook < this.#lookBytes) return;
    this.#touchedAtLook = this.#touched;
    const { usedBytes } = statsOf(native.storeStats(this.#core.store));
    this.#leastUsed = Math.min(this.#leastUsed, usedBytes);
    const growth = usedBytes - this.#leastUsed;
    if (growth < Math.max(growthBytes, this.#leastUsed)) return;
    const holders = native.storeCollectors(this.#core.store) + 1;
    if (this.#touched >= growth / holders) this.#collector.suggest();
  }

  #beginGrowth(): void {
    this.#touched = 0;
    this.#touchedAtLook = 0;
    this.#leastUsed = Infinity;
  }

  /** With nothing spilled for it. */
  #has(size: number): boolean {
    return native.storeRoomFor(this.#core.store, size) === Fits.some;
  }

  #canHave(size: number): boolean {
    const fits = native.storeRoomFor(this.#core.store, size);
    return fits === Fits.some || fits === Fits.bySpilling;
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

  /** An object of this store could not be opened. */
  unread(id: string, error: unknown): void {
    if (!isOfRoom(error)) return;
    const [, size] = native.storePeek(this.#core.store, id) ?? [];
    if (size !== undefined) this.#unread.set(error, size);
  }

  /** Calls `read`, for a caller that cannot wait long for what is on disk to come back. */
  reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      const size = this.#sizeUnread(error);
      if (size === undefined) throw error;
      return this.#collectAndMake(size, read, error);
    }
  }

  /**
   * When a read that has thrown `error`, and something like it since `since`, may be tried again.
   * Undefined unless it lacked room for what is on disk, and there is hope.
   */
  reliefFrom(error: unknown, since: number): Promise<void> | undefined {
    if (this.#sizeUnread(error) === undefined) return undefined;
    if (performance.now() - since > this.hopeMs) return undefined;
    native.storeAskToCollect(this.#core.store);
    this.#collector.request();
    return this.#collector.relief;
  }

  /** The same error may also be a value that was read. */
  #sizeUnread(error: unknown): number | undefined {
    const size = isOfRoom(error) ? this.#unread.get(error) : undefined;
    return size !== undefined && this.#isHopeful(error, size) ? size : undefined;
  }

  /** Whether the error is one of lacking room that may come. */
  #isHopeful(error: unknown, size: number): boolean {
    if (!isOfRoom(error)) return false;
    return native.storeRoomFor(this.#core.store, size) !== Fits.never;
  }

  #collectAndMake<T>(size: number, make: () => T, full: unknown): T {
    let hasCollected = this.#collector.now();
    if (hasCollected && this.#canHave(size)) return make();
    const others = native.storeAskToCollect(this.#core.store) - 1;
    const deadline = performance.now() + (others > 0 ? patienceMs : 0);
    while (!hasCollected || performance.now() < deadline) {
      Atomics.wait(sleeper, 0, 0, sliceMs);
      hasCollected = this.#collector.now() || hasCollected;
      if (this.#canHave(size)) return make();
    }
    throw full;
  }

  /**
   * Stores a value now, or after all those that wait already, here and elsewhere. It is copied when
   * it has to wait, which ends with a StoreFullError at last. False when it has to wait.
   */
  whenever(encoded: Encoded, storing: Storing): boolean {
    if (this.#waiters.length === 0) {
      if (this.#attempt(encoded, storing, Number.MAX_SAFE_INTEGER)) return true;
      this.#begin();
    }
    const place = native.storeEnterRoomQueue(this.#core.store);
    this.#waiters.push({ place, encoded: copyOf(encoded), storing });
    return false;
  }

  #begin(): void {
    this.#changedAt = performance.now();
    this.#gone = this.#countGone();
    this.#letPass = 0;
    this.#watch = this.#core.changes.watchRoom(() => this.#retry());
    this.#timer = setInterval(() => this.#poll(), pollMs);
    native.storeAskToCollect(this.#core.store);
  }

  #poll(): void {
    this.#retry();
    if (this.#waiters.length === 0) return;
    this.#noteChange();
    if (performance.now() - this.#changedAt > this.hopeMs) {
      this.#giveUp();
      return;
    }
    native.storeAskToCollect(this.#core.store);
    if (!this.#hasMoved) this.#letOnePass();
    this.#wasQuiet = !this.#hasMoved && native.peerIsQuiet(this.#core.peer.handle);
    this.#hasMoved = false;
  }

  #noteChange(): void {
    const gone = this.#countGone();
    if (gone === this.#gone) return;
    this.#gone = gone;
    this.#changedAt = performance.now();
  }

  /** How many objects there were and are no more. */
  #countGone(): number {
    const { puts, sealed } = statsOf(native.storeStats(this.#core.store));
    return puts - sealed;
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
    const { place, encoded, storing } = this.#waiters[0]!;
    if (storing.isWanted?.() !== false) return this.#attempt(encoded, storing, place);
    storing.drop?.();
    return true;
  }

  /** False when there is no room for it yet, or it is not its turn. */
  #attempt(encoded: Encoded, storing: Storing, place: number): boolean {
    if (!this.#isAllowed(encoded.size, place)) return false;
    try {
      const id = storing.store(encoded);
      if (id !== '') this.#stored.push(id);
    } catch (error) {
      if (this.#isHopeful(error, encoded.size)) return false;
      storing.fail(error);
    }
    return true;
  }

  /**
   * Who has values in the store that are not consumed yet waits for its turn, and leaves room for
   * one such value of each other thread. So the value that a consumer waits for gets in, even when
   * those after it were ready sooner. When nobody is at work, no such value is to come: then all
   * that fits gets in.
   */
  #isAllowed(size: number, place: number): boolean {
    const { store } = this.#core;
    const threads = native.storeCollectors(store);
    const isFirst = native.storeIsFirstForRoom(store, place);
    const spare = this.#wasQuiet ? size : size * threads;
    if (isFirst && this.#canHave(spare)) {
      if (this.#stored.length > this.#storedAtMost) this.#forgetConsumed();
      return true;
    }
    if (!this.#canHave(size)) return native.storeRoomFor(store, size) === Fits.never;
    this.#forgetConsumed();
    return this.#stored.length === 0;
  }

  #forgetConsumed(): void {
    const { objects } = this.#core;
    this.#stored = this.#stored.filter((id) => objects.availability(id) === Availability.ready);
    this.#storedAtMost = Math.max(storedAtLeast, 2 * this.#stored.length);
  }

  #leave({ place }: Waiter): void {
    native.storeLeaveRoomQueue(this.#core.store, place);
  }

  #giveUp(): void {
    const waiters = this.#waiters;
    waiters.forEach((waiter) => this.#leave(waiter));
    this.#end();
    for (const { encoded, storing } of waiters) {
      try {
        if (storing.isWanted?.() === false) storing.drop?.();
        else storing.store(encoded);
      } catch (error) {
        storing.fail(error);
      }
    }
  }

  #end(): void {
    this.#waiters = [];
    this.#wasQuiet = false;
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
