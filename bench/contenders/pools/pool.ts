import type * as work from '../work.js';

/** The name of a function of `work.ts`. */
export type WorkName = keyof typeof work;

export interface PoolSettings {
  readonly workers: number;
  /** Tasks that the caller submits before it waits for one. */
  readonly outstanding: number;
}

/** Workers that run the functions of `work.ts`. */
export interface Pool {
  /** Starts a task. An argument that is transferred leaves the caller; one that is not is copied. */
  run(name: WorkName, argument?: unknown, transfer?: readonly ArrayBuffer[]): PromiseLike<unknown>;
  /** Gives back the memory of a task and its result; without it, garbage collection does. */
  release?(task: PromiseLike<unknown>, result: unknown): void;
  /** Resolves after the workers have ended. */
  close(): unknown;
}

export type OpenPool = (settings: PoolSettings) => Pool | Promise<Pool>;
