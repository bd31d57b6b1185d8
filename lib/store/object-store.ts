import { GetTimeoutError, ObjectNotSealedError, StoreClosedError } from '../common/errors.js';
import { startDeadline } from '../common/deadline.js';
import {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkInteger,
  checkObject,
  checkOneOf,
  checkSignal,
  checkSize,
  checkString,
  invalidType,
  outOfRange,
} from '../common/validate.js';
import { Availability, Eviction, native, Register, type InfoRow } from './binding.js';
import { ViewCache, type Held } from './view-cache.js';

/** Names an anonymous or named store for other threads and processes; plain data. */
export interface StoreHandle {
  readonly pid: number;
  readonly fd: number;
  readonly storeId: string;
}

export interface StoreOptions {
  /** Strict limit on object bytes, pinned ones included. */
  memory: number | string;
  /** Default 1,048,576. */
  maxObjects?: number;
  /** Attachable by unrelated processes of the same user; without it the memory is anonymous. */
  name?: string;
  /** Default `'clru'`: the least recently used objects make room. */
  eviction?: 'clru' | 'none';
  /** Default true: views are mapped read-only. */
  guard?: boolean;
  /** Called for every object that this store's calls evict, after the call has done its work. */
  onEvict?: (object: ObjectInfo) => void;
}

export interface PutOptions {
  /** 32 lowercase hex digits; a fresh id without it. */
  id?: string;
  metadata?: Uint8Array;
}

export interface WaitOptions {
  timeout?: number | string;
  signal?: AbortSignal;
}

export interface ObjectInfo {
  id: string;
  /** Bytes of data, without metadata. */
  size: number;
  state: 'created' | 'sealed' | 'spilled';
  /** Processes that hold the object by a pin or a view. */
  pins: number;
  /** Milliseconds since the epoch. */
  createdAt: number;
}

export interface StoreStats {
  memory: number;
  usedBytes: number;
  freeBytes: number;
  largestFreeBlock: number;
  objects: number;
  sealed: number;
  unsealed: number;
  pinnedObjects: number;
  pinnedBytes: number;
  puts: number;
  gets: number;
  hits: number;
  misses: number;
  evictions: number;
  evictedBytes: number;
  spilled: number;
  spilledBytes: number;
  restored: number;
  restoredBytes: number;
  clients: number;
  reclaimedClients: number;
  recoveries: number;
  copiedViews: number;
}

/** An object being written in place. */
export interface ObjectWriter {
  readonly id: string;
  /** Writable shared memory; not to be touched after `seal()` or `abort()`. */
  readonly data: Uint8Array<SharedArrayBuffer>;
  /** Publishes the object; returns its id. */
  seal(): string;
  /** Gives the memory back; does nothing after `seal()`. */
  abort(): void;
}

/** A sealed object, readable where it lies. */
export interface ObjectView extends Disposable {
  readonly id: string;
  readonly data: Uint8Array<SharedArrayBuffer>;
  readonly metadata: Uint8Array;
  /** The caller's promise not to touch `data` again. Idempotent. */
  release(): void;
}

const defaultMaxObjects = 1_048_576;
const states = ['created', 'sealed', 'spilled'] as const;
const noMetadata = new Uint8Array(0);
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;
const storeIdPattern = /^[0-9a-f]{32}$/;

export function infoOf([id, size, state, pins, createdAt]: InfoRow): ObjectInfo {
  return { id, size, state: states[state]!, pins, createdAt };
}

export function statsOf(row: Float64Array): StoreStats {
  const [memory, used, largest, sealed, unsealed, pinnedObjects, pinnedBytes] = row;
  const [puts, hits, misses, evictions, evictedBytes, clients, reclaimed, recoveries] =
    row.subarray(7);
  return {
    memory: memory!,
    usedBytes: used!,
    freeBytes: memory! - used!,
    largestFreeBlock: largest!,
    objects: sealed! + unsealed!,
    sealed: sealed!,
    unsealed: unsealed!,
    pinnedObjects: pinnedObjects!,
    pinnedBytes: pinnedBytes!,
    puts: puts!,
    gets: hits! + misses!,
    hits: hits!,
    misses: misses!,
    evictions: evictions!,
    evictedBytes: evictedBytes!,
    spilled: 0,
    spilledBytes: 0,
    restored: 0,
    restoredBytes: 0,
    clients: clients!,
    reclaimedClients: reclaimed!,
    recoveries: recoveries!,
    copiedViews: 0,
  };
}

/** The bytes of any buffer or view; a TypeError for what is neither, or is detached. */
function bytesOf(value: unknown): Uint8Array {
  if (ArrayBuffer.isView(value)) return bytesOfView(value);
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
    return new Uint8Array(value);
  }
  throw invalidType('bytes', 'an ArrayBuffer, a SharedArrayBuffer or a view on one', value);
}

/** Fails on a detached buffer, which would pass for an empty one. */
function bytesOfView({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function checkMetadata(value: unknown): Uint8Array | undefined {
  if (value === undefined) return undefined;
  if (!(value instanceof Uint8Array)) throw invalidType('options.metadata', 'a Uint8Array', value);
  return bytesOfView(value);
}

function checkId(name: string, value: unknown): string {
  checkString(name, value);
  if (!storeIdPattern.test(value)) throw outOfRange(name, '32 lowercase hex digits', value);
  return value;
}

function checkName(value: unknown): string {
  checkString('name', value);
  if (namePattern.test(value)) return value;
  throw outOfRange('name', 'at most 200 letters, digits, dots, dashes and underscores', value);
}

function checkHandle(value: unknown): StoreHandle {
  checkObject('target', value);
  const { pid, fd, storeId } = value as Partial<StoreHandle>;
  checkInteger('target.pid', pid, 1);
  checkInteger('target.fd', fd, 0);
  checkId('target.storeId', storeId);
  return value as StoreHandle;
}

/** An open native store. It is closed when nothing that stands on it can be reached any more. */
interface Opened {
  readonly store: number;
  closed: boolean;
}

const collected = new FinalizationRegistry<number>((store) => native.storeClose(store));

class Writer implements ObjectWriter {
  readonly id: string;
  readonly data: Uint8Array<SharedArrayBuffer>;
  readonly #opened: Opened;
  readonly #entry: number;
  readonly #generation: number;
  #ended = false;

  constructor(opened: Opened, id: string, buffer: SharedArrayBuffer, entry: number, gen: number) {
    this.#opened = opened;
    this.id = id;
    this.data = new Uint8Array(buffer);
    this.#entry = entry;
    this.#generation = gen;
  }

  seal(): string {
    if (this.#hasEnded) {
      throw new ObjectNotSealedError(`The object ${this.id} is no longer being written`);
    }
    native.storeSeal(
      this.#opened.store,
      this.#entry,
      this.#generation,
      false,
      undefined,
      undefined,
      undefined,
    );
    this.#ended = true;
    return this.id;
  }

  abort(): void {
    if (this.#hasEnded) return;
    native.storeAbort(this.#opened.store, this.#entry, this.#generation);
    this.#ended = true;
  }

  /** A store that is closed has aborted the object itself. */
  get #hasEnded(): boolean {
    return this.#ended || this.#opened.closed;
  }
}

class View implements ObjectView {
  readonly id: string;
  readonly data: Uint8Array<SharedArrayBuffer>;
  readonly metadata: Uint8Array;
  readonly #entry: number;
  readonly #generation: number;
  /** Undefined once released. */
  #opened: Opened | undefined;

  constructor(opened: Opened, id: string, held: Held, metadata: Uint8Array) {
    this.#opened = opened;
    this.id = id;
    this.data = held.data;
    this.metadata = metadata;
    this.#entry = held.entry;
    this.#generation = held.generation;
  }

  release(): void {
    if (this.#opened === undefined) return;
    native.storeReleaseView(this.#opened.store, this.#entry, this.#generation);
    this.#opened = undefined;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

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
  readonly #onEvict: ((object: ObjectInfo) => void) | undefined;
  readonly #pins = new Map<string, Pin[]>();
  readonly #waiters = new Set<Waiter>();
  #listening = false;

  private constructor(store: number, onEvict?: (object: ObjectInfo) => void) {
    this.#opened = { store, closed: false };
    this.#registers = native.storeRegisters(store);
    this.#views = new ViewCache(store);
    this.#onEvict = onEvict;
    if (onEvict !== undefined) native.storeWatchEvictions(store);
    collected.register(this.#opened, store, this.#opened);
  }

  static create(options: StoreOptions): ObjectStore {
    checkObject('options', options);
    const {
      maxObjects = defaultMaxObjects,
      name,
      eviction = 'clru',
      guard = true,
      onEvict,
    } = options;
    const memory = checkSize('options.memory', options.memory, 64);
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

  get handle(): StoreHandle {
    const [pid, fd, storeId] = native.storeHandle(this.#open());
    return { pid, fd, storeId };
  }

  /** Copies the bytes into a new sealed object; returns its id. */
  put(bytes: ArrayBufferView | ArrayBufferLike, options: PutOptions = {}): string {
    const store = this.#open();
    checkObject('options', options);
    const metadata = checkMetadata(options.metadata);
    const id = options.id === undefined ? undefined : checkId('options.id', options.id);
    const put = native.storePut(store, id, bytesOf(bytes), metadata);
    if (this.#onEvict !== undefined) this.#reportEvictions(store);
    return put;
  }

  /** A new object to be written in place. */
  create(size: number, options: PutOptions = {}): ObjectWriter {
    const store = this.#open();
    checkInteger('size', size, 0);
    checkObject('options', options);
    const metadata = checkMetadata(options.metadata);
    const wanted = options.id === undefined ? undefined : checkId('options.id', options.id);
    const [id, buffer] = native.storeCreateObject(store, wanted, size, metadata);
    const { [Register.entry]: entry, [Register.generation]: generation } = this.#registers;
    const writer = new Writer(this.#opened, id, buffer, entry!, generation!);
    if (this.#onEvict !== undefined) this.#reportEvictions(store);
    return writer;
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
    if (this.#onEvict !== undefined) this.#reportEvictions(store);
    return freed;
  }

  list(): ObjectInfo[] {
    return native.storeList(this.#open()).map(infoOf);
  }

  stats(): StoreStats {
    return statsOf(native.storeStats(this.#open()));
  }

  /** Walks every structure of the segment; never changes anything. */
  check(): { ok: boolean; problems: string[] } {
    const problems = native.storeCheck(this.#open());
    return { ok: problems.length === 0, problems };
  }

  /** Gives back this instance's pins and unsealed writers. Views stay readable. Idempotent. */
  close(): void {
    if (this.#opened.closed) return;
    const waiters = [...this.#waiters];
    this.#opened.closed = true;
    this.#pins.clear();
    collected.unregister(this.#opened);
    native.storeClose(this.#opened.store);
    for (const { id, finish, reject } of waiters) {
      finish(() => reject(new StoreClosedError(`The store was closed while waiting for ${id}`)));
    }
  }

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
        this.#onEvict?.(infoOf(row));
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
