import { types } from 'node:util';
import { ObjectExistsError, ObjectFreedError, ObjectLostError } from '../../common/errors.js';
import type { Codec, Encoded } from '../../serialization/codec.js';
import { SharedViews } from '../../serialization/record.js';
import { RAW_HEADER_BYTES, viewOf, writeRawHeader } from '../../serialization/views.js';
import { Availability, native, Register, type ReferredRow } from '../../store/binding.js';
import { type Held, ViewCache } from '../../store/view-cache.js';
import { forwardTarget } from './forward.js';
import { holdFor } from './holds.js';

/** Where an object stands in the object table. */
export interface Row {
  readonly id: string;
  readonly entry: number;
  readonly generation: number;
}

export interface PutOptions {
  /** A fresh id without it. */
  id?: string;
  /** An object of that id is the leftover of a worker that died before it could say so. */
  replace?: boolean;
  /** The value is an error: reading it throws it. */
  isError?: boolean;
  /** This process counts a reference. */
  addRef: boolean;
  /** And holds the object by a pin. */
  pin?: boolean;
  /** Ids of what the value refers to, 16 bytes each. */
  contained?: Uint8Array | undefined;
  /** A process that will count a reference itself: slot and generation. */
  refClient?: readonly [number, number] | undefined;
}

export type TypedArrayConstructor =
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Uint8ClampedArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | BigInt64ArrayConstructor
  | BigUint64ArrayConstructor;

type SharedArrayType = new (
  buffer: SharedArrayBuffer,
  byteOffset: number,
  length: number,
) => InstanceType<TypedArrayConstructor>;

type Open = (id: string) => Held | undefined;

const errorMark = Uint8Array.of(1);

/** For ever, as the registry of collected refs is. */
const dropped = new FinalizationRegistry<{ objects: SharedObjects; row: Row }>(({ objects, row }) =>
  objects.abortDropped(row),
);

/** Values in the object store, as one thread writes and reads them. */
export class SharedObjects {
  readonly store: number;
  /** An object has been created here. */
  onCreated: (size: number) => void = () => undefined;
  /** An object was opened that this thread did not hold before. */
  onOpened: (size: number) => void = () => undefined;
  /** An object could not be opened. */
  onUnread: (id: string, error: unknown) => void = () => undefined;
  readonly #codec: Codec;
  readonly #freshId: () => string;
  readonly #registers: Float64Array;
  readonly #views: ViewCache;
  readonly #allocations = new WeakMap<ArrayBufferLike, Row>();
  #unsealed = 0;
  /** Sealed arrays stay readable by those who still have them: the buffer of each keeps a hold. */
  readonly #sealed = new WeakMap<ArrayBufferLike, Held>();
  #closed = false;

  constructor(store: number, codec: Codec, freshId: () => string) {
    this.#freshId = freshId;
    this.store = store;
    this.#codec = codec;
    this.#registers = native.storeRegisters(store);
    this.#views = new ViewCache(store);
  }

  /** The store is about to be closed, which gives back what was not sealed. */
  close(): void {
    this.#closed = true;
  }

  /** Copies an encoded value into a sealed object. */
  put(encoded: Encoded, options: PutOptions): Row {
    const { row, buffer } = this.#create(encoded.size, options);
    try {
      encoded.write(new Uint8Array(buffer), 0);
      this.#seal(row, buffer, false, options);
    } catch (error) {
      this.#abort(row);
      throw error;
    }
    return row;
  }

  #create(size: number, { id, replace, isError }: PutOptions) {
    const mark = isError === true ? errorMark : undefined;
    try {
      return this.#createOnce(size, id ?? this.#freshId(), mark);
    } catch (error) {
      if (!(error instanceof ObjectExistsError) || id === undefined || replace !== true)
        throw error;
      native.storeDelete(this.store, id);
      return this.#createOnce(size, id, mark);
    }
  }

  #createOnce(size: number, id: string, mark: Uint8Array | undefined) {
    const [, buffer] = native.storeCreateObject(this.store, id, size, mark);
    this.onCreated(size);
    return { row: this.#rowOf(id), buffer };
  }

  #seal(
    { entry, generation }: Row,
    buffer: SharedArrayBuffer,
    exposed: boolean,
    options: PutOptions,
  ): void {
    const { addRef, contained, refClient, pin = false } = options;
    const [client, clientGeneration] = refClient ?? [];
    native.storeSeal(
      this.store,
      entry,
      generation,
      buffer,
      exposed,
      addRef,
      contained,
      client,
      clientGeneration,
      pin,
    );
  }

  #abort({ entry, generation }: Row): void {
    native.storeAbort(this.store, entry, generation);
  }

  #rowOf(id: string): Row {
    const entry = this.#registers[Register.entry]!;
    const generation = this.#registers[Register.generation]!;
    return { id, entry, generation };
  }

  /** A writable array in shared memory, for {@link sealAllocated}. */
  allocate(type: TypedArrayConstructor, length: number) {
    const size = RAW_HEADER_BYTES + length * type.BYTES_PER_ELEMENT;
    const { row, buffer } = this.#create(size, { addRef: false });
    this.#allocations.set(buffer, row);
    this.#unsealed++;
    dropped.register(buffer, { objects: this, row }, buffer);
    return new (type as SharedArrayType)(buffer, RAW_HEADER_BYTES, length);
  }

  /** Nobody can seal the allocated array of this row any more. */
  abortDropped(row: Row): void {
    this.#unsealed--;
    if (!this.#closed) this.#abort(row);
  }

  /** Whether there are allocated arrays not yet sealed. */
  get hasAllocations(): boolean {
    return this.#unsealed > 0;
  }

  /** If `value` is exactly an allocated array not yet sealed, seals it where it lies. */
  sealAllocated(value: unknown, pin: boolean): Row | undefined {
    if (!ArrayBuffer.isView(value) || !types.isTypedArray(value)) return undefined;
    const row = this.#allocations.get(value.buffer);
    const whole = value.buffer.byteLength - RAW_HEADER_BYTES;
    if (row === undefined || value.byteLength !== whole || value.byteOffset !== RAW_HEADER_BYTES) {
      return undefined;
    }
    const { type, length } = viewOf(value)!;
    writeRawHeader(new Uint8Array(value.buffer), 0, type, length);
    this.#seal(row, value.buffer as SharedArrayBuffer, true, { addRef: true, pin });
    this.#allocations.delete(value.buffer);
    this.#unsealed--;
    dropped.unregister(value.buffer);
    this.#keepReadable(value, row);
    return row;
  }

  #keepReadable(array: ArrayBufferView, { id }: Row): void {
    const held = this.#views.open(id);
    if (held === undefined) return;
    this.#sealed.set(array.buffer, held);
    holdFor(this.store, held, { views: [array], instances: [] });
  }

  /**
   * The value of a sealed object; throws it if it is an error, and ObjectFreedError or
   * ObjectLostError if it is gone.
   */
  read(id: string): unknown {
    return this.#readBy((one) => this.#open(one), id);
  }

  /** As {@link read}, but throws OnDisk for what would have to be read back. */
  readInMemory(id: string): unknown {
    return this.#readBy((one) => this.#noteOpened(this.#views.openInMemory(one)), id);
  }

  #readBy(open: Open, id: string): unknown {
    const held = open(id);
    if (held === undefined) throw this.#notThere(id);
    const shared = new SharedViews();
    const target = forwardTarget(held.data);
    let value: unknown;
    try {
      if (target === undefined) value = this.#codec.decode(held.data, shared);
    } finally {
      holdFor(this.store, held, shared);
    }
    if (target !== undefined) return this.#readTarget(open, id, target);
    if (held.metadataSize > 0) throw value as Error;
    return value;
  }

  #notThere(id: string): Error {
    const found = this.availability(id);
    if (found === Availability.freed) return freed(id);
    const error = lost(id);
    if (found !== Availability.absent) missing.set(error, id);
    return error;
  }

  /** What stands for a lost object is lost itself. */
  #readTarget(open: Open, id: string, target: string): unknown {
    try {
      return this.#readBy(open, target);
    } catch (error) {
      if (missingIn(error) !== target || !native.storeEvictObject(this.store, id)) throw error;
      throw this.#notThere(id);
    }
  }

  #open(id: string): Held | undefined {
    try {
      return this.#noteOpened(this.#views.open(id));
    } catch (error) {
      this.onUnread(id, error);
      throw error;
    }
  }

  #noteOpened(held: Held | undefined): Held | undefined {
    if (held?.isNew === true) this.onOpened(held.data.length);
    return held;
  }

  /** Reads an object back from disk, beside this thread, for who reads it soon after. */
  restore(id: string): Promise<void> {
    return new Promise((resolve, reject) => {
      native.storeRestore(this.store, id, (error) => {
        if (error === undefined) resolve();
        else {
          this.onUnread(id, error);
          reject(error);
        }
      });
    });
  }

  /** Whether it can be read. */
  contains(id: string): boolean {
    return this.availability(id) === Availability.ready;
  }

  availability(id: string): number {
    return native.storeAvailability(this.store, id);
  }

  /** Names an object that this process owes; counts a reference. */
  promise(id: string): Row {
    native.storePromise(this.store, id);
    return this.#rowOf(id);
  }

  /** Counts a reference of this process; undefined if there is no such object. */
  addRef(id: string): Row | undefined {
    return native.storeAddRef(this.store, id) ? this.#rowOf(id) : undefined;
  }

  listReferred(): ReferredRow[] {
    return native.storeListReferred(this.store);
  }

  dropRef(entry: number, generation: number): void {
    native.storeDropRef(this.store, entry, generation);
  }

  unpin(entry: number, generation: number): void {
    native.storeUnpin(this.store, entry, generation);
  }

  /** Gives the object up for all who refer to it. */
  free(id: string): void {
    native.storeFree(this.store, id);
  }

  /** Lets go of an object that was made for this process alone. */
  discard(id: string): void {
    const row = this.addRef(id);
    if (row !== undefined) this.dropRef(row.entry, row.generation);
  }
}

const gone = 'it was deleted or evicted, or its owner has ended';

export function lost(id: string, why = gone): ObjectLostError {
  return new ObjectLostError(`The object ${id} is lost: ${why}`);
}

/** Of errors that reads in this thread have thrown. */
const missing = new WeakMap<Error, string>();

/** The id of the object for lack of which a read has thrown `error`, and which may come again. */
export function missingIn(error: unknown): string | undefined {
  return error instanceof ObjectLostError ? missing.get(error) : undefined;
}

export function freed(id: string): ObjectFreedError {
  return new ObjectFreedError(`The object ${id} was given up by free(): make it again if needed`);
}

export { Availability };
