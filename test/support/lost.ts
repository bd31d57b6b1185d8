/** Tasks whose results are lost. */
import { actor, allocate, context, get, remote, type ObjectRef } from 'mobula';
import type { StoreHandle } from 'mobula/store';
import { mark } from './scheduling.js';

const length = 131_072;

/** A MiB. */
export const array = (value: number): Float64Array => new Float64Array(length).fill(value);

export const make = remote((marks: StoreHandle, value: number) => {
  mark(marks);
  return array(value);
});

export const increment = remote((marks: StoreHandle, before: Float64Array) => {
  mark(marks);
  return array(before[0]! + 1);
});

/** Its arguments take more than a record. */
export const incrementBig = remote((before: Float64Array, text: string) =>
  array(before[0]! + text.length),
);

export const makePair = remote((marks: StoreHandle, first: number, second: number) => {
  mark(marks);
  return [array(first), array(second)];
});

/** A result that travels inline, beside one that does not. */
export const makeMixed = remote((marks: StoreHandle, value: number) => {
  mark(marks);
  return ['small', array(value)];
});

export const makeAllocatedMiB = remote((marks: StoreHandle, value: number) => {
  mark(marks);
  return allocate(Float64Array, length).fill(value);
});

export const makeSmall = remote((marks: StoreHandle, text: string) => {
  mark(marks);
  return { text };
});

/** Large enough for the store. */
export const makeMore = remote((before: Float64Array | number) =>
  new Float64Array(200).fill((typeof before === 'number' ? before : before[0]!) + 1),
);

/**
 * In a process of its own, which in these attempts dies after the call, while its result is read.
 */
export const makeAndDie = remote(
  (marks: StoreHandle, deaths: readonly number[], value: number) => {
    mark(marks);
    const { attempt } = context();
    return {
      value: array(value),
      get end() {
        if (deaths.includes(attempt)) process.kill(process.pid, 'SIGKILL');
        return attempt;
      },
    };
  },
  { isolation: 'process' },
);

/** A ref to what a task of its own has made, and its process. */
export const makeAsOwner = remote(
  async (marks: StoreHandle, value: number) => {
    const made = make.remote(marks, value);
    await made;
    return { made, pid: process.pid };
  },
  { isolation: 'process' },
);

/** Smaller each time that it runs. */
export const makeLess = remote(() => {
  const { attempt } = context();
  return new Float64Array(length >> attempt).fill(attempt);
});

/** Throws when it runs again. */
export const makeOnce = remote((value: number) => {
  if (context().attempt > 0) throw new RangeError('not again');
  return array(value);
});

export const firstOf = remote((value: Float64Array) => value[0]);

export const firstsOf = remote(async (refs: ObjectRef<Float64Array>[]) =>
  (await get(refs)).map((value) => value[0]),
);

/** A ref to the result of a task of its own. */
export const makeInTask = remote(async (marks: StoreHandle, value: number) => {
  const made = make.remote(marks, value);
  await made;
  return [made];
});

/** As {@link makeInTask}, of a task that takes what somebody else has made. */
export const incrementInTask = remote(
  async (marks: StoreHandle, [before]: ObjectRef<Float64Array>[]) => {
    const made = increment.remote(marks, before!);
    await made;
    return [made];
  },
);

export const yieldArray = remote(function* (marks: StoreHandle, value: number) {
  mark(marks);
  yield array(value);
});

export class MakerClass {
  readonly #seen: unknown[] = [];

  make(value: number): Float64Array {
    return array(value);
  }

  note(value: Float64Array | string): void {
    this.#seen.push(typeof value === 'string' ? value : value[0]);
  }

  seen(): unknown[] {
    return this.#seen;
  }
}

export const Maker = actor(MakerClass);
