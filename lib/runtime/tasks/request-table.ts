import type { PendingRequest } from './request.js';

const pageSize = 1024;

interface Page {
  readonly number: number;
  readonly rows: (PendingRequest | undefined)[];
  used: number;
}

/**
 * Requests by their sequence numbers, which grow, but for those that run again when they were
 * answered long ago. Neighbours share a page, so that a look-up is mostly an index into an array. A
 * page goes when its last request has, the newest excepted.
 */
export class RequestTable {
  readonly #pages = new Map<number, Page>();
  #newest = newPage(0);
  /** The page looked at last. */
  #last = this.#newest;
  #size = 0;

  constructor() {
    this.#pages.set(0, this.#newest);
  }

  get size(): number {
    return this.#size;
  }

  get(sequence: number): PendingRequest | undefined {
    return this.#pageOf(sequence)?.rows[sequence % pageSize];
  }

  add(sequence: number, pending: PendingRequest): void {
    const page = this.#pageOf(sequence) ?? this.#turn(sequence);
    page.rows[sequence % pageSize] = pending;
    page.used++;
    this.#size++;
  }

  delete(sequence: number): void {
    const page = this.#pageOf(sequence);
    if (page?.rows[sequence % pageSize] === undefined) return;
    page.rows[sequence % pageSize] = undefined;
    page.used--;
    this.#size--;
    this.#removeIfEmpty(page);
  }

  clear(): void {
    this.#pages.clear();
    this.#newest = this.#last = newPage(this.#newest.number);
    this.#pages.set(this.#newest.number, this.#newest);
    this.#size = 0;
  }

  /** In the order of their numbers. */
  *[Symbol.iterator](): Generator<PendingRequest> {
    for (const { rows } of [...this.#pages.values()]) {
      for (const pending of rows) if (pending !== undefined) yield pending;
    }
  }

  #pageOf(sequence: number): Page | undefined {
    const number = Math.floor(sequence / pageSize);
    if (number === this.#last.number) return this.#last;
    const page = this.#pages.get(number);
    if (page !== undefined) this.#last = page;
    return page;
  }

  #turn(sequence: number): Page {
    const before = this.#newest;
    const page = newPage(Math.floor(sequence / pageSize));
    this.#pages.set(page.number, page);
    if (page.number < before.number) return page;
    this.#newest = this.#last = page;
    this.#removeIfEmpty(before);
    return page;
  }

  #removeIfEmpty(page: Page): void {
    if (page.used > 0 || page === this.#newest) return;
    this.#pages.delete(page.number);
    if (this.#last === page) this.#last = this.#newest;
  }
}

function newPage(number: number): Page {
  const rows = new Array<PendingRequest | undefined>(pageSize).fill(undefined);
  return { number, rows, used: 0 };
}
