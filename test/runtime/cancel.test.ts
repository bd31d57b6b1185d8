import { actor, cancel, put, TaskCancelledError, type ObjectRef } from 'mobula';
import { Gate } from '../support/gate.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import {
  attemptAfter,
  Blocking,
  cancelNested,
  countMarked,
  dawdle,
  leaveMark,
  loop,
  markId,
  parentOfMarkAtGate,
  parentOfUntilAborted,
  untilAborted,
} from '../support/scheduling.js';
import { createStore } from '../support/stores.js';
import { refsOf } from '../support/streams.js';
import { add, addLater, passGate } from '../support/tasks.js';
import { until } from '../support/until.js';

const cancelled = { instanceOf: TaskCancelledError, code: 'MOBULA_TASK_CANCELLED' };
const tasks = 2;

testInBoth('a queued task that is cancelled never runs', async (t) => {
  const gate = new Gate(t);
  const marks = createStore(t);
  const busy = Array.from({ length: tasks }, (_, i) => passGate.remote(gate.pass(i), i));
  await Promise.all(busy.map((_, i) => gate.arrived(i)));
  const queued = leaveMark.remote(marks.handle);
  await new Promise((resolve) => setImmediate(resolve));
  t.true(await cancel(queued));
  await t.throwsAsync(queued.then(), cancelled);
  gate.open();
  for (const ref of busy) await ref;
  await add.remote(1, 1);
  t.is(marks.stats().puts, 0);
});

testInBoth('a task can be cancelled in the turn in which it was submitted', async (t) => {
  const ref = dawdle.remote();
  t.true(await cancel(ref));
  await t.throwsAsync(ref.then(), cancelled);
});

testInBoth(
  'a running task that is cancelled fails at once and finds its signal aborted',
  async (t) => {
    const marks = createStore(t);
    const ref = untilAborted.remote(marks.handle);
    (await marks.wait(markId('started'))).release();
    t.true(await cancel(ref));
    await t.throwsAsync(ref.then(), cancelled);
    (await marks.wait(markId('aborted'))).release();
    t.is(await add.remote(1, 1), 2);
  },
);

testInBoth('a task whose function ignores its signal fails all the same', async (t) => {
  for (let i = 0; i < 2 * tasks; i++) {
    const ref = dawdle.remote();
    await new Promise((resolve) => setTimeout(resolve, 1));
    t.true(await cancel(ref));
    await t.throwsAsync(ref.then(), cancelled);
  }
  t.is(await add.remote(1, 1), 2);
});

testInBoth('force ends the worker of a task that does not yield', async (t) => {
  const marks = createStore(t);
  const ref = loop.remote(marks.handle);
  (await marks.wait(markId('started'))).release();
  t.true(await cancel(ref, { force: true }));
  await t.throwsAsync(ref.then(), cancelled);
  const refs = Array.from({ length: 10 }, (_, i) => add.remote(i, 1));
  for (const [i, one] of refs.entries()) t.is(await one, i + 1);
});

testInBoth('what shares a worker ended by force is run again and keeps its retries', async (t) => {
  const gate = new Gate(t);
  const marks = createStore(t);
  const blocker = passGate.remote(gate.pass(), 0) as ObjectRef<number>;
  await gate.arrived();
  // It takes the other worker, and lends it while it waits.
  const awaited = addLater.remote(blocker, 0);
  const waiting = attemptAfter.options({ retries: 1 }).remote(marks.handle, [awaited]);
  for (let kills = 0; kills < 3; kills++) {
    const runs = kills + 1;
    await until('it waits', () => marks.stats().puts === runs);
    const loops = createStore(t);
    const ref = loop.remote(loops.handle);
    (await loops.wait(markId('started'))).release();
    await cancel(ref, { force: true });
  }
  gate.open();
  t.is(await waiting, 3);
  t.is(marks.stats().puts, 4);
});

testInBoth('what has finished cannot be cancelled', async (t) => {
  const ref = add.remote(1, 2);
  await ref;
  t.false(await cancel(ref));
  t.is(await ref, 3);
  t.false(await cancel(put(1)));
});

testInBoth(
  'a task that waits for its arguments can be cancelled, and so fail dependents',
  async (t) => {
    const gate = new Gate(t);
    const pending = passGate.remote(gate.pass(), 1) as ObjectRef<number>;
    const waiting = add.remote(pending, 1);
    const dependent = add.remote(waiting, 1);
    t.true(await cancel(waiting));
    await t.throwsAsync(dependent.then(), cancelled);
    gate.open();
    t.is(await pending, 1);
  },
);

testInBoth('cancelling a task cancels what it has submitted', async (t) => {
  const marks = createStore(t);
  const ref = parentOfUntilAborted.remote(marks.handle);
  (await marks.wait(markId('started'))).release();
  t.true(await cancel(ref));
  (await marks.wait(markId('aborted'))).release();
});

testInBoth('without recursive what a task has submitted goes on', async (t) => {
  const gate = new Gate(t);
  const marks = createStore(t);
  const ref = parentOfMarkAtGate.remote(gate.pass(), marks.handle);
  await gate.arrived();
  t.true(await cancel(ref, { recursive: false }));
  await t.throwsAsync(ref.then(), cancelled);
  gate.open();
  (await marks.wait(markId('through'))).release();
});

testInBoth('a task can cancel what somebody else has submitted', async (t) => {
  const marks = createStore(t);
  const ref = untilAborted.remote(marks.handle);
  (await marks.wait(markId('started'))).release();
  t.true(await cancelNested.remote([ref]));
  await t.throwsAsync(ref.then(), cancelled);
  const finished = add.remote(1, 1);
  await finished;
  t.false(await cancelNested.remote([finished]));
});

testInBoth('a stream that is cancelled ends its generator and fails as its last ref', async (t) => {
  const marks = createStore(t);
  const stream = countMarked.options({ backpressure: 1 }).remote(marks.handle, 1000);
  const { value } = await stream.next();
  t.is(await value!, 0);
  t.true(await cancel(stream));
  (await marks.wait(markId('finally'))).release();
  const rest = await refsOf(stream);
  await t.throwsAsync(rest.at(-1)!.then(), cancelled);
});

testInBoth('a call of an actor can be cancelled, but not by force', async (t) => {
  const marks = createStore(t);
  const blocking = Blocking.remote();
  const running = blocking.abortable(marks.handle);
  const queued = blocking.abortable(marks.handle);
  (await marks.wait(markId('started'))).release();
  await t.throwsAsync(cancel(running, { force: true }), { instanceOf: TypeError });
  t.true(await cancel(queued));
  t.true(await cancel(running));
  await t.throwsAsync(queued.then(), cancelled);
  await t.throwsAsync(running.then(), cancelled);
  (await marks.wait(markId('aborted'))).release();
  t.is(await blocking.add(1, 2), 3);
});

testInBoth('cancel() refuses what is no ref and what is no option', async (t) => {
  for (const target of [undefined, null, 1, 'ref', {}, [add.remote(1, 1)], actor]) {
    await t.throwsAsync(cancel(target as never), { instanceOf: TypeError });
  }
  const ref = add.remote(1, 1);
  await t.throwsAsync(cancel(ref, { force: 1 } as never), { instanceOf: TypeError });
  await t.throwsAsync(cancel(ref, { forced: true } as never), { instanceOf: TypeError });
  t.is(await ref, 2);
});

runInBoth({ workers: tasks });
