import { actor, remote, ActorPool, type ActorHandle } from 'mobula';
import type { StoreHandle } from 'mobula/store';
import { perform, type Deed } from './mapping.js';
import { standAt, type Pass } from './gate.js';

/** One of those among whom a pool shares work out. */
export class LaborerClass {
  readonly #name: string;
  #calls = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Does what its item says, as {@link perform}. */
  perform(deed: Deed): Promise<number> {
    this.#calls++;
    return perform(deed);
  }

  square(n: number): number {
    this.#calls++;
    return n * n;
  }

  async nameAtGate(pass: Pass): Promise<string> {
    this.#calls++;
    await standAt(pass);
    return this.#name;
  }

  calls(): number {
    return this.#calls;
  }
}

export const Laborer = actor(LaborerClass);
export type Laborers = ActorPool<ActorHandle<LaborerClass>>;

/** Shares out work in a task. */
export const squareInPool = remote(async (laborers: ActorHandle<LaborerClass>[], end: number) => {
  const pool = new ActorPool(laborers);
  const squares: number[] = [];
  for await (const value of pool.map((one, n) => one.square(n), Array(end).keys())) {
    squares.push(value);
  }
  return squares;
});

/** Marks and waits until it is cancelled. */
export function waitForCancel(one: ActorHandle<LaborerClass>, marks: StoreHandle) {
  return one.perform({ markAborted: marks });
}
