import { context } from 'mobula';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { describeContext, locals, taskIdLater, userLater, userOf } from '../support/scheduling.js';
import { add } from '../support/tasks.js';
import { traced } from '../support/tracing.js';

testInBoth('the driver has a context of no task', async (t) => {
  await add.remote(1, 1);
  const here = context();
  t.true(here.isDriver);
  t.is(here.taskId, undefined);
  t.is(here.attempt, 0);
  t.deepEqual(here.resources, {});
  t.false(here.signal.aborted);
});

testInBoth('a task knows its runtime, machine, worker and itself', async (t) => {
  const ref = describeContext.remote();
  const there = await ref;
  const here = context();
  t.is(there.jobId, here.jobId);
  t.is(there.nodeId, here.nodeId);
  t.not(there.workerId, here.workerId);
  t.is(there.taskId, ref.id);
  t.is(there.attempt, 0);
  t.deepEqual(there.resources, { cpu: 1 });
  t.false(there.isDriver);
  const { resources } = await describeContext.options({ cpus: 0.5 }).remote();
  t.deepEqual(resources, { cpu: 0.5 });
});

testInBoth('a task knows itself after it has waited, though others run meanwhile', async (t) => {
  const refs = Array.from({ length: 50 }, () => taskIdLater.remote());
  for (const ref of refs) t.is(await ref, ref.id);
});

testInBoth(
  'the values of AsyncLocalStorages that a module exports go with its tasks',
  async (t) => {
    const run = <T>(user: string, fn: () => T) => locals.run({ user }, fn);
    const [ada, bob] = [run('ada', () => userOf.remote()), run('bob', () => userLater.remote())];
    t.is(await ada, 'ada');
    t.is(await bob, 'bob');
    t.is(await userOf.remote(), undefined);
  },
);

testInBoth('the active trace of OpenTelemetry goes with a task', async (t) => {
  t.is(await traced('00-aa-bb-01'), '00-aa-bb-01');
  t.is(await traced(undefined), undefined);
});

runInBoth();
