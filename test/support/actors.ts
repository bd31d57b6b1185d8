import { threadId } from 'node:worker_threads';
import { actor, remote, type ActorHandle } from 'mobula';
import { ObjectStore, type StoreHandle } from 'mobula/store';
import { standAt, type Pass } from './gate.js';

export class CounterClass {
  #count: number;
  readonly #log: number[] = [];

  constructor(start = 0) {
    this.#count = start;
  }

  increment(by = 1): number {
    this.#log.push(by);
    return (this.#count += by);
  }

  get(): number {
    return this.#count;
  }

  log(): number[] {
    return this.#log;
  }

  fail(message: string): never {
    throw Object.assign(new RangeError(message), { status: 404 });
  }

  where(): { pid: number; threadId: number } {
    return { pid: process.pid, threadId };
  }

  returnFunction(): unknown {
    return () => 1;
  }

  hostile(): object {
    return {
      get then() {
        throw new Error('thrown by a getter');
      },
    };
  }

  exit(): never {
    process.exit(1);
  }
}

export const Counter = actor(CounterClass);

export const Unnamed = actor(
  class {
    hello(): string {
      return 'hello';
    }
  },
);

/** Tells whether its methods ever overlap. */
export class ExclusiveClass {
  #running = 0;
  #most = 0;

  async visit(): Promise<void> {
    this.#most = Math.max(this.#most, ++this.#running);
    await new Promise((resolve) => setImmediate(resolve));
    this.#running--;
  }

  async standAt(pass: Pass): Promise<string> {
    await standAt(pass);
    return 'passed';
  }

  most(): number {
    return this.#most;
  }
}

export const Exclusive = actor(ExclusiveClass);

export const Unborn = actor(
  class Unborn {
    constructor(message: string) {
      throw new RangeError(message);
    }

    hello(): string {
      return 'never';
    }
  },
);

export class HolderClass {
  readonly #values: unknown[] = [];

  add(value: unknown): number {
    return this.#values.push(value);
  }

  all(): unknown[] {
    return this.#values;
  }

  sum(array: Float64Array): { sum: number; isShared: boolean } {
    const isShared = array.buffer instanceof SharedArrayBuffer;
    return { sum: array.reduce((total, n) => total + n, 0), isShared };
  }
}

export const Holder = actor(HolderClass);

/** An actor that calls another. */
export class ForwarderClass {
  readonly #counter: ActorHandle<CounterClass>;

  constructor(counter: ActorHandle<CounterClass>) {
    this.#counter = counter;
  }

  async increment(by: number): Promise<number> {
    return this.#counter.increment(by);
  }
}

export const Forwarder = actor(ForwarderClass);

/** Tells a holder that it has started. */
export class HookedClass {
  readonly #holder: ActorHandle<{ add(value: unknown): number }>;

  constructor(holder: ActorHandle<{ add(value: unknown): number }>) {
    this.#holder = holder;
  }

  async onStart(): Promise<void> {
    await this.#holder.add('started');
  }

  hello(): string {
    return 'hello';
  }
}

export const Hooked = actor(HookedClass);

/** Puts an object under this id when it is stopped. */
export class NoisyClass {
  readonly #log: StoreHandle;
  readonly #id: string;

  constructor(log: StoreHandle, id: string) {
    this.#log = log;
    this.#id = id;
  }

  hello(): string {
    return 'hello';
  }

  async onStop(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    ObjectStore.attach(this.#log).put(new Uint8Array(1), { id: this.#id });
  }
}

export const Noisy = actor(NoisyClass);

export const incrementInTask = remote(
  async (counter: ActorHandle<CounterClass>, by: number, times: number): Promise<number> => {
    let last = 0;
    for (let i = 0; i < times; i++) last = await counter.increment(by);
    return last;
  },
);

export const startInTask = remote((start: number) => [Counter.remote(start)]);
