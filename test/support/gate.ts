import type { ExecutionContext } from 'ava';
import { ObjectStore, type StoreHandle } from 'mobula/store';

/** What a task needs to be held up by a gate: plain data. */
export interface Pass {
  readonly handle: StoreHandle;
  readonly open: string;
  readonly arrivals: string;
}

const openId = '0'.repeat(32);
const arrivalPrefix = 'a'.repeat(16);

/** Holds up tasks, in whatever thread or process they are, until it is opened. */
export class Gate {
  readonly #store = ObjectStore.create({ memory: 64 * 1024, maxObjects: 1000 });

  constructor(t: ExecutionContext) {
    t.teardown(() => this.#store.close());
  }

  pass(visitor = 0): Pass {
    return { handle: this.#store.handle, open: openId, arrivals: arrivalId(visitor) };
  }

  /** Resolves when the task that was given this visitor's pass stands at the gate. */
  async arrived(visitor = 0): Promise<void> {
    (await this.#store.wait(arrivalId(visitor))).release();
  }

  hasArrived(visitor = 0): boolean {
    return this.#store.contains(arrivalId(visitor));
  }

  open(): void {
    this.#store.put(new Uint8Array(1), { id: openId });
  }
}

function arrivalId(visitor: number): string {
  return arrivalPrefix + visitor.toString(16).padStart(16, '0');
}

/** In a task: says that it is there, and waits until the gate is open. */
export async function standAt({ handle, open, arrivals }: Pass): Promise<void> {
  using store = ObjectStore.attach(handle);
  if (!store.contains(arrivals)) store.put(new Uint8Array(1), { id: arrivals });
  (await store.wait(open)).release();
}
