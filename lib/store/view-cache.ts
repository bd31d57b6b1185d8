import { native, Register } from './binding.js';

/** A held, sealed object. `data` covers exactly its bytes in shared memory. */
export interface Held {
  readonly data: Uint8Array<SharedArrayBuffer>;
  readonly metadataSize: number;
  readonly entry: number;
  readonly generation: number;
  /** Nobody here has held it before, or not lately. */
  readonly isNew: boolean;
}

/** Thrown for an object that would have to be read back from disk first. */
export class OnDisk extends Error {
  readonly id: string;

  constructor(id: string) {
    super(`The object ${id} is on disk`);
    this.id = id;
  }
}

/**
 * Opens objects of one store for reading in one thread. Making a buffer over shared memory costs
 * more than finding the object, so the view of an object is used again as long as it lives.
 */
export class ViewCache {
  readonly #store: number;
  readonly #registers: Float64Array;
  readonly #views: (WeakRef<Uint8Array<SharedArrayBuffer>> | undefined)[] = [];

  constructor(store: number) {
    this.#store = store;
    this.#registers = native.storeRegisters(store);
  }

  /**
   * One more hold on the object, if it is sealed and present. The hold ends by
   * `native.storeReleaseView` or when the buffer's last reference in any thread is gone.
   */
  open(id: string): Held | undefined {
    return this.#held(id, native.storeGet(this.#store, id));
  }

  /** As {@link open}, but throws OnDisk for what is there. */
  openInMemory(id: string): Held | undefined {
    const opened = native.storeGetInMemory(this.#store, id);
    if (opened === null) throw new OnDisk(id);
    return this.#held(id, opened);
  }

  #held(id: string, opened: SharedArrayBuffer | true | undefined): Held | undefined {
    if (opened === undefined) return undefined;
    const registers = this.#registers;
    const entry = registers[Register.entry]!;
    const generation = registers[Register.generation]!;
    const metadataSize = registers[Register.metadataSize]!;
    const buffer = opened === true ? undefined : opened;
    const data = buffer === undefined ? this.#reuse(entry, generation) : this.#keep(entry, buffer);
    // The old buffer has gone between the two calls, and the hold with it.
    if (data === undefined) return this.open(id);
    return { data, metadataSize, entry, generation, isNew: buffer !== undefined };
  }

  #reuse(entry: number, generation: number): Uint8Array<SharedArrayBuffer> | undefined {
    const view = this.#views[entry]?.deref();
    if (view !== undefined) return view;
    const buffer = native.storeReopen(this.#store, entry, generation);
    return buffer === undefined ? undefined : this.#keep(entry, buffer);
  }

  #keep(entry: number, buffer: SharedArrayBuffer): Uint8Array<SharedArrayBuffer> {
    const view = new Uint8Array(buffer);
    this.#views[entry] = new WeakRef(view);
    return view;
  }
}
