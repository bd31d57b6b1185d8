/** Never run: it only has to compile, and each line with `@ts-expect-error` must not. */
import {
  actor,
  type ActorHandle,
  ActorPool,
  type ObjectRef,
  type ObjectStream,
  remote,
  supervise,
  type SuperviseOptions,
  type Supervisor,
} from 'mobula';
import { expectType } from './expect.js';

class Counter {
  readonly step: number;
  readonly label: string | undefined;
  #count = 0;

  constructor(step: number, label?: string) {
    this.step = step;
    this.label = label;
  }

  increment(times = 1): number {
    return (this.#count += times * this.step);
  }

  async later(): Promise<string> {
    return Promise.resolve(this.secret());
  }

  *countTo(end: number): Generator<number> {
    for (let n = 0; n < end; n++) yield n;
  }

  async *countLater(): AsyncGenerator<string> {
    yield Promise.resolve('1');
    return Promise.resolve();
  }

  divide(a: number, b: number): [number, string] {
    return [a / b, 'rest'];
  }

  [Symbol.iterator](): Iterator<number> {
    return this.countTo(1);
  }

  private secret(): string {
    return String(this.#count);
  }
}

const Counters = actor(Counter);
const add = remote((handle: ActorHandle<Counter>, by: number) => [handle.actorId, by]);

declare const pool: ActorPool<ActorHandle<Counter>>;
declare const window: SuperviseOptions;
declare const handle: ActorHandle<Counter>;
declare const number: ObjectRef<number>;
declare const text: ObjectRef<string>;

export const actors = [
  // The class itself, and a handle to a remote one.
  expectType<Counter>()(() => new Counters(1)),
  expectType<ActorHandle<Counter>>()(() => Counters.remote(1, 'label')),
  expectType<ActorHandle<Counter>>()(() => Counters.options({ isolation: 'process' }).remote(1)),
  expectType<string>()(() => handle.actorId),

  // Methods give refs to what they return or promise, and take refs.
  expectType<ObjectRef<number>>()(() => handle.increment()),
  expectType<ObjectRef<number>>()(() => handle.increment(number)),
  expectType<ObjectRef<string>>()(() => handle.later()),
  Counters.remote(number, text),

  // Generator methods give streams.
  expectType<ObjectStream<number>>()(() => handle.countTo(number)),
  expectType<ObjectStream<string>>()(() => handle.countLater()),
  expectType<ObjectStream<number>>()(() => handle.countTo.options({ timeout: '1s' })(3)),

  // Calls have options, which decide what they give.
  expectType<ObjectRef<number>>()(() => handle.increment.options({ retries: -1 })(number)),
  expectType<ObjectRef<[number, string]>>()(() => handle.divide(1, 2)),
  expectType<[ObjectRef<number>, ObjectRef<string>]>()(() =>
    handle.divide.options({ returns: 2 })(1, number),
  ),
  expectType<ObjectRef<[number, string]>>()(() => handle.divide.options({ returns: 1 })(1, 2)),
  expectType<ObjectRef<string>>()(() => handle.later.options({ concurrencyGroup: 'io' })()),

  // Handles can be disposed.
  () => {
    using disposed: ActorHandle<Counter> = Counters.remote(1);
    return disposed;
  },

  add.remote(handle, number),

  // @ts-expect-error: the constructor wants a number
  Counters.remote('1'),
  // @ts-expect-error: the constructor wants an argument
  Counters.remote(),
  // @ts-expect-error: a wrong argument
  handle.increment('1'),
  // @ts-expect-error: a ref to a wrong type
  handle.increment(text),
  // @ts-expect-error: a property that is no method
  handle.step,
  // @ts-expect-error: a method that is private
  handle.secret,
  // @ts-expect-error: a method that does not exist
  handle.decrement,
  // @ts-expect-error: a symbol, which handles have no methods for
  handle[Symbol.iterator],
  // @ts-expect-error: a wrong argument of a call with options
  handle.increment.options({ timeout: 1 })('1'),
  // @ts-expect-error: an option that calls do not have
  handle.increment.options({ backpressure: 1 }),
  // @ts-expect-error: an option that does not exist
  Counters.options({ isolate: 'thread' }),

  // A pool gives what its function's refs stand for.
  expectType<ActorPool<ActorHandle<Counter>>>()(() => new ActorPool([handle])),
  expectType<AsyncIterableIterator<number, undefined>>()(() =>
    pool.map((one, n) => one.increment(n), [1, 2]),
  ),
  expectType<AsyncIterableIterator<string, undefined>>()(() =>
    pool.mapUnordered((one, n: number) => [one.later(), n][0] as ObjectRef<string>, new Set([1])),
  ),
  expectType<Promise<unknown>>()(() => pool.getNext({ timeout: '1s' })),
  expectType<Promise<number>>()(() => new ActorPool<typeof handle, number>([]).getNextUnordered()),
  expectType<ActorHandle<Counter> | undefined>()(() => pool.popIdle()),
  // @ts-expect-error: the function must give a ref
  pool.map((one, n) => n, [1, 2]),
  // @ts-expect-error: a wrong item
  () => pool.submit((one, n: number) => one.increment(n), '1'),
  // @ts-expect-error: no handle
  new ActorPool([1]),
  // @ts-expect-error: the only lifetime that can be named
  Counters.options({ lifetime: 'forever' }),
  // @ts-expect-error: a limit that is no number
  Counters.options({ concurrencyGroups: { io: '2' } }),
  Counters.options({ name: 'one', getIfExists: true, lifetime: 'detached', cpus: 0.5, gpus: 1 }),
  Counters.options({ maxRestarts: -1, restartDelay: '1s', maxTaskRetries: 3, maxPendingCalls: 9 }),
  Counters.options({ maxConcurrency: 4, concurrencyGroups: { io: 2 }, resources: { license: 1 } }),

  // A supervisor looks after handles and other supervisors.
  expectType<Supervisor>()(() =>
    supervise('one-for-all', [handle, supervise('one-for-one', [handle], window)], window),
  ),
  // @ts-expect-error: a strategy that does not exist
  supervise('all-for-one', [handle], window),
  // @ts-expect-error: neither a handle nor a supervisor
  supervise('one-for-one', [1], window),
  // @ts-expect-error: no window
  supervise('one-for-one', [handle], { maxRestarts: 1 }),
];
