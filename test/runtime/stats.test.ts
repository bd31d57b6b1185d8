import { cancel, get, put, stats, taskTimes, type ObjectRef, type RuntimeStats } from 'mobula';
import { Counter } from '../support/actors.js';
import { Gate } from '../support/gate.js';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import {
  countTo,
  dawdle,
  divide,
  flaky,
  loop,
  statsInTask,
  yieldThenThrow,
} from '../support/scheduling.js';
import { refsIn, refsOf } from '../support/streams.js';
import { createStore } from '../support/stores.js';
import {
  add,
  countDown,
  exitAtOnce,
  fail,
  failInTask,
  passGate,
  whereAmI,
} from '../support/tasks.js';
import { crashOnce } from '../support/crashing.js';
import { until } from '../support/until.js';

/** By how much the counts of tasks have changed. */
function tasksSince({ tasks: before }: RuntimeStats): RuntimeStats['tasks'] {
  const { tasks } = stats();
  return {
    queued: tasks.queued - before.queued,
    running: tasks.running - before.running,
    finished: tasks.finished - before.finished,
    failed: tasks.failed - before.failed,
    retried: tasks.retried - before.retried,
  };
}

const none = { queued: 0, running: 0, finished: 0, failed: 0, retried: 0 };

testInBoth('stats counts tasks that have given a value, and those that have thrown', async (t) => {
  const before = stats();
  await get(Array.from({ length: 10 }, (_, i) => add.remote(i, i)));
  t.deepEqual(tasksSince(before), { ...none, finished: 10 });
  await t.throwsAsync(fail.remote('no').then());
  t.deepEqual(tasksSince(before), { ...none, finished: 10, failed: 1 });
});

testInBoth(
  'a task that is retried until it gives a value has finished, and not failed',
  async (t) => {
    const marks = createStore(t);
    const before = stats();
    await flaky.options({ retryErrors: true }).remote(marks.handle, 2);
    t.deepEqual(tasksSince(before), { ...none, finished: 1, retried: 2 });
    const failing = flaky.options({ retryErrors: true, retries: 1 });
    await t.throwsAsync(failing.remote(marks.handle, 9).then());
    t.deepEqual(tasksSince(before), { ...none, finished: 1, failed: 1, retried: 3 });
  },
);

testInBoth('stats counts a task that is run again because its worker died', async (t) => {
  const attempts = createStore(t);
  const before = stats();
  const array = put(new Float64Array(10).fill(1));
  await crashOnce.remote(attempts.handle, array, [array]);
  t.deepEqual(tasksSince(before), { ...none, finished: 1, retried: 1 });
});

testInBoth('a task that ends its worker once too often has failed once', async (t) => {
  const before = stats();
  await t.throwsAsync(exitAtOnce.options({ retries: 1 }).remote().then());
  t.deepEqual(tasksSince(before), { ...none, failed: 1, retried: 1 });
});

testInBoth('a task that is cancelled has failed, whether it waits or runs', async (t) => {
  const gate = new Gate(t);
  const before = stats();
  const running = [passGate.remote(gate.pass(0), 0), passGate.remote(gate.pass(1), 1)];
  await Promise.all([gate.arrived(0), gate.arrived(1)]);
  const queued = add.options({ cpus: 2 }).remote(1, 1);
  const dependent = add.remote(queued, 1);
  t.true(await cancel(queued));
  t.deepEqual(tasksSince(before), { ...none, failed: 2, running: 2 });
  t.true(await cancel(running[0]!));
  await t.throwsAsync(get(dependent));
  await until('the worker has heard of it', () => tasksSince(before).running === 1);
  gate.open();
  t.is(await running[1], 1);
  t.deepEqual(tasksSince(before), { ...none, finished: 1, failed: 3 });
});

testInBoth('a task that is cancelled when it has just given a value counts once', async (t) => {
  const before = stats();
  const count = 200;
  const refs = Array.from({ length: count }, (_, i) => add.remote(i, 1));
  await refs[0];
  const cancelled = (await Promise.all(refs.map((ref) => cancel(ref)))).filter(Boolean).length;
  await until('nothing runs', () => tasksSince(before).running === 0);
  await add.remote(1, 1);
  const expected = { ...none, finished: count + 1 - cancelled, failed: cancelled };
  t.deepEqual(tasksSince(before), expected);
});

testInBoth('a task that is out of time has failed, whether it yields or not', async (t) => {
  const before = stats();
  await t.throwsAsync(dawdle.options({ timeout: 20 }).remote().then());
  await until('its worker has ended it', () => tasksSince(before).running === 0);
  t.deepEqual(tasksSince(before), { ...none, failed: 1 });
  const marks = createStore(t);
  await t.throwsAsync(loop.options({ timeout: 20 }).remote(marks.handle).then());
  await until('its worker has ended', () => tasksSince(before).running === 0);
  t.deepEqual(tasksSince(before), { ...none, failed: 2 });
});

testInBoth('a stream is one task, finished too when its reader leaves early', async (t) => {
  const before = stats();
  await refsOf(countTo.remote(10));
  t.deepEqual(tasksSince(before), { ...none, finished: 1 });
  for await (const ref of refsIn(countTo.remote(1000))) {
    t.is(await (ref as ObjectRef<number>), 0);
    break;
  }
  await until('its worker has heard of it', () => tasksSince(before).running === 0);
  t.deepEqual(tasksSince(before), { ...none, finished: 2 });
  await t.throwsAsync(Promise.all(await refsOf(yieldThenThrow.remote(2))));
  t.deepEqual(tasksSince(before), { ...none, finished: 2, failed: 1 });
});

testInBoth('a task of several results is one task', async (t) => {
  const before = stats();
  await get(divide.options({ returns: 2 }).remote(17, 5));
  t.deepEqual(tasksSince(before), { ...none, finished: 1 });
});

testInBoth('the tasks of tasks count as those of the driver do', async (t) => {
  const before = stats();
  t.is(await countDown.remote(5), 5);
  t.deepEqual(tasksSince(before), { ...none, finished: 6 });
  await t.throwsAsync(failInTask.remote('no').then());
  t.deepEqual(tasksSince(before), { ...none, finished: 6, failed: 2 });
});

testInBoth('stats counts tasks at once that wait for a worker, and those that run', async (t) => {
  const gate = new Gate(t);
  const before = stats();
  const running = [passGate.remote(gate.pass(0), 0), passGate.remote(gate.pass(1), 1)];
  const { queued: waiting, running: taken } = tasksSince(before);
  t.is(waiting + taken, 2);
  await Promise.all([gate.arrived(0), gate.arrived(1)]);
  const queued = whereAmI.options({ cpus: 2 }).remote();
  t.deepEqual(tasksSince(before), { ...none, queued: 1, running: 2 });
  gate.open();
  await get([...running, queued]);
  t.deepEqual(tasksSince(before), { ...none, finished: 3 });
});

testInBoth('stats counts the workers that are up, whoever asks', async (t) => {
  await until('both workers are up', async () => {
    await get([whereAmI.remote(), whereAmI.remote()]);
    return stats().workers === 2;
  });
  t.is((await statsInTask.remote()).workers, 2);
});

testInBoth('an actor is alive, then dead', async (t) => {
  const before = stats().actors;
  const counter = Counter.remote(1);
  t.deepEqual(stats().actors, { ...before, alive: before.alive + 1 });
  t.is(await counter.increment(), 2);
  t.deepEqual(stats().actors, { ...before, alive: before.alive + 1 });
  await t.throwsAsync(counter.exit().then());
  await until('the actor is dead', () => stats().actors.dead === before.dead + 1);
  t.is(stats().actors.alive, before.alive);
});

testInBoth('stats shows the store as any client of it sees it', (t) => {
  const before = stats().store;
  const ref = put(new Uint8Array(10_000));
  using store = runtimeStore();
  const { objects, usedBytes, memory } = stats().store;
  t.is(objects, before.objects + 1);
  t.true(usedBytes >= before.usedBytes + 10_000);
  t.like(store.stats(), { objects, usedBytes, memory });
  ref[Symbol.dispose]();
  t.is(stats().store.objects, before.objects);
});

testInBoth('the times of tasks are not kept unless they are asked for', async (t) => {
  await add.remote(1, 1);
  t.is(taskTimes(), undefined);
});

runInBoth();
