import { get, put, stats, type RuntimeStats } from 'mobula';
import { Counter } from '../support/actors.js';
import { Gate } from '../support/gate.js';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import { flaky, statsInTask } from '../support/scheduling.js';
import { createStore } from '../support/stores.js';
import { add, fail, passGate, whereAmI } from '../support/tasks.js';
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

testInBoth('stats counts each run of a task that is retried for its errors', async (t) => {
  const marks = createStore(t);
  const before = stats();
  await flaky.options({ retryErrors: true }).remote(marks.handle, 2);
  t.deepEqual(tasksSince(before), { ...none, finished: 1, failed: 2, retried: 2 });
});

testInBoth('stats counts a task that is run again because its worker died', async (t) => {
  const attempts = createStore(t);
  const before = stats();
  const array = put(new Float64Array(10).fill(1));
  await crashOnce.remote(attempts.handle, array, [array]);
  t.deepEqual(tasksSince(before), { ...none, finished: 1, retried: 1 });
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

runInBoth();
