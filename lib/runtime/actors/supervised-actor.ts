import { keyOf } from './actor-address.js';
import type { ActorClient } from './actor-client.js';
import type { Death } from './actor-control.js';
import { deathError } from './death-error.js';
import type { SupervisedChild } from './supervision.js';

/** The actors that this thread supervises, each of which it does once. */
const supervised = new WeakMap<ActorClient['core'], Set<number>>();

/** An actor as the child of a supervisor of this thread, which holds it. */
class SupervisedActor implements SupervisedChild {
  readonly #client: ActorClient;

  constructor(client: ActorClient) {
    this.#client = client;
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
    return core.actors.endChild(address);
  }

  onDown(listener: (reason: Error) => void): void {
    const { address, core } = this.#client;
    core.actors.supervise(address, (death) => listener(this.#error(death)));
  }

  retire(): void {
    const { address, core } = this.#client;
    supervised.get(core)?.delete(keyOf(address));
    if (!core.isClosed) core.actors.retireChild(address);
  }

  #error(death: Death): Error {
    const { core, declaration } = this.#client;
    return deathError(core, declaration.module, death);
  }
}

/** Undefined when it has a supervisor in this thread already. */
export function superviseActor(client: ActorClient): SupervisedChild | undefined {
  const { address, core } = client;
  const known = supervised.get(core) ?? new Set();
  supervised.set(core, known);
  const key = keyOf(address);
  if (known.has(key)) return undefined;
  known.add(key);
  return new SupervisedActor(client);
}
