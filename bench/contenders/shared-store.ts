/** One ObjectStore in several processes. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { ObjectStore } from 'mobula/store';
import type { Subject } from '../harness/workload.js';
import type { Order } from './store-client.js';

class Client {
  readonly #child: ChildProcess;

  constructor(store: ObjectStore) {
    const entry = new URL('./store-client.js', import.meta.url);
    this.#child = fork(entry, [JSON.stringify(store.handle)], { execArgv: [] });
  }

  /** Resolves when it is done. */
  async order(order: Order): Promise<void> {
    const done = once(this.#child, 'message');
    this.#child.send(order);
    await done;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async end(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }
}

/** The operations are divided among the processes. */
function contended(
  processes: number,
  order: (store: ObjectStore) => (count: number) => Order,
): Subject {
  const store = ObjectStore.create({ memory: '64MB' });
  const orderOf = order(store);
  const clients = Array.from({ length: processes }, () => new Client(store));
  const all = async (next: Order) => {
    await Promise.all(clients.map((client) => client.order(next)));
  };
  return {
    prepare: () => all({ kind: 'drop' }),
    run: (count) => all(orderOf(Math.ceil(count / processes))),
    async stop() {
      await Promise.all(clients.map((client) => client.end()));
      store.close();
    },
  };
}

/** All get the same object. */
export function contendedGets(processes: number): Subject {
  return contended(processes, (store) => {
    const id = store.put(new Uint8Array(64));
    return (count) => ({ kind: 'get', id, count });
  });
}

export function contendedPuts(processes: number): Subject {
  return contended(processes, () => (count) => ({ kind: 'put', count }));
}

/** One operation: a process that pins so many objects is killed, and all come back. */
export function killedClient(pins: number): Subject {
  const store = ObjectStore.create({ memory: '64MB' });
  const bytes = new Uint8Array(64);
  const ids = Array.from({ length: pins }, () => store.put(bytes));
  let client: Client;
  return {
    async prepare() {
      client = new Client(store);
      await client.order({ kind: 'pin', ids });
    },
    async run() {
      client.kill();
      while (store.stats().pinnedObjects > 0) await turn();
    },
    stop: () => store.close(),
  };
}
