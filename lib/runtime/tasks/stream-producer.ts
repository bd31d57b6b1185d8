import { setImmediate as nextTurn } from 'node:timers/promises';
import { Delivery, type Responder, type Sent } from './responder.js';
import { runAsynchronously, type RunningTask } from './running-task.js';
import { isThenable } from './thenable.js';

/** How long items of a synchronous generator follow each other before the event loop has a turn. */
const sliceMs = 5;

const finished: IteratorResult<unknown> = { done: true, value: undefined };

export type AnyGenerator = Iterator<unknown, unknown> | AsyncIterator<unknown, unknown>;

/** What the executor does while a producer waits for its reader. */
export interface Lender {
  beginWait(task: RunningTask): void;
  endWait(task: RunningTask): void;
}

/**
 * Runs a task's generator, never more than the task's `backpressure` items ahead of its reader. A
 * task that is cancelled ends the generator, which runs its `finally` blocks.
 */
export class StreamProducer {
  readonly task: RunningTask;
  readonly #iterator: AnyGenerator;
  readonly #responder: Responder;
  readonly #lender: Lender;
  readonly #ahead: number;
  readonly #delivery: Delivery;
  #sent = 0;
  #taken = 0;
  #wake: (() => void) | undefined;
  /** Resolves when the generator has done what it does when it is ended early. */
  #closed: PromiseLike<unknown> | undefined;
  #turnEnd = performance.now() + sliceMs;

  constructor(task: RunningTask, iterator: AnyGenerator, responder: Responder, lender: Lender) {
    this.task = task;
    this.#iterator = iterator;
    this.#responder = responder;
    this.#lender = lender;
    this.#ahead = task.terms.backpressure!;
    this.#delivery = new Delivery(task);
    task.onCancelled = () => this.#cancelled();
  }

  /** The reader has taken so many items since the beginning. */
  taken(count: number): void {
    this.#taken = Math.max(this.#taken, count);
    this.#wake?.();
  }

  /**
   * Resolves when there are no more items, because the generator has returned or the task has
   * ended, or with true when an item cannot be sent, for which the task has been answered; rejects
   * with what the generator throws. The generator, its `finally` blocks included, runs no more by
   * then.
   */
  async run(): Promise<boolean> {
    try {
      return await this.#produce();
    } finally {
      await this.#closed;
    }
  }

  async #produce(): Promise<boolean> {
    while (!this.#isOver()) {
      if (this.#sent - this.#taken >= this.#ahead) await this.#taking();
      const next = this.#isOver() ? finished : await this.#next();
      if (next.done === true || this.#isOver()) return false;
      const sent = this.#send(next.value);
      if (sent !== true && !(await this.#storing(sent))) {
        this.#close();
        return true;
      }
      if (performance.now() > this.#turnEnd) await this.#turn();
    }
    return false;
  }

  #send(item: unknown): Sent {
    return this.#responder.streamed(this.task.incoming, this.#sent++, item, this.#delivery);
  }

  async #storing(sent: Sent): Promise<boolean> {
    this.#lender.beginWait(this.task);
    const isSent = await sent;
    this.#lender.endWait(this.task);
    return isSent;
  }

  #isOver(): boolean {
    return this.task.ended;
  }

  #next(): IteratorResult<unknown> | PromiseLike<IteratorResult<unknown>> {
    return runAsynchronously(this.task, () => this.#iterator.next());
  }

  async #taking(): Promise<void> {
    this.#lender.beginWait(this.task);
    while (this.#sent - this.#taken >= this.#ahead && !this.task.ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    this.#lender.endWait(this.task);
  }

  async #turn(): Promise<void> {
    await nextTurn();
    this.#turnEnd = performance.now() + sliceMs;
  }

  #cancelled(): void {
    this.#wake?.();
    this.#close();
  }

  #close(): void {
    // What a generator throws while it is being ended has nobody to go to.
    try {
      const ended = runAsynchronously(this.task, () => this.#iterator.return?.());
      if (isThenable(ended)) this.#closed = ended.then(undefined, () => undefined);
    } catch {
      return;
    }
  }
}
