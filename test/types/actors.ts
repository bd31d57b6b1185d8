/** Never run: it only has to compile, and each line with `@ts-expect-error` must not. */
import { actor, ActorPool, remote, type ActorHandle, type ObjectRef } from 'mobula';
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

  private secret(): string {
    return String(this.#count);
  }
}

const Counters = actor(Counter);
const add = remote((handle: ActorHandle<Counter>, by: number) => [handle.actorId, by]);

declare const pool: ActorPool<ActorHandle<Counter>>;
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
];
