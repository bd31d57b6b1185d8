import { GetTimeoutError, StoreClosedError } from '../common/errors.js';
import { startDeadline } from '../common/deadline.js';
import {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkInteger,
  checkKeys,
  checkObject,
  checkOneOf,
  checkSignal,
  checkSize,
} from '../common/validate.js';
import { Availability, Eviction, native, Register } from './binding.js';
import { infoOf, statsOf, type ObjectInfo, type StoreStats } from './object-info.js';
import { View, type ObjectView } from './object-view.js';
import { Writer, type ObjectWriter } from './object-writer.js';
import type { Opened } from './opened.js';
import {
  bytesOf,
  checkHandle,
  checkId,
  checkMetadata,
  checkName,
  storeOptionNames,
  type PutOptions,
  type StoreHandle,
  type StoreOptions,
  type WaitOptions,
} from './store-options.js';
import { ViewCache } from './view-cache.js';

const defaultMaxObjects = 1_048_576;
const noMetadata = new Uint8Array(0);

const collected = new FinalizationRegistry<number>((store) => native.storeClose(store));
const forgottenHandles = new FinalizationRegistry<number>((fd) => native.storeWithdraw(fd));

/** By store id: who of this thread wants to know what this thread evicts. The instance keeps it. */
const evictionListeners = new Map<string, WeakRef<(object: ObjectInfo) => void>>();

interface Waiter {
  readonly id: string;
  readonly watch: number;
  readonly finish: (settle: () => void) => void;
  readonly resolve: (view: ObjectView) => void;
  readonly reject: (error: unknown) => void;
}

interface Pin {
  readonly generation: number;
  readonly entry: number;
  count: number;
}

/**
 * A Plasma-style shared-memory object store: immutable objects by id, shared without copies by any
 * number of threads and processes, with no server. Use an instance in the thread that made it;
 * give others its `handle` or name.
 */
export class ObjectStore implements Disposable {
  readonly #opened: Opened;
  readonly #registers: Float64Array;
  readonly #views: ViewCache;
  readonly #pins = new Map<string, Pin[]>();
  readonly #waiters = new Set<Waiter>();
  readonly #storeId: string;
  readonly #onEvict: ((object: ObjectInfo) => void) | undefined;
  readonly #reportsEvictions: boolean;
  #handle: StoreHandle | undefined;
  #listening = false;

  private constructor(store: number, onEvict?: (object: ObjectInfo) => void) {
    this.#opened = { store, closed: false };
    this.#storeId = native.storeHandle(store)[2];
    this.#registers = native.storeRegisters(store);
    this.#views = new ViewCache(store);
    this.#onEvict = onEvict;
    if (onEvict !== undefined) evictionListeners.set(this.#storeId, new WeakRef(onEvict));
    this.#reportsEvictions = evictionListeners.has(this.#storeId);
    if (this.#reportsEvictions) native.storeWatchEvictions(store);
    collected.register(this.#opened, store, this.#opened);
  }

  /**
   * Makes a store. StoreFullError when the system does not give the memory that it needs itself;
   * ObjectExistsError when the name is taken.
   */
  static create(options: StoreOptions): ObjectStore {
    checkObject('options', options);
    checkKeys('options', options, storeOptionNames);
    const { maxObjects = defaultMaxObjects, name, eviction = 'clru' } = options;
    const { prefault = 0, guard = true, onEvict } = options;
    const memory = checkSize('options.memory', options.memory, 64);
    const checkedPrefault = checkSize('options.prefault', prefault, 0);
    checkInteger('options.maxObjects', maxObjects, 1, 2 ** 30);
    checkOneOf('options.eviction', eviction, ['clru', 'none']);
    checkBoolean('options.guard', guard);
    if (onEvict !== undefined) checkFunction('options.onEvict', onEvict);
    const checkedName = name === undefined ? undefined : checkName(name);
    const store = native.storeCreate(
      memory,
      maxObjects,
      Eviction[eviction],
      checkedName,
      guard,
      false,
      checkedPrefault,
    );
    return new ObjectStore(store, onEvict);
  }

  /** Maps the memory of a store that another thread or process has made. */
  static attach(target: string | StoreHandle): ObjectStore {
    if (typeof target === 'string') {
      return new ObjectStore(native.storeAttachName(checkName(target)));
    }
    const { pid, fd, storeId } = checkHandle(target);
    return new ObjectStore(native.storeAttachHandle(pid, fd, storeId));
  }

  /** Removes a leftover name; true if it was there. Who has the store open keeps it. */
  static unlink(name: string): boolean {
    return native.storeUnlink(checkName(name));
  }

  /**
   * Plain data with which other threads and processes attach. It keeps the memory: it stays good
   * while this process lives, also after `close()`, as long as this object can be reached.
   */
  get handle(): StoreHandle {
    const store = this.#open();
    if (this.#handle === undefined) {
      const [pid, fd, storeId] = native.storeOffer(store);
      this.#handle = { pid, fd, storeId };
      forgottenHandles.register(this.#handle, fd);
    }
    return this.#handle;
  }

  /** Copies the bytes into a new sealed object; returns its id. */
  put(bytes: ArrayBufferView | ArrayBufferLike, options: PutOptions = {}): string {
    const store = this.#open();
    checkObject('options', options);
    const metadata = checkMetadata(options.metadata);
    const id = options.id === undefined ? undefined : checkId('options.id', options.id);
    try {
      return native.storePut(store, id, bytesOf(bytes), metadata);
    } finally {
      if (this.#reportsEvictions) this.#reportEvictions(store);
    }
  }

  /** A new object to be written in place. */
  create(size: number, options: PutOptions = {}): ObjectWriter {
    const store = this.#open();
    checkInteger('size', size, 0);
    checkObject('options', options);
    const metadata = checkMetadata(options.metadata);
    const wanted = options.id === undefined ? undefined : checkId('options.id', options.id);
    try {
      const [id, buffer] = native.storeCreateObject(store, wanted, size, metadata);
      const { [Register.entry]: entry, [Register.generation]: generation } = this.#registers;
      return new Writer(this.#opened, id, buffer, entry!, generation!);
    } finally {
      if (this.#reportsEvictions) this.#reportEvictions(store);
    }
  }

  /** The object, if it is sealed and present. Counts as a use. */
  get(id: string): ObjectView | undefined {
    const store = this.#open();
    const held = this.#views.open(id);
    if (held === undefined) return undefined;
    const metadata =
      held.metadataSize === 0
        ? noMetadata
        : native.storeMetadata(store, held.entry, held.generation);
    return new View(this.#opened, id, held, metadata);
  }

  /** The object as soon as it is sealed. Outlasts an aborted writer; `close()` rejects it. */
  async wait(id: string, options: WaitOptions = {}): Promise<ObjectView> {
    const store = this.#open();
    checkObject('options', options);
    const timeout =
      options.timeout === undefined ? undefined : checkDuration('options.timeout', options.timeout);
    const { signal } = options;
    if (signal !== undefined) {
      checkSignal('options.signal', signal);
      signal.throwIfAborted();
    }
    const watch = this.#watch(store, id);
    const view = this.get(id);
    if (view !== undefined || timeout === 0) {
      native.storeUnwatch(store, watch);
      if (view !== undefined) return view;
      throw new GetTimeoutError(`The object ${id} is not sealed yet`);
    }
    return this.#await(store, id, watch, timeout, signal);
  }

  #watch(store: number, id: string): number {
    if (!this.#listening) {
      this.#listening = true;
      native.storeOnChanged(store, () => this.#settleWaiters());
    }
    return native.storeWatch(store, id);
  }

  #await(
    store: number,
    id: string,
    watch: number,
    timeout: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ObjectView> {
    const { promise, resolve, reject } = withResolvers<ObjectView>();
    const stopDeadline = startDeadline(
      { timeout, signal },
      () => {
        const message = `The object ${id} was not sealed within ${timeout} ms`;
        waiter.finish(() => reject(new GetTimeoutError(message)));
      },
      (reason) => waiter.finish(() => reject(reason)),
    );
    const finish = (settle: () => void) => {
      if (!this.#waiters.delete(waiter)) return;
      stopDeadline();
      if (!this.#opened.closed) {
        native.storeUnwatch(store, watch);
        if (this.#waiters.size === 0) native.storeKeepAlive(store, false);
      }
      settle();
    };
    const waiter: Waiter = { id, watch, finish, resolve, reject };
    this.#waiters.add(waiter);
    if (this.#waiters.size === 1) native.storeKeepAlive(store, true);
    return promise;
  }

  #settleWaiters(): void {
    for (const waiter of [...this.#waiters]) {
      if (this.#opened.closed) return;
      if (!this.contains(waiter.id)) continue;
      const view = this.get(waiter.id);
      if (view !== undefined) waiter.finish(() => waiter.resolve(view));
    }
  }

  /** What is known of an object, with no use, hit or miss counted. */
  peek(id: string): ObjectInfo | undefined {
    const row = native.storePeek(this.#open(), id);
    return row && infoOf(row);
  }

  /** Whether the object is sealed and present; no use counted. */
  contains(id: string): boolean {
    return native.storeAvailability(this.#open(), id) === Availability.ready;
  }

  /** Keeps a sealed object from eviction: n pins need n unpins. False if it is absent. */
  pin(id: string): boolean {
    if (!native.storePin(this.#open(), id)) return false;
    const entry = this.#registers[Register.entry]!;
    const generation = this.#registers[Register.generation]!;
    const pins = this.#pins.get(id) ?? [];
    const pin = pins.find((one) => one.entry === entry && one.generation === generation);
    if (pin !== undefined) pin.count++;
    else pins.unshift({ entry, generation, count: 1 });
    this.#pins.set(id, pins);
    return true;
  }

  /** False if this instance holds no pin on it. An id that was deleted and made anew while it was
   * pinned gives back its newest pin first. */
  unpin(id: string): boolean {
    const store = this.#open();
    const pins = this.#pins.get(id);
    const pin = pins?.[0];
    if (pins === undefined || pin === undefined) {
      checkId('id', id);
      return false;
    }
    native.storeUnpin(store, pin.entry, pin.generation);
    if (--pin.count === 0) pins.shift();
    if (pins.length === 0) this.#pins.delete(id);
    return true;
  }

  /** Hides the object at once; its memory returns with its last user. False if it is absent. */
  delete(id: string): boolean {
    return native.storeDelete(this.#open(), id);
  }

  /** Evicts least recently used objects until `bytes` are freed or none is left; bytes freed. */
  evict(bytes: number): number {
    const store = this.#open();
    checkInteger('bytes', bytes, 0);
    const freed = native.storeEvict(store, bytes);
    if (this.#reportsEvictions) this.#reportEvictions(store);
    return freed;
  }

  /** All objects, unsealed ones too. */
  list(): ObjectInfo[] {
    return native.storeList(this.#open()).map(infoOf);
  }

  /** Counts of the whole store. */
  stats(): StoreStats {
    return statsOf(native.storeStats(this.#open()));
  }

  /** Walks every structure of the segment; never changes anything. */
  check(): {
    /** Whether all is in order. */
    ok: boolean;
    /** What is not, a line each. */
    problems: string[];
  } {
    const problems = native.storeCheck(this.#open());
    return { ok: problems.length === 0, problems };
  }

  /** Gives back this instance's pins and unsealed writers. Views stay readable. Idempotent. */
  close(): void {
    if (this.#opened.closed) return;
    const waiters = [...this.#waiters];
    this.#opened.closed = true;
    this.#pins.clear();
    if (this.#onEvict !== undefined) evictionListeners.delete(this.#storeId);
    collected.unregister(this.#opened);
    native.storeClose(this.#opened.store);
    for (const { id, finish, reject } of waiters) {
      finish(() => reject(new StoreClosedError(`The store was closed while waiting for ${id}`)));
    }
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open(): number {
    if (this.#opened.closed) {
      throw new StoreClosedError('The store is closed: create it or attach to it again');
    }
    return this.#opened.store;
  }

  #reportEvictions(store: number): void {
    for (const row of native.storeTakeEvicted(store)) {
      try {
        evictionListeners.get(this.#storeId)?.deref()?.(infoOf(row));
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }
}

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
