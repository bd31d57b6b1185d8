/** In a file, and a runtime, of their own: what ends a host ends all the actors on it. */
import test from 'ava';
import { ActorDiedError, init, shutdown, TaskTimeoutError } from 'mobula';
import { Patient } from '../support/calls.js';
import { testInEach } from '../support/in-each.js';
import { createStore } from '../support/stores.js';

test.before(() => {
  init({ workers: 2, memory: '128MiB' });
});
test.after.always(() => shutdown());

testInEach(
  'a method that never yields is ended at its time-out, with its worker, and is not sent again',
  async (t, isolation) => {
    const marks = createStore(t);
    const patient = Patient.options({ isolation }).remote();
    const late = patient.loop.options({ timeout: 30, retries: -1 })(marks.handle);
    await t.throwsAsync(late.then(), { instanceOf: TaskTimeoutError });
    await t.throwsAsync(patient.hello().then(), { instanceOf: ActorDiedError });
    t.is(marks.stats().puts, 1);
  },
);

testInEach(
  'a call that is out of time is not sent to the host after that, however often it may be',
  async (t, isolation) => {
    const marks = createStore(t);
    const patient = Patient.options({ isolation, maxRestarts: 3 }).remote();
    const late = patient.loop.options({ timeout: 30, retries: -1 })(marks.handle);
    await t.throwsAsync(late.then(), { instanceOf: TaskTimeoutError });
    t.is(await patient.hello(), 'hello');
    t.is(marks.stats().puts, 1);
  },
);
