import { native } from '../../store/binding.js';
import type { Message, TaskAddress } from '../../transport/message.js';
import type { PeerAddress } from '../../transport/peer.js';
import type { Core } from '../core.js';

type Order = Omit<Extract<Message, { type: 'enforce' }>, 'type'>;

/** How long the word of a worker that has ended a task in time may take to come. */
const messageMs = 50;
/** A worker whose code yields now and then has this long to end the task itself. */
const graceMs = 1000;

/**
 * Ends workers that still run what should have ended: cancelled by force, out of time, or nobody's.
 */
export class Enforcer {
  readonly #core: Core;
  readonly #end: (worker: PeerAddress, reason: string) => void;
  readonly #orders = new Map<string, () => void>();

  constructor(core: Core, end: (worker: PeerAddress, reason: string) => void) {
    this.#core = core;
    this.#end = end;
  }

  enforce(order: Order): void {
    this.#after(order.within + messageMs, order, () => {
      if (this.#tellOwner(order)) this.#after(graceMs, order, () => this.#endWorker(order));
    });
  }

  #after(delay: number, { worker, task }: Order, act: () => void): void {
    const key = keyOf(worker, task);
    this.#orders.get(key)?.();
    const stop = this.#core.timers.start(delay, () => {
      this.#orders.delete(key);
      act();
    });
    this.#orders.set(key, stop);
  }

  relax(worker: PeerAddress, task: TaskAddress): void {
    const key = keyOf(worker, task);
    this.#orders.get(key)?.();
    this.#orders.delete(key);
  }

  /** False when the task has ended. */
  #tellOwner({ worker, task, timeout }: Order): boolean {
    if (!this.#blame(worker, task)) return false;
    if (timeout !== undefined) {
      this.#core.send({ type: 'timedOut', sequence: task.sequence, timeout }, task.owner);
    }
    return true;
  }

  #endWorker({ worker, task, what }: Order): void {
    if (this.#blame(worker, task))
      this.#end(worker, `${what ?? 'what it ran'} did not end in time`);
  }

  /** What else the worker runs will be run again. */
  #blame({ slot, uid }: PeerAddress, { owner, sequence }: TaskAddress): boolean {
    return native.peerBlame(this.#core.peer.handle, slot, uid, owner.uid, sequence);
  }
}

function keyOf(worker: PeerAddress, { owner, sequence }: TaskAddress): string {
  return `${worker.uid}/${owner.uid}/${sequence}`;
}
