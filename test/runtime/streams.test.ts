import { cancel, ObjectRef, put, SerializationError, TaskError, type ObjectStream } from 'mobula';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import {
  countLaterTo,
  countMarked,
  countTo,
  markId,
  sumAll,
  sumStream,
  yieldAndCrash,
  yieldArrays,
  yieldFunction,
  yieldThenLoop,
  yieldThenThrow,
} from '../support/scheduling.js';
import { createStore } from '../support/stores.js';
import { refsIn, refsOf } from '../support/streams.js';
import { add } from '../support/tasks.js';
import { until, untilCollected } from '../support/until.js';

async function valuesOf<T>(stream: ObjectStream<T>): Promise<T[]> {
  return await Promise.all(await refsOf(stream));
}

const upTo = (end: number) => Array.from({ length: end }, (_, n) => n);

testInBoth('a generator gives a stream of refs to what it yields, in order', async (t) => {
  t.deepEqual(await valuesOf(countTo.remote(100)), upTo(100));
  t.deepEqual(await valuesOf(countLaterTo.remote(100)), upTo(100));
  t.deepEqual(await valuesOf(countTo.remote(0)), []);
});

testInBoth('items arrive while their generator computes the next', async (t) => {
  const stream = yieldThenLoop.remote();
  t.is(await (await stream.next()).value!, 1);
  t.is(await (await stream.next()).value!, 2);
  t.true(await cancel(stream, { force: true }));
});

testInBoth('the items of a stream are refs', async (t) => {
  const refs = await refsOf(countTo.remote(3));
  t.true(refs.every((ref) => ref instanceof ObjectRef));
  t.is(new Set(refs.map(({ id }) => id)).size, 3);
  t.is(await sumAll.remote(refs), 3);
  t.is(await add.remote(refs[1]!, refs[2]!), 3);
});

testInBoth('a producer is never more than its backpressure ahead of its reader', async (t) => {
  const marks = createStore(t);
  const stream = countMarked.options({ backpressure: 4 }).remote(marks.handle, 1000);
  await until('the producer has used what it may', () => marks.stats().puts >= 4);
  for (let taken = 1; taken <= 20; taken++) {
    t.is(await (await stream.next()).value!, taken - 1);
    t.true(marks.stats().puts <= taken + 4 + 1);
  }
  await stream.return();
});

testInBoth('large items come as views of shared memory', async (t) => {
  const arrays = await valuesOf(yieldArrays.remote(10, 5000));
  t.true(arrays.every((array, n) => array.length === 5000 && array[4999] === n));
  t.true(arrays.every(({ buffer }) => (buffer as ArrayBufferLike) instanceof SharedArrayBuffer));
});

testInBoth('an error of the generator is the failure of the last ref', async (t) => {
  const refs = await refsOf(yieldThenThrow.remote(2));
  t.is(refs.length, 3);
  t.is(await refs[1]!, 1);
  const error = await t.throwsAsync(refs[2]!.then(), { instanceOf: TaskError });
  t.true(error.cause instanceof RangeError);
});

testInBoth('an item that cannot be cloned is the failure of the last ref', async (t) => {
  const refs = await refsOf<unknown>(yieldFunction.remote());
  t.is(refs.length, 2);
  await t.throwsAsync(refs[1]!.then(), { instanceOf: SerializationError });
});

testInBoth('leaving the loop early ends the generator and frees what was not read', async (t) => {
  const marks = createStore(t);
  const numbers = countMarked.options({ backpressure: 8 }).remote(marks.handle, 1000);
  for await (const ref of refsIn(numbers)) {
    if ((await (ref as ObjectRef<number>)) === 2) break;
  }
  (await marks.wait(markId('finally'))).release();
  t.true(marks.stats().puts < 20);

  using store = runtimeStore();
  const { objects } = store.stats();
  for await (const ref of refsIn(yieldArrays.options({ backpressure: 8 }).remote(1000, 5000))) {
    (ref as ObjectRef)[Symbol.dispose]();
    break;
  }
  await until('unread items are freed', () => store.stats().objects <= objects);
});

testInBoth('a stream that is dropped ends its generator', async (t) => {
  const marks = createStore(t);
  countMarked.options({ backpressure: 2 }).remote(marks.handle, 1000);
  await until('the producer has used what it may', () => marks.stats().puts >= 2);
  await untilCollected('the generator has ended', () => marks.contains(markId('finally')));
  t.true(marks.stats().puts < 10);
});

testInBoth('a stream whose worker dies goes on where it was', async (t) => {
  t.deepEqual(await valuesOf(yieldAndCrash.options({ retries: 1 }).remote(40)), upTo(40));
});

testInBoth('tasks read the streams of tasks, though all workers produce', async (t) => {
  const sums = Array.from({ length: 6 }, () => sumStream.remote(50));
  for (const sum of sums) t.is(await sum, (49 * 50) / 2);
});

testInBoth('a stream can be read after its task has ended', async (t) => {
  const stream = countTo.options({ backpressure: 100 }).remote(10);
  await add.remote(1, 1);
  t.deepEqual(await valuesOf(stream), upTo(10));
  t.deepEqual(await stream.next(), { done: true, value: undefined });
});

testInBoth('a stream cannot be part of a value', (t) => {
  const stream = countTo.remote(1);
  t.throws(() => put({ list: [stream] }), {
    instanceOf: SerializationError,
    message: /list\[0\]/,
  });
});

testInBoth('backpressure is for generators, and at least 1', (t) => {
  t.throws(() => countTo.options({ backpressure: 0 }), { instanceOf: RangeError });
  t.throws(() => add.options({ backpressure: 1 }), { instanceOf: TypeError });
  t.throws(() => countTo.options({ returns: 2 }), { instanceOf: TypeError });
});

runInBoth();
