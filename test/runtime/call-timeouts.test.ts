import test from 'ava';
import { init, shutdown, TaskTimeoutError } from 'mobula';
import { Patient } from '../support/calls.js';
import { testInEach } from '../support/in-each.js';
import { markId } from '../support/scheduling.js';
import { createStore } from '../support/stores.js';

const outOfTime = { instanceOf: TaskTimeoutError, code: 'MOBULA_TASK_TIMEOUT' };

test.before(() => {
  init({ workers: 2, memory: '128MiB' });
});
test.after.always(() => shutdown());

testInEach(
  'a method that yields is aborted at its time-out, and its actor lives on',
  async (t, isolation) => {
    const marks = createStore(t);
    const patient = Patient.options({ isolation }).remote();
    const late = patient.untilAborted.options({ timeout: 20 })(marks.handle);
    await t.throwsAsync(late.then(), {
      ...outOfTime,
      message: /PatientClass\.untilAborted.*20 ms/,
    });
    (await marks.wait(markId('aborted'))).release();
    t.is(await patient.hello(), 'hello');
  },
);

testInEach('calls that end in time give their results', async (t, isolation) => {
  const patient = Patient.options({ isolation }).remote();
  const inTime = patient.hello.options({ timeout: '1m' });
  for (const call of Array.from({ length: 50 }, () => inTime())) t.is(await call, 'hello');
});

testInEach('the clock of a call starts with the call', async (t, isolation) => {
  const marks = createStore(t);
  const patient = Patient.options({ isolation }).remote();
  const first = patient.untilAborted.options({ timeout: 200 })(marks.handle);
  const second = patient.hello.options({ timeout: 150 })();
  await t.throwsAsync(first.then(), outOfTime);
  t.is(await second, 'hello');
});
