import { ObjectNotSealedError } from '../common/errors.js';
import { native } from './binding.js';
import type { Opened } from './opened.js';

/** An object being written in place. */
export interface ObjectWriter {
  /** Of the object to be. */
  readonly id: string;
  /** Writable shared memory; not to be touched after `seal()` or `abort()`. */
  readonly data: Uint8Array<SharedArrayBuffer>;
  /** Publishes the object; returns its id. ObjectNotSealedError when it has ended before. */
  seal(): string;
  /** Gives the memory back; does nothing after `seal()`. */
  abort(): void;
}

export class Writer implements ObjectWriter {
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
      this.data.buffer,
      true,
      false,
      undefined,
      undefined,
      undefined,
      false,
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
