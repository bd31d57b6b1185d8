import { WorkerCrashedError } from '../../common/errors.js';
import type { Message } from '../../transport/message.js';
import type { PeerAddress } from '../../transport/peer.js';
import type { Core } from '../core.js';

/** The workers of a runtime as those see them who are not its driver: they ask the driver. */
export class RemoteWorkers {
  readonly #core: Core;
  readonly #driver: PeerAddress;
  /** By run queue: tasks of this turn beyond the first. */
  readonly #demanded = new Map<number, number>();

  constructor(core: Core, driver: PeerAddress) {
    this.#core = core;
    this.#driver = driver;
    core.requests.onRequest = ({ queue }) => {
      if (queue !== undefined) this.#demand(queue);
    };
    core.ends.ask = (uid) => core.send({ type: 'why', uid }, driver);
  }

  /** At once for a turn's first task, for the others together. */
  #demand(queue: number): void {
    const others = this.#demanded.get(queue);
    if (others !== undefined) {
      this.#demanded.set(queue, others + 1);
      return;
    }
    this.#core.send({ type: 'demand', queue, tasks: 1 }, this.#driver);
    this.#demanded.set(queue, 0);
    setImmediate(() => this.#demandOthers(queue));
  }

  #demandOthers(queue: number): void {
    const tasks = this.#demanded.get(queue)!;
    this.#demanded.delete(queue);
    if (tasks === 0 || this.#core.isClosed) return;
    this.#core.send({ type: 'demand', queue, tasks }, this.#driver);
  }

  /** The driver answers. */
  receive(message: Message): void {
    if (message.type === 'ended') this.#core.ends.add(message.uid, message.reason);
    else if (message.type === 'starved') {
      this.#core.requests.fail(new WorkerCrashedError(message.reason), message.queue);
    }
  }
}
