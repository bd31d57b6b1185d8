import { MobulaError } from '../common/errors.js';
import { native } from '../store/binding.js';
import { RunQueue } from '../transport/wire.js';
import { RemoteActors } from './actors/remote-actors.js';
import { findPlace, nameIn, type Place } from './address.js';
import { endContext, setContext, type WorkerIsolation } from './context.js';
import { Core } from './core.js';
import { RemoteWorkers } from './workers/remote-workers.js';

/** How often it looks whether the owner of the runtime is there. */
const lookMs = 250;

/** A process's part in a runtime that another one owns: a core, and the owner's workers. */
export class Joiner {
  readonly core: Core;
  readonly isDriver = true;
  readonly mayBlock = true;
  readonly isolation: WorkerIsolation;
  readonly name: string | undefined;
  readonly address: string;
  readonly #workers: RemoteWorkers;
  readonly #actors: RemoteActors;
  readonly #look: NodeJS.Timeout;
  #hasEnded = false;

  constructor(address: string) {
    this.address = address;
    this.name = nameIn(address);
    const { store, driver, isolation } = attach(address);
    this.isolation = isolation;
    this.core = new Core(store, RunQueue[isolation], false);
    if (!native.peerIsLive(this.core.peer.handle, driver.slot, driver.uid)) {
      this.core.close();
      throw noRuntime(address);
    }
    this.#workers = new RemoteWorkers(this.core, driver);
    this.#actors = new RemoteActors(this.core, driver);
    this.core.actors = this.#actors;
    this.core.onMessage = (message) => {
      if (message.type === 'closing') this.#ownerHasEnded();
      else if (!this.#actors.receive(message)) this.#workers.receive(message);
    };
    this.core.send({ type: 'join' }, driver);
    const look = () => {
      const { handle } = this.core.peer;
      if (!native.peerIsLive(handle, driver.slot, driver.uid)) this.#ownerHasEnded();
    };
    this.#look = setInterval(look, lookMs).unref();
    this.core.driver = driver;
    this.core.onSlice = look;
    setContext(this);
  }

  #ownerHasEnded(): void {
    this.#end('The process that owns the runtime has ended it');
  }

  /** Leaves the runtime, which goes on. */
  shutdown(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  #end(why?: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#look);
    endContext();
    this.core.refuse(why);
    this.#actors.close();
    // Whoever calls may be looking at what this core has received.
    setImmediate(() => this.core.close());
  }
}

function attach(address: string): Omit<Place, 'store'> & { store: number } {
  const place = findPlace(address);
  if (place === undefined) throw noRuntime(address);
  const { pid, fd, storeId } = place.store;
  try {
    return { ...place, store: native.storeAttachHandle(pid, fd, storeId) };
  } catch (cause) {
    throw noRuntime(address, cause);
  }
}

function noRuntime(address: string, cause?: unknown): MobulaError {
  const message =
    `No runtime of this user runs at '${address}' on this machine: start it first, with ` +
    `init({ name }) or init(), and join it with what its address says`;
  return new MobulaError('MOBULA_NO_RUNTIME', message, { cause });
}
