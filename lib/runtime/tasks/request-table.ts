import type { PendingRequest } from './request.js';

const pageSize = 1024;

interface Page {
  readonly rows: (PendingRequest | undefined)[];
  used: number;
}

/**
 * Requests by their sequence numbers, which only grow. Neighbours share a page, so that a look-up
 * is mostly an index into an array; a page goes when its last request has.
 */
export class RequestTable {
  readonly #pages = new Map<number, Page>();
  #number = -1;
  /** The page looked at last, of that number. */
  #page: Page | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(sequence: number): PendingRequest | undefined {
    return this.#pageOf(sequence)?.rows[sequence % pageSize];
  }

  /** There is none of that number yet. */
  add(sequence: number, pending: PendingRequest): void {
    const page = this.#pageOf(sequence) ?? this.#addPage(sequence);
    page.rows[sequence % pageSize] = pending;
    page.used++;
    this.#size++;
  }

  delete(sequence: number): void {
    const page = this.#pageOf(sequence);
    if (page?.rows[sequence % pageSize] === undefined) return;
    page.rows[sequence % pageSize] = undefined;
    this.#size--;
    if (--page.used > 0) return;
    this.#pages.delete(this.#number);
    this.#page = undefined;
    this.#number = -1;
  }

  clear(): void {
    this.#pages.clear();
    this.#page = undefined;
    this.#number = -1;
    this.#size = 0;
  }

  /** In the order of their numbers, as long as pages are added in order. */
  *[Symbol.iterator](): Generator<PendingRequest> {
    for (const { rows } of [...this.#pages.values()]) {
      for (const pending of rows) if (pending !== undefined) yield pending;
    }
  }

  #pageOf(sequence: number): Page | undefined {
    const number = Math.floor(sequence / pageSize);
    if (number === this.#number) return this.#page;
    const page = this.#pages.get(number);
    if (page === undefined) return undefined;
    this.#number = number;
    this.#page = page;
    return page;
  }

  #addPage(sequence: number): Page {
    const number = Math.floor(sequence / pageSize);
    const page = { rows: new Array<PendingRequest | undefined>(pageSize).fill(undefined), used: 0 };
    this.#pages.set(number, page);
    this.#number = number;
    this.#page = page;
    return page;
  }
}
