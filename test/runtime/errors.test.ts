import { GetTimeoutError, MobulaError, SerializationError, TaskError } from 'mobula';
import type { ExecutionContext } from 'ava';
import { Counter } from '../support/actors.js';
import {
  classOf,
  QuotaError as OtherQuotaError,
  throwHidden,
  throwOtherQuota,
} from '../support/errors.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import {
  add,
  echo,
  echoAll,
  exitAtOnce,
  fail,
  failLater,
  QuotaError,
  returnFunction,
  returnHostileThenable,
  throwKind,
  throwOutsideOfTask,
  throwValue,
  type Thrown,
} from '../support/tasks.js';

async function causeOf(t: ExecutionContext, kind: Thrown): Promise<Error> {
  const error = await t.throwsAsync(throwKind.remote(kind).then(), { instanceOf: TaskError });
  return error.cause as Error;
}

testInBoth('what a task throws is the cause of a TaskError', async (t) => {
  const error = await t.throwsAsync(fail.remote('no luck').then(), {
    instanceOf: TaskError,
    code: 'MOBULA_TASK',
  });
  t.true(error instanceof MobulaError);
  const cause = error.cause as Error & { status: number; details: unknown };
  t.true(cause instanceof Error);
  t.is(cause.message, 'no luck');
  t.is(cause.status, 404);
  t.deepEqual(cause.details, { tried: [1, 2] });
});

testInBoth('the message of a TaskError names the task and what went wrong', async (t) => {
  await t.throwsAsync(fail.remote('no luck').then(), { message: /no luck/ });
  await t.throwsAsync(fail.options({ name: 'my task' }).remote('no luck').then(), {
    message: /my task.*no luck/,
  });
});

testInBoth('a task of a function without a name goes by its number in the module', async (t) => {
  const failures = [fail.remote('no'), failLater.remote('no')];
  const messages = (await Promise.allSettled(failures)).map((outcome) =>
    outcome.status === 'rejected' ? (outcome.reason as Error).message : '',
  );
  for (const message of messages) {
    t.regex(message, /^function #\d+ of file:\S+\/support\/tasks\.js failed: no$/);
  }
  t.not(messages[0], messages[1]);
});

testInBoth('the cause has the stack of the place where it was thrown', async (t) => {
  for (const ref of [fail.remote('here'), failLater.remote('here')]) {
    const error = await t.throwsAsync(ref.then());
    t.regex((error.cause as Error).stack!, /support\/tasks/);
  }
});

testInBoth('a rejected promise is a failure like a throw', async (t) => {
  const error = await t.throwsAsync(failLater.remote('later').then(), { instanceOf: TaskError });
  t.is((error.cause as Error).message, 'later');
});

testInBoth('the cause is an instance of its built-in class', async (t) => {
  t.true((await causeOf(t, 'range')) instanceof RangeError);
  t.true((await causeOf(t, 'type')) instanceof TypeError);
  t.true((await causeOf(t, 'syntax')) instanceof SyntaxError);
  const aggregate = await causeOf(t, 'aggregate');
  t.true(aggregate instanceof AggregateError);
  t.true((aggregate as AggregateError).errors[1] instanceof RangeError);
});

testInBoth('the cause of the cause is kept', async (t) => {
  const { cause } = await causeOf(t, 'cause');
  t.true(cause instanceof RangeError);
  t.is((cause as Error).cause, 'innermost');
});

testInBoth("Mobula's own errors keep class and code", async (t) => {
  const cause = await causeOf(t, 'mobula');
  t.true(cause instanceof GetTimeoutError);
  t.like(cause, { name: 'GetTimeoutError', code: 'MOBULA_GET_TIMEOUT' });
});

testInBoth('the cause is an instance of its class when its module exports that', async (t) => {
  const cause = await causeOf(t, 'quota');
  t.true(cause instanceof QuotaError);
  t.like(cause, { name: 'QuotaError', message: 'too much', limit: 10 });
});

testInBoth('of two exported classes of one name it is that of the task', async (t) => {
  const error = await t.throwsAsync(throwOtherQuota.remote(200).then());
  const [inner] = ((error.cause as Error).cause as AggregateError).errors as [unknown];
  t.true(inner instanceof OtherQuotaError && inner.isLarge);
  t.false(inner instanceof QuotaError);
  t.true((await causeOf(t, 'quota')) instanceof QuotaError);
});

testInBoth('an error that is an argument keeps a class that both sides know', async (t) => {
  const seen = await classOf.remote(new OtherQuotaError(1));
  t.deepEqual(seen, { isQuotaError: true, name: 'QuotaError' });
});

testInBoth(
  'an error of a class that nobody exports keeps name, stack and properties',
  async (t) => {
    const error = await t.throwsAsync(throwHidden.remote().then());
    const cause = error.cause as Error;
    t.is(Object.getPrototypeOf(cause), Error.prototype);
    t.like(cause, { name: 'HiddenError', message: 'nobody else has the class' });
    t.regex(cause.stack!, /support\/errors/);
  },
);

testInBoth('a task may throw what is no error', async (t) => {
  for (const value of ['text', 7, null, undefined, { reason: [1] }]) {
    const error = await t.throwsAsync(throwValue.remote(value).then(), { instanceOf: TaskError });
    t.deepEqual(error.cause, value);
  }
});

testInBoth('an error that cannot travel as it is keeps its message', async (t) => {
  t.is((await causeOf(t, 'unclonable')).message, 'with a function');
});

testInBoth('an error too large to travel keeps the start of its message', async (t) => {
  t.regex((await causeOf(t, 'large')).message, /^x{100}/);
});

testInBoth(
  'an argument that cannot be cloned is a SerializationError at the call, with its path',
  (t) => {
    const error = t.throws(() => echo.remote({ on: [{ click: () => 1 }] }), {
      instanceOf: SerializationError,
    });
    t.regex(error.message, /^arguments\[0\]\.on\[0\]\.click is a function/);
    t.throws(() => echo.remote(Symbol('s')), { instanceOf: SerializationError });
    t.throws(() => echo.remote(new WeakMap()), { instanceOf: SerializationError });
  },
);

testInBoth('the path says which argument it is, whatever the others are', (t) => {
  const named = { instanceOf: SerializationError, message: /^arguments\[1\]\.f is a function/ };
  const culprit = { f: () => 1 };
  const counter = Counter.remote(1);
  for (const first of [1, echo.remote(1), new Float64Array(1000), 'x'.repeat(100_000)]) {
    t.throws(() => echoAll.remote(first, culprit), named);
    t.throws(() => Counter.remote(...([first, culprit] as never[])), named);
    t.throws(() => counter.increment(...([first, culprit] as never[])), named);
  }
});

testInBoth(
  'a result that cannot be cloned fails its ref with a SerializationError and its path',
  async (t) => {
    const error = await t.throwsAsync(returnFunction.remote().then(), {
      instanceOf: SerializationError,
    });
    t.regex(error.message, /list\[1\]\.callback/);
  },
);

testInBoth('a result whose then getter throws fails its ref only', async (t) => {
  const error = await t.throwsAsync(returnHostileThenable.remote().then(), {
    instanceOf: TaskError,
  });
  t.is((error.cause as Error).message, 'thrown by a getter');
  t.is(await add.remote(1, 1), 2);
});

testInBoth('a worker goes on after failed tasks', async (t) => {
  for (let i = 0; i < 20; i++) await t.throwsAsync(fail.remote('no').then());
  t.is(await add.remote(1, 1), 2);
});

testInBoth(
  'a task that ends its worker is WorkerCrashedError, and the runtime goes on',
  async (t) => {
    for (const retries of [0, 2]) {
      const error = await t.throwsAsync(
        exitAtOnce.options({ name: 'quitter', retries }).remote().then(),
        {
          code: 'MOBULA_WORKER_CRASHED',
        },
      );
      t.regex(error.message, /quitter/);
    }
    t.is(await add.remote(1, 1), 2);
  },
);

testInBoth('an exception outside of any call ends the worker, not the runtime', async (t) => {
  await t.throwsAsync(throwOutsideOfTask.options({ retries: 0 }).remote().then(), {
    code: 'MOBULA_WORKER_CRASHED',
  });
  t.is(await add.remote(1, 1), 2);
});

runInBoth();
