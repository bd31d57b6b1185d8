import type { ExecutionContext } from 'ava';
import { ObjectExistsError } from 'mobula';
import { ObjectStore, type StoreHandle } from 'mobula/store';
import { createStore, idOf } from './stores.js';
import { until } from './until.js';

/** Says what has happened, in order, in whatever threads and processes. */
export class Journal {
  readonly #store: ObjectStore;

  constructor(t: ExecutionContext) {
    this.#store = createStore(t);
  }

  /** For {@link enter}: plain data. */
  get handle(): StoreHandle {
    return this.#store.handle;
  }

  get entries(): string[] {
    const count = this.#store.stats().objects;
    return Array.from({ length: count }, (_, n) => {
      using entry = this.#store.get(idOf(n))!;
      return Buffer.from(entry.data).toString();
    });
  }

  /** Resolves when it has so many entries. */
  async until(count: number): Promise<void> {
    await until(
      `there are ${count} entries after: ${this.entries.join(', ')}`,
      () => this.#store.stats().objects >= count,
    );
  }
}

/** At once: what the caller does next comes after it. */
export function enter(journal: StoreHandle, text: string): void {
  using store = ObjectStore.attach(journal);
  for (let n = store.stats().objects; ; n++) {
    try {
      store.put(Buffer.from(text), { id: idOf(n) });
      return;
    } catch (error) {
      if (!(error instanceof ObjectExistsError)) throw error;
    }
  }
}
