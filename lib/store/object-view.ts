import { native } from './binding.js';
import type { Opened } from './opened.js';
import type { Held } from './view-cache.js';

/** A sealed object, readable where it lies. */
export interface ObjectView extends Disposable {
  /** Of the object. */
  readonly id: string;
  /** The object itself, not a copy, 64-byte aligned: it must not be written. */
  readonly data: Uint8Array<SharedArrayBuffer>;
  /** A copy of what the object was made with; empty without. */
  readonly metadata: Uint8Array;
  /** The caller's promise not to touch `data` again. Idempotent. */
  release(): void;
}

export class View implements ObjectView {
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
