/** Actors that end in every way, and write a journal of their lives. */
import {
  actor,
  context,
  ObjectNotFoundError,
  remote,
  stop,
  supervise,
  type ActorHandle,
} from 'mobula';
import type { StoreHandle } from 'mobula/store';
import { standAt, type Pass } from './gate.js';
import { enter } from './journal.js';
import { mark } from './scheduling.js';

const never = new Promise<never>(() => undefined);

export class MortalClass {
  readonly #journal: StoreHandle;
  readonly #name: string;
  readonly #kept: unknown[] = [];
  #count = 0;

  constructor(journal: StoreHandle, name: string) {
    this.#journal = journal;
    this.#name = name;
    enter(journal, `${name} starts`);
  }

  /** Maybe after the test. */
  onStop(): void {
    try {
      enter(this.#journal, `${this.#name} stops`);
    } catch (error) {
      if (!(error instanceof ObjectNotFoundError)) throw error;
    }
  }

  count(): number {
    return ++this.#count;
  }

  async stopItself(self: ActorHandle<MortalClass>): Promise<string> {
    await stop(self);
    return 'on its way';
  }

  pid(): number {
    return process.pid;
  }

  keep(...values: unknown[]): number {
    return this.#kept.push(...values);
  }

  drop(): void {
    this.#kept.length = 0;
  }

  /** Gives the attempt. */
  note(text: unknown): number {
    enter(this.#journal, String(text));
    return context().attempt;
  }

  /** Notes the text and its attempt, and stands at the gate. */
  async noteAt(pass: Pass, text: string): Promise<number> {
    const { attempt } = context();
    enter(this.#journal, `${text} ${attempt}`);
    await standAt(pass);
    return attempt;
  }

  /** Ends its worker, in as many attempts; gives the attempt. */
  exit(times = 1): number {
    const { attempt } = context();
    enter(this.#journal, `exit ${attempt}`);
    if (attempt < times) process.exit(3);
    return attempt;
  }

  async reject(): Promise<never> {
    void Promise.reject(new RangeError('rejected in vain'));
    return await never;
  }

  async throwInTimer(): Promise<never> {
    setTimeout(() => {
      throw new RangeError('thrown in vain');
    });
    return await never;
  }

  /** Leaves a mark, and never yields. */
  loop(marks: StoreHandle): never {
    mark(marks);
    for (;;);
  }

  resources(): { resources: Readonly<Record<string, number>>; devices: string | undefined } {
    return { resources: context().resources, devices: process.env.CUDA_VISIBLE_DEVICES };
  }
}

export const Mortal = actor(MortalClass);

type Moment = 'constructor' | 'onStart';

/** Fails in its constructor, or after it. */
export class FrailClass {
  readonly #fails: Moment;

  constructor(fails: Moment) {
    this.#fails = fails;
    if (fails === 'constructor') throw new RangeError('not made');
  }

  async onStart(): Promise<void> {
    await Promise.resolve();
    if (this.#fails === 'onStart') throw new RangeError('not started');
  }

  hello(): string {
    return 'hello';
  }
}

export const Frail = actor(FrailClass);

/** Ends its worker while it is being made, as soon as a gate opens, but for the last time. */
export class UnbornClass {
  readonly #journal: StoreHandle;
  readonly #pass: Pass;
  readonly #deaths: number;

  constructor(journal: StoreHandle, pass: Pass, deaths: number) {
    this.#journal = journal;
    this.#pass = pass;
    this.#deaths = deaths;
    enter(journal, 'starts');
  }

  async onStart(): Promise<void> {
    await standAt(this.#pass);
    if (context().attempt < this.#deaths) process.exit(3);
  }

  /** Gives the attempt. */
  note(text: string): number {
    enter(this.#journal, text);
    return context().attempt;
  }
}

export const Unborn = actor(UnbornClass);

// --- Tasks ---

export const callInTask = remote(async (handles: ActorHandle<MortalClass>[]): Promise<number> =>
  handles[0]!.count(),
);

export const callAtGate = remote(
  async (pass: Pass, handle: ActorHandle<MortalClass>): Promise<number> => {
    await standAt(pass);
    return handle.count();
  },
);

export const giveBackMortal = remote((handle: ActorHandle<MortalClass>) => [handle]);

/** Makes an actor of that name, or finds it; gives its id. */
export const makeNamed = remote(
  async (pass: Pass, journal: StoreHandle, name: string): Promise<string> => {
    await standAt(pass);
    const options = { name, getIfExists: true, lifetime: 'detached' } as const;
    const mortal = Mortal.options(options).remote(journal, name);
    await mortal.count();
    return mortal.actorId;
  },
);

export const superviseInTask = remote((handles: ActorHandle<MortalClass>[]): void => {
  supervise('one-for-one', handles, { maxRestarts: 10, within: '1h' });
});
