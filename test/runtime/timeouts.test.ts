import { TaskTimeoutError } from 'mobula';
import { Gate } from '../support/gate.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { dawdle, leaveMark, loop, markId, place, untilAborted } from '../support/scheduling.js';
import { createStore } from '../support/stores.js';
import { add, echo, passGate } from '../support/tasks.js';
import { until } from '../support/until.js';

const outOfTime = { instanceOf: TaskTimeoutError, code: 'MOBULA_TASK_TIMEOUT' };

testInBoth(
  'a function that yields is aborted at its time-out, and its worker is kept',
  async (t) => {
    const marks = createStore(t);
    const before = await place.remote();
    await t.throwsAsync(
      untilAborted.options({ timeout: 20 }).remote(marks.handle).then(),
      outOfTime,
    );
    (await marks.wait(markId('aborted'))).release();
    t.deepEqual(await place.remote(), before);
  },
);

testInBoth('a loop that never yields is ended at its time-out, and not run again', async (t) => {
  const marks = createStore(t);
  await t.throwsAsync(loop.options({ timeout: '30ms' }).remote(marks.handle).then(), outOfTime);
  t.is(await add.remote(1, 1), 2);
  t.is(marks.stats().puts, 1);
});

testInBoth('the clock starts with the call, not with the submission', async (t) => {
  const gate = new Gate(t);
  const busy = passGate.remote(gate.pass(), 0);
  await gate.arrived();
  const queued = echo.options({ timeout: 50 }).remote('in time');
  const start = performance.now();
  await until('the time-out has passed', () => performance.now() - start > 100);
  gate.open();
  t.is(await queued, 'in time');
  await busy;
});

testInBoth('a task that ends in time gives its result, and so do those after it', async (t) => {
  const refs = Array.from({ length: 100 }, (_, i) => add.options({ timeout: 60_000 }).remote(i, 1));
  for (const [i, ref] of refs.entries()) t.is(await ref, i + 1);
});

testInBoth('dependents of a task that ran out of time fail with the same error', async (t) => {
  const late = dawdle.options({ timeout: 10 }).remote();
  await t.throwsAsync(echo.remote(late).then(), outOfTime);
});

testInBoth('time-outs that are none are refused at the call', async (t) => {
  const marks = createStore(t);
  for (const timeout of [-1, NaN, 'soon', null, {}]) {
    t.throws(() => leaveMark.options({ timeout: timeout as never }), {
      message: /options\.timeout/,
    });
  }
  await add.remote(1, 1);
  t.is(marks.stats().puts, 0);
});

runInBoth({ workers: 1 });
