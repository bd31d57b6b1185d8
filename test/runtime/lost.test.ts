import {
  free,
  get,
  getSync,
  memory,
  ObjectLostError,
  put,
  release,
  TaskError,
  wait,
  type ObjectRef,
} from 'mobula';
import {
  array,
  firstOf,
  firstsOf,
  increment,
  incrementBig,
  incrementInTask,
  make,
  makeAllocatedMiB,
  makeAsOwner,
  Maker,
  makeInTask,
  makeAndDie,
  makeLess,
  makeMixed,
  makeMore,
  makeOnce,
  makePair,
  makeSmall,
  yieldArray,
} from '../support/lost.js';
import { first, lose } from '../support/losing.js';
import { askAllToCollect, evictObject, isRemembered, limitLineage } from '../support/internals.js';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import { refsOf } from '../support/streams.js';
import { createStore } from '../support/stores.js';
import { echo } from '../support/tasks.js';
import { untilCollected } from '../support/until.js';

type Arrays = [ObjectRef<Float64Array>, ObjectRef<Float64Array>];

const isLost = (message: RegExp) => ({
  instanceOf: ObjectLostError,
  code: 'MOBULA_OBJECT_LOST',
  message,
});

/** When nobody reads it any more: that is looked at when refs are dropped. */
async function untilForgotten(...ids: string[]): Promise<void> {
  await untilCollected('they are forgotten', () => {
    askAllToCollect();
    put(0)[Symbol.dispose]();
    return !ids.some(isRemembered);
  });
}

testInBoth('an evicted result is made again for who awaits it, under its id', async (t) => {
  const marks = createStore(t);
  const ref = make.remote(marks.handle, 7);
  const { id } = ref;
  t.is(await first(ref), 7);
  await lose(ref);
  t.is(await first(ref), 7);
  t.is(ref.id, id);
  t.is(marks.stats().puts, 2);
  using store = runtimeStore();
  t.true(store.contains(id));
});

testInBoth('what is made again differently is read as it is now', async (t) => {
  const ref = makeLess.remote();
  const before = await ref;
  const copy = before.slice();
  release(before);
  await lose(ref);
  const after = await ref;
  t.is(after.length, copy.length / 2);
  t.is(after[0], 1);
});

testInBoth('getSync waits for an evicted result', async (t) => {
  const marks = createStore(t);
  const refs = [make.remote(marks.handle, 1), make.remote(marks.handle, 2)];
  await wait(refs, { count: 2 });
  await lose(...refs);
  t.deepEqual(
    getSync(refs).map((value) => value[0]),
    [1, 2],
  );
  t.is(marks.stats().puts, 4);
});

testInBoth('an evicted result is pending for wait, until it was made again', async (t) => {
  const marks = createStore(t);
  const ref = make.remote(marks.handle, 1);
  t.is(await first(ref), 1);
  await lose(ref);
  t.deepEqual(await wait([ref], { timeout: 0 }), { ready: [], pending: [ref] });
  t.deepEqual(await wait([ref]), { ready: [ref], pending: [] });
  t.is(marks.stats().puts, 2);
});

testInBoth('an evicted argument is made again before its task runs', async (t) => {
  const marks = createStore(t);
  const ref = make.remote(marks.handle, 3);
  t.is(await first(ref), 3);
  await lose(ref);
  t.is(await firstOf.remote(ref), 3);
  t.is(marks.stats().puts, 2);
});

testInBoth('an argument that is evicted while its task is queued is made again', async (t) => {
  const marks = createStore(t);
  const ref = make.remote(marks.handle, 3);
  t.is(await first(ref), 3);
  const results = Array.from({ length: 8 }, () => firstOf.remote(ref));
  using store = runtimeStore();
  store.evict(store.stats().memory);
  t.deepEqual(
    await get(results),
    Array.from({ length: 8 }, () => 3),
  );
});

testInBoth('a worker that was given the ref in a value has it made again', async (t) => {
  const marks = createStore(t);
  const refs = [make.remote(marks.handle, 1), make.remote(marks.handle, 2)];
  await wait(refs, { count: 2 });
  await lose(...refs);
  t.deepEqual(await firstsOf.remote(refs), [1, 2]);
  t.is(marks.stats().puts, 4);
});

testInBoth('what a container contains is made again when somebody gets it', async (t) => {
  const marks = createStore(t);
  const made = make.remote(marks.handle, 5);
  t.is(await first(made), 5);
  using container = put({ inside: made });
  made[Symbol.dispose]();
  const { inside } = await container;
  await lose(inside);
  t.is(marks.stats().puts, 1);
  t.is(await first(inside), 5);
  t.is(marks.stats().puts, 2);
});

testInBoth('a lost container is made again with what it contains', async (t) => {
  const marks = createStore(t);
  const container = makeInTask.remote(marks.handle, 4);
  t.is(await first((await container)[0]!), 4);
  await lose(container);
  t.is(await first((await container)[0]!), 4);
});

testInBoth('what a worker owns is made again by the worker', async (t) => {
  const marks = createStore(t);
  const [made] = await makeInTask.remote(marks.handle, 4);
  t.is(await first(made!), 4);
  await lose(made!);
  t.is(await first(made!), 4);
  t.is(marks.stats().puts, 2);
});

testInBoth('a worker makes again from what its driver makes again', async (t) => {
  const marks = createStore(t);
  const base = make.remote(marks.handle, 1);
  const [made] = await incrementInTask.remote(marks.handle, [base]);
  t.is(await first(made!), 2);
  await lose(made!, base);
  t.is(await first(made!), 2);
  t.is(marks.stats().puts, 4);
});

testInBoth('what a lost result was made from is made again first, though dropped', async (t) => {
  const marks = createStore(t);
  const all = [make.remote(marks.handle, 0)];
  for (let i = 1; i < 9; i++) all.push(increment.remote(marks.handle, all[i - 1]!));
  const last = all[8]!;
  t.is(await first(last), 8);
  for (const ref of all.slice(0, 8)) ref[Symbol.dispose]();
  await lose(...all);
  t.is(marks.stats().puts, 9);
  t.is(await first(last), 8);
  t.is(marks.stats().puts, 18);
});

testInBoth('a chain of any length is made again', async (t) => {
  const all = [makeMore.remote(0)];
  for (let i = 1; i <= 500; i++) all.push(makeMore.remote(all[i - 1]!));
  const last = all[500]!;
  t.is((await last)[0], 501);
  for (const ref of all.slice(0, 500)) ref[Symbol.dispose]();
  await lose(...all);
  t.is((await last)[0], 501);
});

testInBoth('objects go with their last ref, though their tasks are remembered', async (t) => {
  const marks = createStore(t);
  const before = make.remote(marks.handle, 1);
  using after = increment.remote(marks.handle, before);
  t.is(await first(after), 2);
  const { id } = before;
  before[Symbol.dispose]();
  using store = runtimeStore();
  await untilCollected('nobody reads it', () => {
    askAllToCollect();
    return !store.contains(id);
  });
  t.false(memory().some((row) => row.id === id));
  t.true(isRemembered(id));
  after[Symbol.dispose]();
  await untilForgotten(id, after.id);
  t.pass();
});

testInBoth('who gets a lost object at the same time has its task run once', async (t) => {
  const marks = createStore(t);
  const ref = make.remote(marks.handle, 6);
  t.is(await first(ref), 6);
  await lose(ref);
  const inDriver = Array.from({ length: 5 }, () => ref.then((value) => value[0]));
  const inWorkers = [firstsOf.remote([ref]), firstOf.remote(ref)];
  t.deepEqual(await Promise.all(inDriver), [6, 6, 6, 6, 6]);
  t.deepEqual(await get(inWorkers), [[6], 6]);
  t.is(marks.stats().puts, 2);
});

testInBoth('each time uses up a retry; with none left it is ObjectLostError', async (t) => {
  const marks = createStore(t);
  const ref = make.options({ retries: 2 }).remote(marks.handle, 1);
  for (let i = 0; i < 3; i++) {
    t.is(await first(ref), 1);
    await lose(ref);
  }
  const error = await t.throwsAsync(ref.then(), isLost(/each time .* uses up one of the retries/));
  t.true(error.message.includes(ref.id));
  t.is(marks.stats().puts, 3);
});

testInBoth('with retries: 0 a lost result is not made again', async (t) => {
  const marks = createStore(t);
  const ref = make.options({ retries: 0 }).remote(marks.handle, 1);
  t.is(await first(ref), 1);
  await lose(ref);
  await t.throwsAsync(ref.then(), isLost(/no retries/));
  t.throws(() => getSync(ref), isLost(/no retries/));
  t.is(marks.stats().puts, 1);
});

testInBoth('what was put is not made again, nor what was made of it', async (t) => {
  const marks = createStore(t);
  const base = put(array(1));
  const made = increment.remote(marks.handle, base);
  const { id } = base;
  base[Symbol.dispose]();
  t.is(await first(made), 2);
  await lose(made, { id });
  const error = await t.throwsAsync(made.then(), isLost(/it was put, and evicted/));
  t.true(error.message.includes(id));
  const other = put(array(1));
  await lose(other);
  await t.throwsAsync(other.then(), isLost(/only results of tasks are made again/));
  await t.throwsAsync(firstOf.remote(other).then(), isLost(/it was put/));
  await t.throwsAsync(firstsOf.remote([other]).then(), {
    instanceOf: TaskError,
    message: /it was put/,
  });
});

testInBoth('arguments too large for a record are needed, too', async (t) => {
  const marks = createStore(t);
  const base = make.remote(marks.handle, 1);
  const made = incrementBig.remote(base, 'x'.repeat(10_000));
  t.is(await first(made), 10_001);
  await lose(made);
  await t.throwsAsync(made.then(), isLost(/the arguments of its task were evicted/));
});

testInBoth('a freed object is not made again', async (t) => {
  const marks = createStore(t);
  const ref = make.remote(marks.handle, 1);
  t.is(await first(ref), 1);
  await lose(ref);
  free(ref);
  await t.throwsAsync(ref.then(), { code: 'MOBULA_OBJECT_FREED' });
  t.is(marks.stats().puts, 1);
});

testInBoth('of several results those that are there stay as they are', async (t) => {
  const marks = createStore(t);
  const [one, two] = makePair.options({ returns: 2 }).remote(marks.handle, 1, 2) as Arrays;
  t.deepEqual([await first(one), await first(two)], [1, 2]);
  const held = await two;
  await lose(one);
  t.is(await first(one), 1);
  t.is(marks.stats().puts, 2);
  const again = await two;
  t.true(again.buffer === held.buffer);
  const rows = memory().filter(({ id }) => id === one.id || id === two.id);
  t.deepEqual(
    rows.map(({ state, refs }) => ({ state, refs })),
    [
      { state: 'sealed', refs: 1 },
      { state: 'sealed', refs: 1 },
    ],
  );
  release([held, again]);
  two[Symbol.dispose]();
  t.true(isRemembered(two.id));
  one[Symbol.dispose]();
  await untilForgotten(one.id, two.id);
});

testInBoth('a lost result beside one that travels inline is made again', async (t) => {
  const marks = createStore(t);
  const [small, large] = makeMixed.options({ returns: 2 }).remote(marks.handle, 9) as [
    ObjectRef<string>,
    ObjectRef<Float64Array>,
  ];
  t.is(await small, 'small');
  t.is(await first(large), 9);
  await lose(large);
  t.is(await first(large), 9);
  t.is(await small, 'small');
  t.is(marks.stats().puts, 2);
});

testInBoth('a lost allocated array is made again', async (t) => {
  await lose();
  const marks = createStore(t);
  const ref = makeAllocatedMiB.remote(marks.handle, 3);
  t.is(await first(ref), 3);
  using store = runtimeStore();
  const { id } = store.list().find(({ size }) => size > 1024 * 1024 && size < 1025 * 1024)!;
  await untilCollected('the array is evicted', () => {
    askAllToCollect();
    return evictObject(id);
  });
  t.is(await first(ref), 3);
  t.is(marks.stats().puts, 2);
});

testInBoth('a small value that lies in the store for others is put again', async (t) => {
  const marks = createStore(t);
  const small = makeSmall.remote(marks.handle, 'here');
  await small;
  const container = put([small]);
  const [inside] = await container;
  await lose(inside!);
  t.deepEqual(await inside, { text: 'here' });
  await lose(inside!);
  t.deepEqual(await echo.remote(inside), { text: 'here' });
  t.is(marks.stats().puts, 1);
});

testInBoth('what fails when it is made again fails with what it throws', async (t) => {
  const ref = makeOnce.remote(1);
  t.is(await first(ref), 1);
  await lose(ref);
  await t.throwsAsync(ref.then(), { instanceOf: TaskError, message: /not again/ });
  await t.throwsAsync(firstOf.remote(ref).then(), { message: /not again/ });
});

testInBoth('results of actors and items of streams are not made again', async (t) => {
  const marks = createStore(t);
  using maker = Maker.remote();
  const made = maker.make(1);
  t.is(await first(made), 1);
  const [item] = await refsOf(yieldArray.remote(marks.handle, 2));
  t.is(await first(item!), 2);
  await lose(made, item!);
  await t.throwsAsync(made.then(), isLost(/it is the result of an actor/));
  await t.throwsAsync(item!.then(), isLost(/it is an item of a stream/));
});

testInBoth('calls of an actor keep their order while an argument is made again', async (t) => {
  const marks = createStore(t);
  using maker = Maker.remote();
  const ref = make.remote(marks.handle, 8);
  t.is(await first(ref), 8);
  await maker.note('first');
  void maker.note(ref);
  using store = runtimeStore();
  store.evict(store.stats().memory);
  void maker.note('last');
  t.deepEqual(await maker.seen(), ['first', 8, 'last']);
});

testInBoth('the oldest tasks are forgotten when there are too many', async (t) => {
  const marks = createStore(t);
  t.teardown(limitLineage({ tasks: 3, bytes: 1024 * 1024 }));
  const refs = [];
  for (let i = 0; i < 5; i++) {
    const ref = make.remote(marks.handle, i);
    t.is(await first(ref), i);
    refs.push(ref);
  }
  await lose(...refs);
  await t.throwsAsync(refs[0]!.then(), isLost(/its task is remembered no longer/));
  t.is(refs.filter(({ id }) => isRemembered(id)).length, 3);
  for (const ref of refs.filter(({ id }) => isRemembered(id))) t.truthy(await ref);
});

testInBoth('a result whose worker is killed before it is sealed is made again', async (t) => {
  const attempts = createStore(t);
  const ref = makeAndDie.remote(attempts.handle, [0, 2], 4);
  t.is((await ref).value[0], 4);
  t.is(attempts.stats().puts, 2);
  await lose(ref);
  t.is((await ref).value[0], 4);
  t.is(attempts.stats().puts, 4);
  await lose(ref);
  await t.throwsAsync(ref.then(), isLost(/uses up one of the retries/));
});

testInBoth('what a worker owned is lost with the worker', async (t) => {
  const marks = createStore(t);
  const { made, pid } = await makeAsOwner.remote(marks.handle, 4);
  t.is(await first(made), 4);
  process.kill(pid, 'SIGKILL');
  await lose(made);
  await t.throwsAsync(made.then(), isLost(/its owner, who could make it again, has ended/));
});

testInBoth('many more results than the store has room for can all be read', async (t) => {
  const marks = createStore(t);
  const refs = Array.from({ length: 40 }, (_, i) => make.remote(marks.handle, i));
  await wait(refs, { count: refs.length });
  for (const [i, ref] of refs.entries()) t.is(await first(ref), i);
  t.true(marks.stats().puts > 40);
});

runInBoth({ memory: '16MiB', eviction: 'clru' });
