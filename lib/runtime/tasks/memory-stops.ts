import { OutOfMemoryError } from '../../common/errors.js';
import type { Message } from '../../transport/message.js';

/** Beside others; a task that is stopped when it runs alone uses up a retry each time. */
const mostStops = 16;

export type MemoryStop = Extract<Message, { readonly type: 'outOfMemory' }>;

/**
 * How often the driver has stopped the workers that ran a task, because memory was short, and how
 * to go on when there is memory again. That another task had it is not this one's fault, and costs
 * it no retry; but when it ran alone, waiting for others does not help.
 */
export class MemoryStops {
  #last: MemoryStop | undefined;
  #count = 0;
  #resume: (() => void) | undefined;

  /** The driver says that it is about to stop the worker. */
  add(stop: MemoryStop): void {
    this.#last = stop;
    this.#count++;
  }

  /** The stop that has ended the worker of that uid, if one has. */
  of(worker: number | undefined): MemoryStop | undefined {
    return this.#last?.worker === worker ? this.#last : undefined;
  }

  get areTooMany(): boolean {
    return this.#count > mostStops;
  }

  wait(resume: () => void): void {
    this.#resume = resume;
  }

  /** There is memory again. */
  end(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}

export function outOfMemory(what: string, { isAlone, pid, report }: MemoryStop): OutOfMemoryError {
  const advice = isAlone
    ? 'It ran alone: let it take less, give the store less (memory), or run it where there is more'
    : 'Run fewer tasks at a time (workers, cpus), give the store less (memory), or let it run again ' +
      '(retries)';
  return new OutOfMemoryError(
    `The worker that ran ${what} (pid ${pid}) was stopped, as memory was short: ${report}. ${advice}`,
  );
}
