import { AsyncLocalStorage } from 'node:async_hooks';
import { threadId } from 'node:worker_threads';
import {
  actor,
  cancel,
  context,
  get,
  getSync,
  put,
  remote,
  stats,
  type ObjectRef,
  taskTimes,
} from 'mobula';
import { ObjectStore, type StoreHandle } from 'mobula/store';
import { standAt, type Pass } from './gate.js';
import { refsIn } from './streams.js';

// --- Marks that tests can see ---

/** Leaves a mark: an object of its own in a store of the test's. */
export function mark(store: StoreHandle): void {
  using marks = ObjectStore.attach(store);
  marks.put(new Uint8Array(1));
}

/** Names a mark that may be left once. */
export function markId(name: string): string {
  return Buffer.from(name.padEnd(16)).toString('hex');
}

export function markAs(store: StoreHandle, name: string): void {
  using marks = ObjectStore.attach(store);
  marks.put(new Uint8Array(1), { id: markId(name) });
}

export const leaveMark = remote((marks: StoreHandle) => mark(marks));

// --- Ends ---

/** Waits for its signal, then leaves the mark "aborted", then waits for ever. */
export const untilAborted = remote(async (marks: StoreHandle): Promise<never> => {
  const { signal } = context();
  markAs(marks, 'started');
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  markAs(marks, 'aborted');
  return await new Promise<never>(() => undefined);
});

export const parentOfUntilAborted = remote(async (marks: StoreHandle): Promise<never> => {
  return await untilAborted.remote(marks);
});

const markAtGate = remote(async (pass: Pass, marks: StoreHandle) => {
  await standAt(pass);
  markAs(marks, 'through');
});

export const parentOfMarkAtGate = remote(async (pass: Pass, marks: StoreHandle) => {
  await markAtGate.remote(pass, marks);
});

/** Leaves the mark "started", and never ends nor yields. */
export const loop = remote((marks: StoreHandle): never => {
  markAs(marks, 'started');
  for (;;);
});

export const statsInTask = remote(() => stats());

export const timesInTask = remote(() => taskTimes());

export const cancelNested = remote(async (refs: ObjectRef[]) => cancel(refs[0]!));

/** How often it was run before, once the ref has its value. */
export const attemptAfter = remote(async (marks: StoreHandle, refs: ObjectRef[]) => {
  const { attempt } = context();
  mark(marks);
  await refs[0];
  return attempt;
});

export const dawdle = remote(async () => {
  await new Promise(() => undefined);
});

export const place = remote(() => ({ pid: process.pid, threadId }));

// --- Retries ---

export class FlakyError extends Error {
  override readonly name = 'FlakyError';
}

/** Fails until it has been run so often. */
export const flaky = remote((marks: StoreHandle, failures: number) => {
  mark(marks);
  const { attempt } = context();
  if (attempt < failures) throw new FlakyError(`attempt ${attempt}`);
  return attempt;
});

export const failWithType = remote((marks: StoreHandle): never => {
  mark(marks);
  throw new TypeError('not flaky');
});

// --- Streams ---

export const countTo = remote(function* (end: number) {
  for (let n = 0; n < end; n++) yield n;
});

export const yieldThenLoop = remote(function* () {
  yield 1;
  yield 2;
  for (;;);
});

export const countLaterTo = remote(async function* (end: number) {
  for (let n = 0; n < end; n++) {
    await Promise.resolve();
    yield n;
  }
});

export const countMarked = remote(function* (marks: StoreHandle, end: number) {
  try {
    for (let n = 0; n < end; n++) {
      mark(marks);
      yield n;
    }
  } finally {
    markAs(marks, 'finally');
  }
});

export const yieldThenThrow = remote(function* (count: number) {
  for (let n = 0; n < count; n++) yield n;
  throw new RangeError('no more');
});

export const yieldArrays = remote(function* (count: number, length: number) {
  for (let n = 0; n < count; n++) yield new Float64Array(length).fill(n);
});

export const yieldFunction = remote(function* () {
  yield 1;
  yield () => 1;
});

/** Ends its worker once, in the middle. */
export const yieldAndCrash = remote(function* (end: number) {
  for (let n = 0; n < end; n++) {
    if (n === end / 2 && context().attempt === 0) process.exit(7);
    yield n;
  }
});

export const sumStream = remote(async (end: number) => {
  let total = 0;
  for await (const ref of refsIn(countTo.options({ backpressure: 2 }).remote(end))) {
    total += await (ref as ObjectRef<number>);
  }
  return total;
});

// --- Several results ---

export const divide = remote((a: number, b: number) => [Math.floor(a / b), a % b] as const);
export const split = remote((text: string): [string, Float64Array] => [
  text,
  new Float64Array(5000).fill(text.length),
]);
export const returnOne = remote(() => 1);

// --- Context ---

export const locals = new AsyncLocalStorage<{ user: string }>();

export const describeContext = remote(() => {
  const { jobId, nodeId, workerId, taskId, attempt, resources, isDriver } = context();
  return { jobId, nodeId, workerId, taskId, attempt, resources, isDriver };
});

export const taskIdLater = remote(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  return context().taskId;
});

export const userOf = remote(() => locals.getStore()?.user);
export const userLater = remote(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  return locals.getStore()?.user;
});

// --- Blocking ---

export const countDownBlocked = remote((depth: number): number =>
  depth === 0 ? 0 : 1 + getSync(countDownBlocked.remote(depth - 1)),
);

export const sumBlocked = remote((refs: ObjectRef<number>[]) =>
  getSync(refs).reduce((total, n) => total + n, 0),
);

export const getPutBlocked = remote(() => getSync(put({ answer: 42 })));

export const Blocking = actor(
  class {
    read(refs: ObjectRef[]): unknown {
      return getSync(refs[0]!);
    }
    async abortable(marks: StoreHandle): Promise<void> {
      const { signal } = context();
      markAs(marks, 'started');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      markAs(marks, 'aborted');
    }
    add(a: number, b: number): number {
      return a + b;
    }
  },
);

// --- Resources ---

export const holdAtGate = remote(async (pass: Pass, name: string) => {
  await standAt(pass);
  return name;
});

export const devices = remote(async (pass: Pass) => {
  const visible = process.env.CUDA_VISIBLE_DEVICES;
  await standAt(pass);
  return visible;
});

/** The names of tasks in the order in which they were run. */
export const note = remote((order: StoreHandle, name: string) => {
  using store = ObjectStore.attach(order);
  const id = store.list().length.toString(16).padStart(32, '0');
  store.put(Buffer.from(name), { id });
});

export const sumAll = remote(async (refs: ObjectRef<number>[]) =>
  (await get(refs)).reduce((total, n) => total + n, 0),
);
