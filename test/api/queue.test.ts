import {
  cancel,
  get,
  ObjectRef,
  put,
  Queue,
  QueueEmptyError,
  QueueFullError,
  release,
} from 'mobula';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import {
  boxQueue,
  getMany,
  Mailman,
  markAndGet,
  pidAndGet,
  putAll,
  sumFromQueue,
} from '../support/queues.js';
import { createStore } from '../support/stores.js';
import { until } from '../support/until.js';
import { Vector } from '../support/values.js';

const full = { instanceOf: QueueFullError, code: 'MOBULA_QUEUE_FULL' };
const empty = { instanceOf: QueueEmptyError, code: 'MOBULA_QUEUE_EMPTY' };

testInBoth('items come out of a queue in the order in which they were put', async (t) => {
  const queue = new Queue<number>();
  const numbers = [...Array(100).keys()];
  await Promise.all(numbers.map((n) => queue.put(n)));
  t.is(await queue.size(), 100);
  const items = await Promise.all(numbers.map(() => queue.get()));
  t.deepEqual(items, numbers);
  t.is(await queue.size(), 0);
});

testInBoth('a get waits for a put, and a put for room', async (t) => {
  const queue = new Queue<string>({ maxSize: 1 });
  const [first, second] = [queue.get(), queue.get()];
  await queue.put('a');
  await queue.put('b');
  t.deepEqual([await first, await second], ['a', 'b']);

  await queue.put('c');
  let isIn = false;
  const waiting = queue.put('d').then(() => (isIn = true));
  t.is(await queue.size(), 1);
  t.false(isIn);
  t.is(await queue.get(), 'c');
  await waiting;
  t.is(await queue.get(), 'd');
});

testInBoth('a queue that is full or empty for too long is an error of its own', async (t) => {
  const queue = new Queue<number>({ maxSize: 1 });
  for (const timeout of [0, 1, '1ms']) await t.throwsAsync(queue.get({ timeout }), empty);
  await queue.put(1, { timeout: 0 });
  for (const timeout of [0, 1, '1ms']) await t.throwsAsync(queue.put(2, { timeout }), full);
  t.is(await queue.get({ timeout: Infinity }), 1);
  t.is(await queue.size(), 0);
});

testInBoth('an aborted get leaves the line, and the next one has the item', async (t) => {
  const queue = new Queue<number>();
  const controller = new AbortController();
  const [first, second] = [queue.get({ signal: controller.signal }), queue.get()];
  const reason = new Error('enough');
  controller.abort(reason);
  t.is(await t.throwsAsync(first), reason);
  await queue.put(1);
  t.is(await second, 1);
});

testInBoth('an aborted put leaves nothing in the queue', async (t) => {
  const queue = new Queue<number>({ maxSize: 1 });
  await queue.put(1);
  const controller = new AbortController();
  const { signal } = controller;
  const puts = [queue.put(2, { signal }), queue.putBatch([3], { signal })];
  controller.abort(new Error('enough'));
  for (const one of puts) await t.throwsAsync(one, { message: 'enough' });
  t.is(await queue.get(), 1);
  t.is(await queue.size(), 0);
});

testInBoth('an abort loses no item: who was served before has it', async (t) => {
  const queue = new Queue<number>();
  const got: number[] = [];
  const numbers = [...Array(50).keys()];
  const gets = numbers.map(() => {
    const controller = new AbortController();
    return { controller, item: queue.get({ signal: controller.signal }) };
  });
  const puts = numbers.map((n) => queue.put(n));
  for (const { controller } of gets) controller.abort();
  for (const { item } of gets) await item.then((n) => got.push(n)).catch(() => undefined);
  await Promise.all(puts);
  while ((await queue.size()) > 0) got.push(await queue.get());
  t.deepEqual(got, numbers);
});

testInBoth('a signal that is aborted already is not asked anything', async (t) => {
  const queue = new Queue<number>();
  const signal = AbortSignal.abort(new Error('too late'));
  await t.throwsAsync(queue.put(1, { signal }), { message: 'too late' });
  await t.throwsAsync(queue.getBatch(0, { signal }), { message: 'too late' });
  t.is(await queue.size(), 0);
});

testInBoth('batches go in and out as a whole', async (t) => {
  const queue = new Queue<number>({ maxSize: 4 });
  const three = queue.getBatch(3);
  const one = queue.get();
  await queue.putBatch([1, 2]);
  t.is(await queue.size(), 2);
  await queue.putBatch([3, 4]);
  t.deepEqual(await three, [1, 2, 3]);
  t.is(await one, 4);
  await t.throwsAsync(queue.putBatch([1, 2, 3, 4, 5]), full);
  await t.throwsAsync(queue.getBatch(5), empty);
  await queue.putBatch([]);
  t.deepEqual(await queue.getBatch(0), []);
});

testInBoth('many producers and consumers lose nothing', async (t) => {
  const queue = new Queue<number>({ maxSize: 3 });
  const producers = [0, 1, 2].map((p) =>
    putAll.remote(
      queue,
      Array.from({ length: 20 }, (_, i) => 100 * p + i),
    ),
  );
  const consumers = [0, 1].map(() => getMany.remote(queue, 30));
  const items = (await get(consumers)).flat();
  await get(producers);
  t.is(new Set(items).size, 60);
  t.is(await queue.size(), 0);
});

testInBoth('a queue travels in arguments, results, values and actors', async (t) => {
  const queue = new Queue<number>();
  const boxed = await boxQueue.remote(queue);
  const copy = boxed.queues.get('one')!;
  t.true(copy instanceof Queue);
  await copy.put(7);
  t.is(await queue.get(), 7);
  const [[stored]] = await get([put([queue] as const)]);
  await stored.put(8);
  t.is(await queue.get(), 8);

  const letters = new Queue<string>();
  const mailman = Mailman.remote(letters);
  await mailman.deliver('hello');
  t.is(await letters.get(), 'hello');
  await (await mailman.queue()).put('world');
  t.is(await letters.get(), 'world');

  const queues = new Queue<Queue<number>>();
  await queues.put(queue);
  await (await queues.get()).put(9);
  t.is(await queue.get(), 9);
});

testInBoth('items keep what values keep', async (t) => {
  const queue = new Queue<unknown>();
  const items = [undefined, null, NaN, 'x'.repeat(5000), new Map([[1, new Date(0)]]), [1n, -0]];
  for (const item of items) await queue.put(item);
  for (const item of items) t.deepEqual(await queue.get(), item);
  await queue.put(new Vector(3, 4));
  const vector = await queue.get();
  t.true(vector instanceof Vector);
  await queue.putBatch([put('in the store')]);
  const [ref] = await queue.getBatch(1);
  t.true(ref instanceof ObjectRef);
  t.is(await (ref as ObjectRef<string>), 'in the store');
});

testInBoth('large arrays come out as views on shared memory, once they were put', async (t) => {
  const queue = new Queue<Float64Array>();
  await queue.put(new Float64Array(100_000).fill(0.5));
  t.deepEqual(await sumFromQueue.remote(queue), { sum: 50_000, isShared: true });
  await queue.put(new Float64Array(50).fill(0.5));
  t.deepEqual(await sumFromQueue.remote(queue), { sum: 25, isShared: false });
});

testInBoth('an item that has been got and released is not kept in the store', async (t) => {
  const queue = new Queue<Float64Array>();
  using store = runtimeStore();
  const before = store.stats().usedBytes;
  for (let i = 0; i < 20; i++) {
    await queue.put(new Float64Array(2_000_000).fill(i));
    const array = await queue.get();
    t.is(array[0], i);
    release(array);
  }
  await until('the items are gone', () => store.stats().usedBytes < before + 1e6);
});

testInBoth('whoever was cancelled while it waited gets no item', async (t) => {
  const marks = createStore(t);
  const queue = new Queue<number>();
  const lost = markAndGet.remote(queue, marks.handle);
  await until('the task waits', () => marks.stats().puts === 1);
  t.true(await cancel(lost));
  await t.throwsAsync(lost.then(), { code: 'MOBULA_TASK_CANCELLED' });
  await until('the queue has heard of it', () => marks.stats().puts === 2);
  await queue.put(1);
  t.is(await queue.get(), 1);
});

testInBoth('whoever died while it waited gets no item', async (t) => {
  const queue = new Queue<number>();
  const answers = new Queue<number>();
  const lost = pidAndGet.options({ isolation: 'process', retries: 0 }).remote(queue, answers);
  process.kill(await answers.get(), 'SIGKILL');
  await t.throwsAsync(lost.then(), { code: 'MOBULA_WORKER_CRASHED' });
  await queue.put(1);
  t.is(await queue.get(), 1);
});

testInBoth('a queue refuses sizes, times and batches that make no sense', async (t) => {
  const wrongly = Queue as unknown as new (options: unknown) => Queue;
  for (const maxSize of [0, -1, 1.5, Infinity]) {
    t.throws(() => new Queue({ maxSize }), { instanceOf: RangeError });
  }
  t.throws(() => new wrongly({ maxSize: '1' }), { instanceOf: TypeError });
  t.throws(() => new wrongly({ max: 1 }), { instanceOf: TypeError });
  t.throws(() => new wrongly(null), { instanceOf: TypeError });
  const queue = new Queue() as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  await t.throwsAsync(queue.put!(1, { timeout: -1 }), { instanceOf: RangeError });
  await t.throwsAsync(queue.put!(1, { signal: 1 }), { instanceOf: TypeError });
  await t.throwsAsync(queue.get!({ time: 1 }), { instanceOf: TypeError });
  await t.throwsAsync(queue.putBatch!('items'), { instanceOf: TypeError });
  await t.throwsAsync(queue.getBatch!(-1), { instanceOf: RangeError });
  await t.throwsAsync(
    queue.put!(() => 1),
    { code: 'MOBULA_SERIALIZATION' },
  );
  t.is(await queue.size!(), 0);
});

runInBoth();
