import test from 'ava';
import { ActorDiedError, getSync, init, shutdown, WorkerCrashedError } from 'mobula';
import { end, Ender, type End } from '../support/ending.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { add } from '../support/tasks.js';

const reasons: [End, RegExp][] = [
  ['exit', /: exit code 3;/],
  ['throw', /: uncaught exception: thrown outside of the task;/],
  ['reject', /: unhandled rejection: rejected outside of the task;/],
];

for (const [how, reason] of reasons) {
  testInBoth(`WorkerCrashedError says how the worker ended (${how})`, async (t) => {
    await t.throwsAsync(end.options({ retries: 0 }).remote(how).then(), {
      instanceOf: WorkerCrashedError,
      message: reason,
    });
    t.is(await add.remote(1, 1), 2);
  });

  testInBoth(`a driver that is blocked learns how the worker ended (${how})`, async (t) => {
    t.throws(() => void getSync(end.options({ retries: 0 }).remote(how)), {
      instanceOf: WorkerCrashedError,
      message: reason,
    });
    t.is(await add.remote(1, 1), 2);
  });

  testInBoth(`a worker learns how the worker of its task ended (${how})`, async (t, isolation) => {
    const ender = Ender.options({ isolation }).remote();
    t.regex(await ender.messageOfTask(how), reason);
  });
}

testInBoth('ActorDiedError says how the worker of the actor ended', async (t, isolation) => {
  const ender = Ender.options({ isolation }).remote();
  await t.throwsAsync(ender.end('exit').then(), {
    instanceOf: ActorDiedError,
    message: /exit code 3/,
  });
});

test.serial('a blocked driver learns of the signal that has killed a process worker', async (t) => {
  await shutdown();
  init({ workers: 1, isolation: 'process' });
  t.throws(() => void getSync(end.options({ retries: 0 }).remote('kill')), {
    instanceOf: WorkerCrashedError,
    message: /: SIGKILL;/,
  });
});

runInBoth();
