/** The longest delay that setTimeout takes. */
const longestDelay = 2 ** 31 - 1;

interface Due {
  readonly at: number;
  readonly run: () => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Timers that also run while their thread is blocked in a native wait, as long as whoever waits
 * calls {@link PumpedTimers.runDue}. They keep no event loop alive.
 */
export class PumpedTimers {
  readonly #due = new Set<Due>();

  /** Runs `run` once after `delay` ms, unless the returned function is called before. */
  start(delay: number, run: () => void): () => void {
    const wait = Math.min(delay, longestDelay);
    const due: Due = { at: performance.now() + wait, run, timer: setTimeout(() => fire(), wait) };
    const fire = () => {
      this.#due.delete(due);
      run();
    };
    due.timer.unref();
    this.#due.add(due);
    return () => this.#stop(due);
  }

  runDue(): void {
    if (this.#due.size === 0) return;
    const now = performance.now();
    for (const due of [...this.#due]) {
      if (due.at > now) continue;
      this.#stop(due);
      due.run();
    }
  }

  close(): void {
    for (const due of [...this.#due]) this.#stop(due);
  }

  #stop(due: Due): void {
    this.#due.delete(due);
    clearTimeout(due.timer);
  }
}
