import { native } from '../../store/binding.js';

/**
 * What a thread waits for in its store. While it waits for anything, its event loop stays up.
 * Listeners may be called for no reason.
 */
export class StoreChanges {
  readonly #store: number;
  readonly #listeners = new Map<number, () => void>();
  /** Those that keep the event loop up. */
  readonly #awaited = new Set<number>();
  #isOpen = false;

  constructor(store: number) {
    this.#store = store;
  }

  /** `listener` runs after the object may have been sealed, lost, freed or removed. */
  watch(id: string, listener: () => void): number {
    this.#open();
    return this.#add(native.storeWatch(this.#store, id), listener);
  }

  /** `listener` runs after bytes were given back. */
  watchRoom(listener: () => void): number {
    this.#open();
    return this.#add(native.storeWatchRoom(this.#store), listener);
  }

  /**
   * As {@link watch}, for ever, of an object that nobody waits for: the event loop need not stay
   * up.
   */
  overhear(id: string, listener: () => void): void {
    this.#open();
    this.#listeners.set(native.storeWatch(this.#store, id), listener);
  }

  #open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    native.storeOnChanged(this.#store, () => {
      for (const listener of [...this.#listeners.values()]) listener();
    });
  }

  #add(watch: number, listener: () => void): number {
    this.#listeners.set(watch, listener);
    this.#awaited.add(watch);
    if (this.#awaited.size === 1) native.storeKeepAlive(this.#store, true);
    return watch;
  }

  unwatch(watch: number): void {
    if (!this.#listeners.delete(watch)) return;
    native.storeUnwatch(this.#store, watch);
    this.#awaited.delete(watch);
    if (this.#awaited.size === 0) native.storeKeepAlive(this.#store, false);
  }

  /** The store is about to be closed. */
  close(): void {
    this.#listeners.clear();
  }
}
