import { threadId } from 'node:worker_threads';
import { allocate, free, get, GetTimeoutError, ObjectRef, put, remote } from 'mobula';
import { ObjectStore, type StoreHandle } from 'mobula/store';
import { standAt, type Pass } from './gate.js';

export const add = remote((a: number, b: number) => a + b);
export const addLater = remote(async (a: number, b: number) => Promise.resolve(a + b));
export const sum = remote((...numbers: number[]) => numbers.reduce((total, n) => total + n, 0));
export const echo = remote((value: unknown) => value);
export const echoAll = remote((...values: unknown[]) => values);
export const nothing = remote(() => undefined);
export const constants = [remote(() => 'first'), remote(() => 'second')] as const;

export const whereAmI = remote(() => ({ pid: process.pid, threadId }));

/** Gives the value back once the gate is open. */
export const passGate = remote(async (pass: Pass, value: unknown) => {
  await standAt(pass);
  return value;
});

export const failAtGate = remote(async (pass: Pass, message: string): Promise<never> => {
  await standAt(pass);
  throw new Error(message);
});

/** Says that it has started, and never ends nor yields. */
export const spin = remote((started: StoreHandle, id: string): never => {
  ObjectStore.attach(started).put(new Uint8Array(1), { id });
  for (;;);
});

// --- Refs ---

export const kindOf = remote((value: unknown) =>
  value instanceof ObjectRef ? 'ref' : value === null ? 'null' : typeof value,
);

/** Awaits the refs in an array, one level deep. */
export const sumNested = remote(async (refs: ObjectRef<number>[]) => {
  let total = 0;
  for (const ref of refs) total += await ref;
  return total;
});

/** Awaits the refs in an array, once the gate is open. */
export const awaitNested = remote(async (refs: ObjectRef[], pass?: Pass) => {
  if (pass !== undefined) await standAt(pass);
  return get(refs);
});

export const freeInTask = remote((refs: ObjectRef[]) => free(refs));

export const passGateWithText = remote(async (pass: Pass, length: number) => {
  await standAt(pass);
  return 'x'.repeat(length);
});

export const countDown = remote(async (depth: number): Promise<number> => {
  if (depth === 0) return 0;
  return 1 + (await countDown.remote(depth - 1));
});

/** A binary tree of tasks; gives the number of its leaves. */
export const countLeaves = remote(async (depth: number): Promise<number> => {
  if (depth === 0) return 1;
  const [left, right] = [countLeaves.remote(depth - 1), countLeaves.remote(depth - 1)];
  return (await left) + (await right);
});

/** Puts arrays, one after the other, and drops them. */
export const putAndDrop = remote(async (count: number, length: number) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += (await put(new Float64Array(length).fill(1)))[0]!;
  return sum;
});

export const putInTask = remote((value: unknown) => [put(value)]);

/** Refs to tasks that it has submitted, and does not wait for. */
export const submitInTask = remote((pass: Pass, value: unknown) => [passGate.remote(pass, value)]);

export const refsThroughLevels = remote(
  async (depth: number, value: unknown): Promise<ObjectRef[]> =>
    depth === 0 ? [put(value)] : await refsThroughLevels.remote(depth - 1, value),
);

export const returnRef = remote(async (value: unknown) => {
  await Promise.resolve();
  return put(value);
});

// --- Values ---

export interface Seen {
  readonly type: string;
  readonly length: number;
  readonly isShared: boolean;
  readonly sum: number;
}

export const look = remote((array: Float64Array): Seen => {
  return {
    type: array.constructor.name,
    length: array.length,
    isShared: array.buffer instanceof SharedArrayBuffer,
    sum: array.reduce((total, n) => total + n, 0),
  };
});

export const lookAtBoth = remote(async (one: Float64Array, [other]: [ObjectRef<Float64Array>]) => {
  const { sum } = await look.remote(other);
  return one.length + sum;
});

export const makeArray = remote((length: number, value: number) =>
  new Float64Array(length).fill(value),
);

export const makeArrays = remote((count: number, length: number) =>
  Array.from({ length: count }, (_, i) => new Float64Array(length).fill(i)),
);

export const makeAllocated = remote((length: number, value: number) =>
  allocate(Float64Array, length).fill(value),
);

let kept: Float64Array | undefined;
/** Gives the same allocated array whenever it runs in the same worker. */
export const keepAllocated = remote(
  (length: number) => (kept ??= allocate(Float64Array, length).fill(0.5)),
);

export const makeText = remote((length: number) => 'x'.repeat(length));

export const returnFunction = remote(() => ({ list: [1, { callback: () => 1 }] }));

// --- Errors ---

export class QuotaError extends Error {
  override readonly name = 'QuotaError';
  readonly limit: number;
  constructor(message: string, limit: number) {
    super(message);
    this.limit = limit;
  }
}

export const fail = remote((message: string): never => {
  throw Object.assign(new Error(message), { status: 404, details: { tried: [1, 2] } });
});

export const failLater = remote(async (message: string): Promise<never> => {
  await Promise.resolve();
  throw new Error(message);
});

export const failInTask = remote((message: string) => fail.remote(message).then());

export const throwValue = remote((value: unknown) => {
  throw value;
});

const thrown = {
  range: () => new RangeError('out of range'),
  type: () => new TypeError('wrong type'),
  syntax: () => new SyntaxError('wrong syntax'),
  aggregate: () => new AggregateError([new TypeError('one'), new RangeError('two')], 'both'),
  cause: () => new Error('outer', { cause: new RangeError('inner', { cause: 'innermost' }) }),
  mobula: () => new GetTimeoutError('out of time'),
  quota: () => new QuotaError('too much', 10),
  unclonable: () => Object.assign(new Error('with a function'), { callback: () => 1 }),
  large: () => new Error('x'.repeat(1_000_000)),
};

export type Thrown = keyof typeof thrown;

export const throwKind = remote((kind: Thrown) => {
  throw thrown[kind]();
});

export const returnHostileThenable = remote((): object => ({
  get then() {
    throw new Error('thrown by a getter');
  },
}));

export const exitAtOnce = remote(() => process.exit(1));

export const throwOutsideOfTask = remote(async () => {
  await new Promise(() => {
    setImmediate(() => {
      throw new Error('nobody catches this');
    });
  });
});
