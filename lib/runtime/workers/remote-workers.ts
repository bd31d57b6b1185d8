import { WorkerCrashedError } from '../../common/errors.js';
import type { Message } from '../../transport/message.js';
import type { PeerAddress } from '../../transport/peer.js';
import { Op } from '../../transport/wire.js';
import type { ActorAddress } from '../actors/actor-handle.js';
import type { ActorIsolation } from '../context.js';
import type { Core } from '../core.js';

/** The workers of a runtime as those see them who are not its driver: they ask the driver. */
export class RemoteWorkers {
  readonly #core: Core;
  readonly #driver: PeerAddress;
  readonly #demanded = new Set<number>();

  constructor(core: Core, driver: PeerAddress) {
    this.#core = core;
    this.#driver = driver;
    core.requests.onRequest = ({ op, target }) => {
      if (op === Op.submit) this.#demand(target);
    };
    core.ends.ask = (uid) => core.send({ type: 'why', uid }, driver);
  }

  /** Once a turn. */
  #demand(queue: number): void {
    if (this.#demanded.has(queue)) return;
    this.#core.send({ type: 'demand', queue }, this.#driver);
    this.#demanded.add(queue);
    setImmediate(() => this.#demanded.delete(queue));
  }

  placeActor({ index, generation }: ActorAddress, isolation: ActorIsolation): void {
    this.#core.send({ type: 'host', index, generation, isolation }, this.#driver);
  }

  /** The driver answers. */
  receive(message: Message): void {
    if (message.type === 'ended') this.#core.ends.add(message.uid, message.reason);
    else if (message.type === 'starved') {
      this.#core.requests.fail(new WorkerCrashedError(message.reason), Op.submit, message.queue);
    }
  }
}
