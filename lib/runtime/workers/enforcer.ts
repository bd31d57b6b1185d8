import { native } from '../../store/binding.js';
import type { Message, TaskAddress } from '../../transport/message.js';
import type { PeerAddress } from '../../transport/peer.js';
import type { Core } from '../core.js';

type Order = Extract<Message, { type: 'enforce' }>;

/** A worker whose code yields has this long to end the task itself. */
const graceMs = 100;

/** Ends workers that still run what should have ended: cancelled by force, or out of time. */
export class Enforcer {
  readonly #core: Core;
  readonly #end: (worker: PeerAddress) => void;
  readonly #orders = new Map<string, () => void>();

  constructor(core: Core, end: (worker: PeerAddress) => void) {
    this.#core = core;
    this.#end = end;
  }

  enforce(order: Order): void {
    const key = keyOf(order.worker, order.task);
    this.#orders.get(key)?.();
    const stop = this.#core.timers.start(order.within + graceMs, () => {
      this.#orders.delete(key);
      this.#act(order);
    });
    this.#orders.set(key, stop);
  }

  relax(worker: PeerAddress, task: TaskAddress): void {
    const key = keyOf(worker, task);
    this.#orders.get(key)?.();
    this.#orders.delete(key);
  }

  /** What else the worker runs is not to blame, and will be run again. */
  #act({ worker, task, timeout }: Order): void {
    const { slot, uid } = worker;
    const { handle } = this.#core.peer;
    if (!native.peerBlame(handle, slot, uid, task.owner.uid, task.sequence)) return;
    if (timeout !== undefined) {
      this.#core.send({ type: 'timedOut', sequence: task.sequence, timeout }, task.owner);
    }
    this.#end(worker);
  }
}

function keyOf(worker: PeerAddress, { owner, sequence }: TaskAddress): string {
  return `${worker.uid}/${owner.uid}/${sequence}`;
}
