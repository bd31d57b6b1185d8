import type { TaskExecutor } from '../tasks/task-executor.js';
import { lookMs, type MemoryLimit } from './memory-limit.js';

/** What else a worker may have to do than to run tasks. */
export interface Duties {
  /** Whether others need it even when it runs nothing. */
  isNeeded(): boolean;
  /** Whether what it has ended is not on its way yet. */
  isAnswering(): boolean;
}

/** Ends a task worker that has too much memory, between two tasks, when nothing is lost by that. */
export class Recycling {
  readonly #executor: TaskExecutor;
  readonly #limit: MemoryLimit;
  readonly #duties: Duties;
  readonly #leave: () => void;
  #hasDecided = false;
  #timer: NodeJS.Timeout | undefined;

  /** `leave` is called once, when the worker may end; it takes no more tasks by then. */
  constructor(executor: TaskExecutor, limit: MemoryLimit, duties: Duties, leave: () => void) {
    this.#executor = executor;
    this.#limit = limit;
    this.#duties = duties;
    this.#leave = leave;
    executor.onIdle = () => this.#look();
  }

  #look(): void {
    if (this.#hasDecided) return;
    const memory = this.#limit.look();
    if (memory === 'below') return;
    if (memory === 'unknown' || this.#duties.isNeeded()) {
      this.#lookLater();
      return;
    }
    this.#hasDecided = true;
    this.#executor.stop();
    setImmediate(() => this.#leaveOnceAnswered());
  }

  /** It may stay idle. */
  #lookLater(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#executor.isIdle) this.#look();
    }, lookMs).unref();
  }

  #leaveOnceAnswered(): void {
    if (this.#duties.isAnswering()) setTimeout(() => this.#leaveOnceAnswered(), lookMs).unref();
    else this.#leave();
  }
}
