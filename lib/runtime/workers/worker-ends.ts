/** How long the word of a worker's end may take to come after the news of it. */
const patienceMs = 1000;
const maxKept = 1024;

type Listener = (reason: string | undefined) => void;

/**
 * Why workers have ended, by their peer's uid. The driver sees it; the others ask it. What happens
 * to a worker's tasks may be known before.
 */
export class WorkerEnds {
  /** Asks somebody who knows, who answers by {@link add}. */
  ask: (uid: number) => void = () => undefined;
  readonly #reasons = new Map<number, string>();
  readonly #listeners = new Map<number, Listener[]>();

  add(uid: number, reason: string): void {
    this.#reasons.set(uid, reason);
    if (this.#reasons.size > maxKept) this.#reasons.delete(this.#reasons.keys().next().value!);
    this.#tell(uid, reason);
  }

  /** Calls back at once, or as soon as it is known; with undefined when it stays unknown. */
  reasonOf(uid: number, listener: Listener): void {
    const reason = this.#reasons.get(uid);
    if (reason !== undefined) {
      listener(reason);
      return;
    }
    const listeners = this.#listeners.get(uid);
    if (listeners !== undefined) {
      listeners.push(listener);
      return;
    }
    this.#listeners.set(uid, [listener]);
    this.ask(uid);
    setTimeout(() => this.#tell(uid, undefined), patienceMs).unref();
  }

  #tell(uid: number, reason: string | undefined): void {
    const listeners = this.#listeners.get(uid);
    this.#listeners.delete(uid);
    for (const listener of listeners ?? []) listener(reason);
  }
}
