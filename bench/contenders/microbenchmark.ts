/** What `ray microbenchmark` does, by Mobula: rows with the same names, payloads and calls. */
import {
  actor,
  get,
  init,
  put,
  remote,
  wait,
  type ActorClass,
  type ActorHandle,
  type ObjectRef,
} from 'mobula';
import type { Subject } from '../harness/workload.js';

/** How many take part. */
export interface Counts {
  readonly cores: number;
  /** Those that submit or call. */
  readonly clients: number;
  /** Those that are called. */
  readonly servers: number;
}

const ok = new TextEncoder().encode('ok');

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

const smallValue = remote(() => ok);

const putSmall = remote((count: number) => {
  for (let i = 0; i < count; i++) put(0)[Symbol.dispose]();
});

const putLarge = remote((count: number, length: number) => {
  for (let i = 0; i < count; i++) put(new BigInt64Array(length))[Symbol.dispose]();
});

const manyRefs = remote((count: number) => times(count, () => put(1)));

/** What the handles of both kinds of server have. */
interface Server {
  smallValue(): ObjectRef<Uint8Array>;
}

const Actor = actor(
  class {
    smallValue(): Uint8Array {
      return ok;
    }

    // eslint-disable-next-line @typescript-eslint/no-unused-vars -- it is sent, and that is all
    smallValueArg(_value: number): Uint8Array {
      return ok;
    }

    async smallValueBatch(count: number): Promise<void> {
      await get(times(count, () => smallValue.remote()));
    }
  },
);

const AsyncActor = actor(
  class {
    smallValue(): Promise<Uint8Array> {
      return Promise.resolve(ok);
    }

    // eslint-disable-next-line @typescript-eslint/no-unused-vars -- it is sent, and that is all
    smallValueWithArg(_value: number): Promise<Uint8Array> {
      return Promise.resolve(ok);
    }
  },
);

const Client = actor(
  class {
    readonly #servers: readonly Server[];

    constructor(servers: readonly Server[]) {
      this.#servers = servers;
    }

    async smallValueBatch(count: number): Promise<void> {
      await get(this.#servers.flatMap((server) => times(count, () => server.smallValue())));
    }
  },
);

const ClientWithArg = actor(
  class {
    readonly #server: ActorHandleOf<typeof Actor>;

    constructor(server: ActorHandleOf<typeof Actor>) {
      this.#server = server;
    }

    async smallValueBatch(count: number): Promise<void> {
      const value = put(0);
      await get(times(count, () => this.#server.smallValueArg(value)));
    }
  },
);

type ActorHandleOf<Type> = Type extends ActorClass<never, infer C> ? ActorHandle<C> : never;

const callInTurn = remote(async (servers: readonly Server[], count: number) => {
  await get(times(count, (i) => servers[i % servers.length]!.smallValue()));
});

type Isolation = 'thread' | 'process';

/** Of actors: a host's thread for thread workers, a process of its own for process workers. */
const actorIsolations = { thread: 'shared', process: 'process' } as const;

interface Setting extends Counts {
  readonly isolation: (typeof actorIsolations)[Isolation];
}

/** Does what a row does once; may be called again when its promise has resolved. */
type Operation = () => unknown;

/** Of async actors in Ray, which is its default. */
const asyncConcurrency = 1000;
const batch = 1000;

const serversOf = ({ servers, isolation }: Setting) =>
  times(servers, () => Actor.options({ isolation }).remote());

const asyncServer = ({ isolation }: Setting) =>
  AsyncActor.options({ isolation, maxConcurrency: asyncConcurrency }).remote();

const asyncServersOf = (setting: Setting) => times(setting.servers, () => asyncServer(setting));

function callsOf(server: Server): Operation {
  return () => get(times(batch, () => server.smallValue()));
}

function callsByClient({ isolation }: Setting, servers: readonly Server[]): Operation {
  const client = Client.options({ isolation }).remote(servers);
  return () => client.smallValueBatch(5000);
}

function callsByTasks({ clients }: Setting, servers: readonly Server[]): Operation {
  return () => get(times(clients, () => callInTurn.remote(servers, 5000)));
}

const operations = {
  'single client get calls (Plasma Store)': () => {
    const value = put(0);
    return () => get(value);
  },
  'single client put calls (Plasma Store)': () => () => put(0)[Symbol.dispose](),
  'multi client put calls (Plasma Store)': () => () => get(times(10, () => putSmall.remote(100))),
  'single client put gigabytes': () => {
    const array = new BigInt64Array(100 * 1024 * 1024);
    return () => put(array)[Symbol.dispose]();
  },
  'single client tasks and get batch': () => () => get(times(batch, () => smallValue.remote())),
  'multi client put gigabytes': () => () =>
    get(times(10, () => putLarge.remote(10, 10 * 1024 * 1024))),
  'single client get object containing 10k refs': () => {
    const object = manyRefs.remote(10_000);
    return async () => {
      for (const ref of await object) ref[Symbol.dispose]();
    };
  },
  'single client wait 1k refs': () => async () => {
    let pending: ObjectRef[] = times(batch, () => smallValue.remote());
    while (pending.length > 0) ({ pending } = await wait(pending));
  },
  'single client tasks sync': () => () => smallValue.remote(),
  'single client tasks async': () => () => get(times(batch, () => smallValue.remote())),
  'multi client tasks async': ({ clients, isolation }) => {
    const actors = times(clients, () => Actor.options({ isolation }).remote());
    return () => get(actors.map((one) => one.smallValueBatch(10_000)));
  },
  '1:1 actor calls sync': ({ isolation }) => {
    const server = Actor.options({ isolation }).remote();
    return () => server.smallValue();
  },
  '1:1 actor calls async': ({ isolation }) => callsOf(Actor.options({ isolation }).remote()),
  '1:1 actor calls concurrent': ({ isolation }) =>
    callsOf(Actor.options({ isolation, maxConcurrency: 16 }).remote()),
  '1:n actor calls async': (setting) => callsByClient(setting, serversOf(setting)),
  'n:n actor calls async': (setting) => callsByTasks(setting, serversOf(setting)),
  'n:n actor calls with arg async': (setting) => {
    const { isolation } = setting;
    const clients = serversOf(setting).map((server) =>
      ClientWithArg.options({ isolation }).remote(server),
    );
    return () => get(clients.map((client) => client.smallValueBatch(batch)));
  },
  '1:1 async-actor calls sync': (setting) => {
    const server = asyncServer(setting);
    return () => server.smallValue();
  },
  '1:1 async-actor calls async': (setting) => callsOf(asyncServer(setting)),
  '1:1 async-actor calls with args async': (setting) => {
    const server = asyncServer(setting);
    return () => get(times(batch, (i) => server.smallValueWithArg(i)));
  },
  '1:n async-actor calls async': (setting) => callsByClient(setting, asyncServersOf(setting)),
  'n:n async-actor calls async': (setting) => callsByTasks(setting, asyncServersOf(setting)),
} satisfies Record<string, (setting: Setting) => Operation>;

export type RowName = keyof typeof operations;

export function microbenchmark(row: RowName, counts: Counts, isolation: Isolation): Subject {
  const runtime = init({ workers: counts.cores, isolation });
  const operation = operations[row]({ ...counts, isolation: actorIsolations[isolation] });
  return {
    async run(count) {
      for (let i = 0; i < count; i++) await operation();
    },
    stop: () => runtime.shutdown(),
  };
}
