/** What is called when its signal fires. */
class Waiters {
  readonly #signal: AbortSignal;
  readonly #callBacks = new Set<() => void>();
  readonly #fire = () => {
    const callBacks = [...this.#callBacks];
    this.#callBacks.clear();
    for (const callBack of callBacks) callBack();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(callBack: () => void): void {
    if (this.#callBacks.size === 0) {
      this.#signal.addEventListener('abort', this.#fire, { once: true });
    }
    this.#callBacks.add(callBack);
  }

  remove(callBack: () => void): void {
    this.#callBacks.delete(callBack);
    if (this.#callBacks.size === 0) this.#signal.removeEventListener('abort', this.#fire);
  }
}

const waiting = new WeakMap<AbortSignal, Waiters>();

/**
 * Calls `callBack` when the signal fires, unless the returned function has been called before. Any
 * number may wait for one signal: it gets one listener, since Node 20 warns of more than ten.
 */
export function onAbort(signal: AbortSignal, callBack: () => void): () => void {
  const waiters = waiting.get(signal) ?? new Waiters(signal);
  waiting.set(signal, waiters);
  waiters.add(callBack);
  return () => waiters.remove(callBack);
}
