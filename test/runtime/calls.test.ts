import test from 'ava';
import { cancel, init, PendingCallsLimitError, shutdown, TaskCancelledError } from 'mobula';
import type { CallOptions, ObjectRef } from 'mobula';
import {
  Caller,
  giveBack,
  Grouped,
  noteInTask,
  noteTwiceInTask,
  Patient,
  Starter,
  Visited,
} from '../support/calls.js';
import { Gate } from '../support/gate.js';
import { testInEach } from '../support/in-each.js';
import { markId } from '../support/scheduling.js';
import { createStore } from '../support/stores.js';
import { passGate } from '../support/tasks.js';
import { until } from '../support/until.js';

const cancelled = { instanceOf: TaskCancelledError, code: 'MOBULA_TASK_CANCELLED' };

test.before(() => {
  init({ workers: 2, memory: '128MiB' });
});
test.after.always(() => shutdown());

// --- Overlapping ---

testInEach('async methods overlap up to maxConcurrency', async (t, isolation) => {
  const gate = new Gate(t);
  const concurrencyGroups = { other: 1 };
  const visited = Visited.options({ isolation, maxConcurrency: 3, concurrencyGroups }).remote();
  const visits = [0, 1, 2, 3].map((n) => visited.visit(gate.pass(n), n));
  for (const n of [0, 1, 2]) await gate.arrived(n);
  t.deepEqual(await visited.started.options({ concurrencyGroup: 'other' })(), [0, 1, 2]);
  gate.open();
  t.deepEqual(await Promise.all(visits), [0, 1, 2, 3]);
});

testInEach('a full group holds up no other, nor calls without a group', async (t, isolation) => {
  const gate = new Gate(t);
  const grouped = Grouped.options({ isolation }).remote();
  const visits = [0, 1, 2].map((n) =>
    grouped.visit.options({ concurrencyGroup: 'pairs' })(gate.pass(n), n),
  );
  for (const n of [0, 1]) await gate.arrived(n);
  await grouped.note.options({ concurrencyGroup: 'single' })('single');
  await grouped.note('none');
  t.deepEqual(await grouped.started(), [0, 1, 'single', 'none']);
  gate.open();
  t.deepEqual(await Promise.all(visits), [0, 1, 2]);
});

testInEach('calls of a group start in the order in which they were made', async (t, isolation) => {
  const gate = new Gate(t);
  const grouped = Grouped.options({ isolation }).remote();
  const inPairs = grouped.visit.options({ concurrencyGroup: 'pairs' });
  const visits = Array.from({ length: 50 }, (_, n) => inPairs(gate.pass(), n));
  gate.open();
  await Promise.all(visits);
  t.deepEqual(
    await grouped.started(),
    visits.map((_, n) => n),
  );
});

testInEach('calls that need not wait start in order across groups', async (t, isolation) => {
  const grouped = Grouped.options({ isolation }).remote();
  const notes = [grouped.note, grouped.note.options({ concurrencyGroup: 'single' })];
  for (let n = 0; n < 100; n++) notes[n % 2]!(n);
  t.deepEqual(
    await grouped.started(),
    Array.from({ length: 100 }, (_, n) => n),
  );
});

test('actors of one class can have different groups', async (t) => {
  const visited = Visited.options({ concurrencyGroups: { mine: 1 } }).remote();
  await visited.note.options({ concurrencyGroup: 'mine' })(1);
  t.throws(() => Visited.remote().note.options({ concurrencyGroup: 'mine' }), {
    instanceOf: RangeError,
  });
});

// --- Options of calls ---

test('options of calls are refused that do not exist or are out of bounds', (t) => {
  const grouped = Grouped.remote();
  const refused: [unknown, typeof TypeError | typeof RangeError, RegExp][] = [
    [null, TypeError, /"options"/],
    [{ timeOut: 1 }, TypeError, /options\.timeOut/],
    [{ timeout: 'soon' }, RangeError, /options\.timeout/],
    [{ retries: -2 }, RangeError, /options\.retries/],
    [{ retries: Infinity }, RangeError, /options\.retries/],
    [{ returns: 0 }, RangeError, /options\.returns/],
    [{ concurrencyGroup: 7 }, TypeError, /options\.concurrencyGroup/],
    [{ concurrencyGroup: 'trios' }, RangeError, /'pairs', 'single'/],
  ];
  for (const [options, instanceOf, message] of refused) {
    t.throws(() => grouped.note.options(options as CallOptions), { instanceOf, message });
  }
});

test('options of calls are checked on handles that have travelled, too', async (t) => {
  const [grouped] = await giveBack.remote(Grouped.remote());
  t.throws(() => grouped!.note.options({ concurrencyGroup: 'trios' }), {
    instanceOf: RangeError,
    message: /'pairs', 'single'/,
  });
});

// --- Unanswered calls ---

testInEach(
  'a call more than maxPendingCalls throws until another is answered',
  async (t, isolation) => {
    const gate = new Gate(t);
    const visited = Visited.options({ isolation, maxPendingCalls: 2 }).remote();
    const visits = [0, 1].map((n) => visited.visit(gate.pass(), n));
    t.throws(() => visited.started(), {
      instanceOf: PendingCallsLimitError,
      code: 'MOBULA_PENDING_CALLS_LIMIT',
      message: /VisitedClass\.started.* 2 calls/,
    });
    gate.open();
    await Promise.all(visits);
    t.deepEqual(await visited.started(), [0, 1]);
  },
);

test('calls that fail, and calls that are cancelled, are pending no more', async (t) => {
  const gate = new Gate(t);
  const visited = Visited.options({ maxPendingCalls: 1 }).remote();
  const wrongly = visited as unknown as { missing(): ObjectRef };
  for (let i = 0; i < 3; i++) await t.throwsAsync(wrongly.missing().then());
  const pending = passGate.remote(gate.pass(), 'never noted');
  const cancelledCall = visited.note(pending);
  t.true(await cancel(cancelledCall));
  await t.throwsAsync(cancelledCall.then(), cancelled);
  t.deepEqual(await visited.started(), []);
  gate.open();
  await pending;
});

test('a thread counts its pending calls, through all handles of the actor', async (t) => {
  const gate = new Gate(t);
  const visited = Visited.options({ maxPendingCalls: 1, maxConcurrency: 2 }).remote();
  const [again] = await giveBack.remote(visited);
  const visit = visited.visit(gate.pass(), 1);
  t.throws(() => again!.started(), { instanceOf: PendingCallsLimitError });
  t.regex(await noteTwiceInTask.remote(visited), /maxPendingCalls/);
  gate.open();
  await visit;
  t.deepEqual(await again!.started(), [1, 1]);
});

test('calls through all handles of a thread leave in the order in which they were made', async (t) => {
  const gate = new Gate(t);
  const visited = Visited.remote();
  const [again] = await giveBack.remote(visited);
  visited.note(passGate.remote(gate.pass(), 'first'));
  const second = again!.note('second');
  await noteInTask.remote(visited, 'of another thread');
  gate.open();
  await second;
  t.deepEqual(await visited.started(), ['of another thread', 'first', 'second']);
});

// --- Cancelled calls ---

testInEach('a call that waits can be cancelled, and never runs', async (t, isolation) => {
  const gate = new Gate(t);
  const grouped = Grouped.options({ isolation }).remote();
  const first = grouped.visit(gate.pass(), 'first');
  const second = grouped.note('second');
  await gate.arrived();
  t.true(await cancel(second));
  await t.throwsAsync(second.then(), cancelled);
  // It comes after the word of the cancelling.
  await grouped.note.options({ concurrencyGroup: 'single' })('third');
  gate.open();
  await first;
  t.deepEqual(await grouped.started(), ['first', 'third']);
});

test('a call that waits for its arguments holds up nobody once it is cancelled', async (t) => {
  const gates = [new Gate(t), new Gate(t)];
  const [first, second] = gates.map((gate, n) => passGate.remote(gate.pass(), n));
  const visited = Visited.remote();
  visited.note(first);
  const call = visited.note(second);
  const third = visited.note('third');
  t.true(await cancel(call));
  await t.throwsAsync(call.then(), cancelled);
  gates[0]!.open();
  await third;
  t.deepEqual(await visited.started(), [0, 'third']);
  gates[1]!.open();
  await second;
});

testInEach('a call that runs finds its signal aborted when cancelled', async (t, isolation) => {
  const marks = createStore(t);
  const patient = Patient.options({ isolation }).remote();
  const call = patient.untilAborted(marks.handle);
  (await marks.wait(markId('started'))).release();
  t.true(await cancel(call));
  await t.throwsAsync(call.then(), cancelled);
  (await marks.wait(markId('aborted'))).release();
  t.is(await patient.hello(), 'hello');
});

testInEach('cancelling a call cancels what it has submitted', async (t, isolation) => {
  const marks = createStore(t);
  const patient = Patient.options({ isolation }).remote();
  const call = patient.submitUntilAborted(marks.handle);
  (await marks.wait(markId('task started'))).release();
  t.true(await cancel(call));
  (await marks.wait(markId('task aborted'))).release();
  t.is(await patient.hello(), 'hello');
});

testInEach(
  'a caller that ends takes its waiting calls along and aborts those that run',
  async (t, isolation) => {
    const running = createStore(t);
    const waiting = createStore(t);
    const patient = Patient.options({ isolation }).remote();
    const caller = Caller.options({ isolation: 'process' }).remote();
    await caller.call(patient, running.handle, waiting.handle);
    (await running.wait(markId('started'))).release();
    await t.throwsAsync(caller.exit().then(), { code: 'MOBULA_ACTOR_DIED' });
    (await running.wait(markId('aborted'))).release();
    t.is(await patient.hello(), 'hello');
    t.is(waiting.stats().puts, 0);
  },
);

// --- Whose code it is ---

test('what a synchronous method has started knows its actor, where there are several', async (t) => {
  const starters = Array.from({ length: 6 }, () => Starter.remote());
  for (const starter of starters) await starter.start();
  for (const starter of starters) await starter.start();
  for (const starter of starters) {
    await until('the code has run', async () => (await starter.seen()) !== undefined);
    t.is(await starter.seen(), starter.actorId);
  }
});
