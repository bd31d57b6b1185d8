/** The same work on every pool. What is not about several workers has one. */
import type { Subject } from '../../harness/workload.js';
import { serial, windowed } from '../submission.js';
import { ones } from '../work.js';
import type { OpenPool, Pool, PoolSettings } from './pool.js';

/** What a task gets. */
export interface Argument {
  readonly value: unknown;
  readonly transfer?: readonly ArrayBuffer[];
  /** Called when the task is done. */
  end?(): void;
}

/** Called when the pool is open; what it returns gives each task an array of so many numbers. */
export type ArgumentSource = (length: number) => () => Argument;

/** The same array for all tasks. */
export const kept: ArgumentSource = (length) => {
  const argument = { value: ones(length) };
  return () => argument;
};

/** Every task's array is made for it, and leaves the caller. */
export const transferred: ArgumentSource = (length) => () => {
  const value = ones(length);
  return { value, transfer: [value.buffer as ArrayBuffer] };
};

export function noopTasks(open: OpenPool, outstanding: number): Promise<Subject> {
  return subject(open, { workers: 1, outstanding }, (pool) =>
    windowed(() => pool.run('noop'), outstanding),
  );
}

export function cpuBoundTasks(open: OpenPool, workers: number): Promise<Subject> {
  const outstanding = 2 * workers;
  return subject(open, { workers, outstanding }, (pool) =>
    windowed(() => pool.run('burn'), outstanding),
  );
}

export function tasksWithArgument(
  open: OpenPool,
  source: ArgumentSource,
  length: number,
): Promise<Subject> {
  return subject(open, { workers: 1, outstanding: 1 }, (pool) => {
    const next = source(length);
    return serial(async () => {
      const argument = next();
      check((await pool.run('lastOf', argument.value, argument.transfer)) === 1);
      argument.end?.();
    });
  });
}

export function tasksWithResult(open: OpenPool, length: number): Promise<Subject> {
  return subject(open, { workers: 1, outstanding: 1 }, (pool) =>
    serial(() => arrayFrom(pool, pool.run('ones', length), length)),
  );
}

/** One operation gives each of the arrays to a task that returns a copy of it. */
export function copiesOf(
  open: OpenPool,
  lengths: readonly number[],
  outstanding: number,
): Promise<Subject> {
  return subject(open, { workers: 1, outstanding }, (pool) => {
    const arrays = lengths.map(ones);
    let next = 0;
    const copies = windowed(() => {
      const array = arrays[next++ % arrays.length]!;
      return arrayFrom(pool, pool.run('copyOf', array), array.length);
    }, outstanding);
    return (count) => copies(count * arrays.length);
  });
}

async function subject(
  open: OpenPool,
  settings: PoolSettings,
  run: (pool: Pool) => Subject['run'],
): Promise<Subject> {
  const pool = await open(settings);
  return {
    run: run(pool),
    async stop() {
      await pool.close();
    },
  };
}

async function arrayFrom(pool: Pool, task: PromiseLike<unknown>, length: number): Promise<void> {
  const array = (await task) as Float64Array;
  check(array.length === length && array[length - 1] === 1);
  pool.release?.(task, array);
}

function check(isRight: boolean): void {
  if (!isRight) throw new Error('a task has returned something else than its function does');
}
