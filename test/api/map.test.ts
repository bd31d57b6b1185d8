import { getEventListeners } from 'node:events';
import { map, put, release, TaskError } from 'mobula';
import { Gate } from '../support/gate.js';
import {
  naturals,
  perform,
  Source,
  square,
  sumOfSquares,
  toArray,
  zeros,
} from '../support/mapping.js';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import { countTo, divide } from '../support/scheduling.js';
import { createStore } from '../support/stores.js';
import { add } from '../support/tasks.js';
import { collectGarbage, until } from '../support/until.js';

const squares = [0, 1, 4, 9, 16, 25, 36, 49, 64, 81];

testInBoth('map gives the values in the order of the items', async (t) => {
  t.deepEqual(await toArray(map(square, squares.keys())), squares);
  const gate = new Gate(t);
  const values = map(perform, [{ standAt: gate.pass(), give: 1 }, { give: 2 }, { give: 3 }]);
  const first = values.next();
  await gate.arrived();
  gate.open();
  t.deepEqual(await first, { done: false, value: 1 });
  t.deepEqual(await toArray(values), [2, 3]);
});

testInBoth('map without order gives the values as they come', async (t) => {
  const gate = new Gate(t);
  const items = [{ standAt: gate.pass(), give: 1 }, { give: 2 }, { give: 3 }];
  const values = map(perform, items, { ordered: false, concurrency: 3 });
  const early = [(await values.next()).value!, (await values.next()).value!];
  t.deepEqual(early.toSorted(), [2, 3]);
  gate.open();
  t.deepEqual(await toArray(values), [1]);
});

testInBoth('the items of map may be refs, and come from asynchronous sources', async (t) => {
  t.deepEqual(await toArray(map(square, [put(3), 4])), [9, 16]);
  t.deepEqual(await toArray(map(square, countTo.remote(10))), squares);
  async function* later() {
    for (let n = 0; n < 10; n++) yield await Promise.resolve(n);
  }
  t.deepEqual(await toArray(map(square, later())), squares);
  t.deepEqual(await toArray(map(square, [])), []);
});

testInBoth('map takes options of the function', async (t) => {
  t.deepEqual(await toArray(map(square.options({ retries: 0 }), [1, 2])), [1, 4]);
});

testInBoth('map takes an item only when there is a slot for it', async (t) => {
  const source = new Source(naturals());
  const values = map(square, source, { concurrency: 3 });
  t.is(source.pulled, 0);
  for (let taken = 1; taken <= 20; taken++) {
    t.is((await values.next()).value, (taken - 1) ** 2);
    t.true(source.pulled <= taken + 3);
  }
  await values.return!();
  t.is(source.closed, 1);
  t.deepEqual(await values.next(), { done: true, value: undefined });
});

testInBoth('the first failure of map throws, cancels the rest and closes the source', async (t) => {
  const marks = createStore(t);
  const gate = new Gate(t);
  function* items() {
    yield { give: 7 };
    yield { markAborted: marks.handle };
    yield { standAt: gate.pass(), give: 0 };
    yield { fail: 'no luck' };
    for (;;) yield { give: 8 };
  }
  const source = new Source(items());
  const values = map(perform, source, { concurrency: 4 });
  t.is((await values.next()).value, 7);
  await until('the task has started', () => marks.stats().puts === 1);
  gate.open();
  const error = await t.throwsAsync(values.next(), { instanceOf: TaskError });
  t.true(error.cause instanceof RangeError);
  t.regex(error.message, /no luck/);
  t.is(source.closed, 1);
  await until('the task has found its signal aborted', () => marks.stats().puts === 2);
  t.deepEqual(await values.next(), { done: true, value: undefined });
});

testInBoth('what comes before the failure of map is handed out first', async (t) => {
  const gate = new Gate(t);
  const items = [{ give: 1 }, { give: 2 }, { standAt: gate.pass(), give: 3 }, { fail: 'now' }];
  const values = map(perform, items, { concurrency: 3 });
  t.is((await values.next()).value, 1);
  t.is((await values.next()).value, 2);
  await t.throwsAsync(values.next(), { instanceOf: TaskError });
  gate.open();
});

testInBoth('leaving a loop over map early cancels its tasks and closes the source', async (t) => {
  const marks = createStore(t);
  const source = new Source([{ give: 1 }, { markAborted: marks.handle }, { give: 2 }]);
  for await (const value of map(perform, source, { concurrency: 2 })) {
    t.is(value, 1);
    await until('the task has started', () => marks.stats().puts === 1);
    break;
  }
  t.is(source.closed, 1);
  await until('the task has found its signal aborted', () => marks.stats().puts === 2);
});

testInBoth('an aborted signal ends map with its reason, whoever waits for what', async (t) => {
  const marks = createStore(t);
  const source = new Source([{ give: 1 }, { markAborted: marks.handle }, { give: 2 }]);
  const abort = new AbortController();
  const values = map(perform, source, { concurrency: 2, signal: abort.signal });
  t.is((await values.next()).value, 1);
  await until('the task has started', () => marks.stats().puts === 1);
  const next = values.next();
  const reason = new Error('enough');
  abort.abort(reason);
  t.is(await t.throwsAsync(next), reason);
  t.is(source.closed, 1);
  await until('the task has found its signal aborted', () => marks.stats().puts === 2);

  const untouched = new Source([1]);
  const aborted = map(square, untouched, { signal: abort.signal });
  t.is(await t.throwsAsync(aborted.next()), reason);
  t.is(untouched.pulled, 0);
});

testInBoth('map leaves no listener on its signal', async (t) => {
  const { signal } = new AbortController();
  const listeners = () => getEventListeners(signal, 'abort').length;
  await toArray(map(square, [1, 2, 3], { signal }));
  t.is(listeners(), 0);
  for await (const value of map(square, [1, 2, 3], { signal })) if (value > 0) break;
  t.is(listeners(), 0);
  await t.throwsAsync(toArray(map(perform, [{ fail: 'now' }], { signal })));
  t.is(listeners(), 0);
});

testInBoth('what the source of map throws is thrown, and cancels the tasks', async (t) => {
  const marks = createStore(t);
  const items = (function* () {
    yield { markAborted: marks.handle };
    throw new RangeError('no more items');
  })();
  await t.throwsAsync(toArray(map(perform, items)), { instanceOf: RangeError });
  await until('its task is gone', () => marks.stats().puts !== 1);
  const error = new Error('cannot be closed');
  const unclosable = {
    [Symbol.iterator]: () => ({
      next: () => ({ done: false, value: 1 }),
      return: (): never => {
        throw error;
      },
    }),
  };
  const values = map(square, unclosable);
  await values.next();
  t.is(await t.throwsAsync(values.return!()), error);
});

testInBoth('a source that never gives an item does not hold up the end of map', async (t) => {
  let asked = 0;
  let closed = 0;
  const stuck = {
    [Symbol.asyncIterator]: () => ({
      next() {
        asked++;
        return new Promise<IteratorResult<number>>(() => undefined);
      },
      return() {
        closed++;
        return new Promise<IteratorResult<number>>(() => undefined);
      },
    }),
  };
  const values = map(square, stuck);
  const next = values.next();
  await until('the source has been asked for an item', () => asked === 1);
  await values.return!();
  t.deepEqual(await next, { done: true, value: undefined });
  t.is(closed, 1);
});

testInBoth('more tasks than there are workers can map', async (t) => {
  const sums = Array.from({ length: 6 }, () => sumOfSquares.remote(10));
  for (const sum of sums) t.is(await sum, 285);
});

testInBoth('values that were taken from map and released do not fill the store', async (t) => {
  using store = runtimeStore();
  collectGarbage();
  const before = store.stats().objects;
  const lengths = Array<number>(50).fill(100_000);
  for await (const array of map(zeros, lengths, { concurrency: 2 })) {
    release(array);
    t.true(store.stats().objects <= before + 6);
  }
});

testInBoth('map refuses what has not one ref per item, and options that make no sense', (t) => {
  const wrongly = map as (...args: unknown[]) => unknown;
  for (const fn of [undefined, null, {}, (n: number) => n, countTo]) {
    t.throws(() => wrongly(fn, [1]), { instanceOf: TypeError, message: /"fn" argument/ });
  }
  t.throws(() => wrongly(divide.options({ returns: 2 }), [1]), { message: /several refs/ });
  for (const items of [undefined, null, 1, {}]) {
    t.throws(() => wrongly(add, items), { instanceOf: TypeError, message: /"items" argument/ });
  }
  t.throws(() => wrongly(add, [], { concurrency: 0 }), { instanceOf: RangeError });
  t.throws(() => wrongly(add, [], { concurrency: '2' }), { instanceOf: TypeError });
  t.throws(() => wrongly(add, [], { ordered: 1 }), { instanceOf: TypeError });
  t.throws(() => wrongly(add, [], { signal: {} }), { instanceOf: TypeError });
  t.throws(() => wrongly(add, [], { order: true }), { instanceOf: TypeError });
});

runInBoth();
