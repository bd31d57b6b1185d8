import type { ObjectRef } from '../objects/object-ref.js';
import type { ActorClient } from './actor-client.js';
import type { Death } from './actor-control.js';
import { clientOf, type ActorHandle } from './actor-handle.js';
import { deathError } from './death-error.js';
import type { SupervisedChild } from './supervision.js';

/** An actor as the child of a supervisor of this thread, which keeps it alive. */
class SupervisedActor implements SupervisedChild {
  readonly #client: ActorClient;
  readonly #anchor: ObjectRef;

  constructor(client: ActorClient) {
    this.#client = client;
    this.#anchor = client.core.references.borrow(client.anchor.id);
  }

  get name(): string {
    return this.#client.info.className;
  }

  async start(): Promise<void> {
    const { address, core } = this.#client;
    const death = await core.actors.startChild(address);
    if (death !== undefined) throw this.#error(death);
  }

  end(): Promise<void> {
    const { address, core } = this.#client;
    return core.isClosed ? Promise.resolve() : core.actors.endChild(address);
  }

  onDown(listener: (reason: Error) => void): void {
    const { address, core } = this.#client;
    core.actors.supervise(address, (death) => listener(this.#error(death)));
  }

  retire(): void {
    const { address, core } = this.#client;
    if (core.isClosed) return;
    core.actors.retireChild(address);
    this.#anchor[Symbol.dispose]();
  }

  #error(death: Death): Error {
    const { core, declaration } = this.#client;
    return deathError(core, declaration.module, death);
  }
}

export function superviseActor(handle: ActorHandle): SupervisedChild {
  const client = clientOf(handle)!;
  client.assertUsable();
  return new SupervisedActor(client);
}
