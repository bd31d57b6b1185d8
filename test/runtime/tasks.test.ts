import test from 'ava';
import { threadId } from 'node:worker_threads';
import { get, remote, type TaskOptions } from 'mobula';
import type * as BrokenInWorkers from '../support/broken-in-workers.js';
import type * as DriverWithoutMain from '../support/driver-without-main.js';
import type * as Conditional from '../support/conditional.js';
import { Gate } from '../support/gate.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import {
  add,
  addLater,
  constants,
  countDown,
  countLeaves,
  echo,
  echoAll,
  makeText,
  nothing,
  passGate,
  QuotaError,
  sum,
  whereAmI,
} from '../support/tasks.js';
import { wrong } from '../support/wrong.js';

testInBoth('a task gives the result of its function', async (t) => {
  t.is(await add.remote(1, 2), 3);
  t.is(await sum.remote(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 55);
  t.deepEqual(await get([nothing.remote()]), [undefined]);
});

testInBoth('a task of an async function gives what its promise gives', async (t) => {
  t.is(await addLater.remote(1, 2), 3);
});

testInBoth('a remote function can be called here and now', async (t) => {
  t.is(add(1, 2), 3);
  t.is(await addLater(1, 2), 3);
  t.deepEqual(whereAmI(), { pid: process.pid, threadId });
});

testInBoth(
  'a task runs in a worker of the isolation that the runtime was given',
  async (t, isolation) => {
    const { pid, threadId: thread } = await whereAmI.remote();
    if (isolation === 'thread') {
      t.is(pid, process.pid);
      t.not(thread, threadId);
    } else {
      t.not(pid, process.pid);
    }
  },
);

testInBoth('a task may ask for the other isolation', async (t, isolation) => {
  const other = isolation === 'thread' ? 'process' : 'thread';
  const { pid } = await whereAmI.options({ isolation: other }).remote();
  t.is(pid === process.pid, other === 'thread');
});

testInBoth('arguments are taken when the call is made', async (t) => {
  const small = [1, 2, 3];
  const large = Array.from({ length: 10_000 }, (_, i) => i);
  const refs = [echo.remote(small), echo.remote(large)];
  small.push(4);
  large.push(-1);
  const [first, second] = (await get(refs)) as number[][];
  t.deepEqual(first, [1, 2, 3]);
  t.is(second?.length, 10_000);
});

testInBoth('arguments and results of any size arrive', async (t) => {
  for (const length of [0, 1, 1000, 4000, 8100, 8180, 8192, 8300, 70_000, 300_000, 3_000_000]) {
    const text = 'a'.repeat(length);
    t.is(await echo.remote(text), text);
    t.is((await makeText.remote(length)).length, length);
  }
});

testInBoth('undefined, missing and trailing arguments arrive as they were given', async (t) => {
  t.deepEqual(await echoAll.remote(), []);
  t.deepEqual(await echoAll.remote(undefined), [undefined]);
  t.deepEqual(await echoAll.remote(1, undefined, null), [1, undefined, null]);
});

testInBoth('functions without a name are told apart by their order in the module', async (t) => {
  t.is(await constants[0].remote(), 'first');
  t.is(await constants[1].remote(), 'second');
});

testInBoth('ten thousand tasks at once all give the right result', async (t) => {
  const refs = Array.from({ length: 10_000 }, (_, i) => add.remote(i, i));
  const values = await get(refs);
  t.true(values.every((value, i) => value === 2 * i));
});

testInBoth('two workers run two tasks at the same time', async (t) => {
  const gate = new Gate(t);
  const refs = [passGate.remote(gate.pass(1), 1), passGate.remote(gate.pass(2), 2)];
  await Promise.all([gate.arrived(1), gate.arrived(2)]);
  gate.open();
  t.deepEqual(await get(refs), [1, 2]);
});

testInBoth('tasks that await tasks, far deeper than the pool, end', async (t) => {
  t.is(await countDown.remote(100), 100);
});

testInBoth('a tree of tasks that await tasks ends', async (t) => {
  t.is(await countLeaves.remote(7), 128);
});

testInBoth('many deep chains of tasks at once end', async (t) => {
  const refs = Array.from({ length: 20 }, () => countDown.remote(20));
  t.deepEqual(await get(refs), Array<number>(20).fill(20));
});

testInBoth(
  'a function that the import does not reach is FunctionNotFoundError that names the module',
  async (t) => {
    Reflect.set(globalThis, 'isTest', true);
    const path = '../support/conditional.js';
    const { onlyInTheTest } = (await import(path)) as typeof Conditional;
    const error = await t.throwsAsync(onlyInTheTest!.remote().then(), {
      code: 'MOBULA_FUNCTION_NOT_FOUND',
    });
    t.regex(error.message, /support\/conditional\.js/);
  },
);

testInBoth(
  'a module that workers cannot import is FunctionNotFoundError with the reason',
  async (t) => {
    Reflect.set(globalThis, 'isTest', true);
    const path = '../support/broken-in-workers.js';
    const { unreachable } = (await import(path)) as typeof BrokenInWorkers;
    const error = await t.throwsAsync(unreachable.remote().then(), {
      code: 'MOBULA_FUNCTION_NOT_FOUND',
    });
    t.regex(error.message, /support\/broken-in-workers\.js/);
    t.is((error.cause as Error).message, 'this module is broken');
    t.is(await add.remote(1, 1), 2);
  },
);

testInBoth(
  'a module that submits tasks outside of main() is told to wrap them',
  async (t, isolation) => {
    // A module of its own for each runtime: it submits when it is imported.
    const path = `../support/driver-without-main.js?${isolation}`;
    const { result } = (await import(path)) as typeof DriverWithoutMain;
    const error = await t.throwsAsync(result.then());
    t.regex(error.message, /main\(/);
  },
);

test('remote refuses what is no function', (t) => {
  for (const value of [undefined, null, 'text', {}, 7]) {
    t.throws(() => remote(value as () => void), { instanceOf: TypeError });
  }
});

test('remote refuses a class, and says what to do with it', (t) => {
  t.throws(() => remote(wrong<() => void>(QuotaError)), {
    instanceOf: TypeError,
    message: /actor\(\)/,
  });
});

test('remote and options refuse wrong options', (t) => {
  const refused = (options: unknown) => {
    t.throws(() => remote(() => 1, options as TaskOptions), undefined, JSON.stringify(options));
    return t.throws(() => add.options(options as TaskOptions));
  };
  t.true(refused({ retries: -1 }) instanceof RangeError);
  t.true(refused({ retries: 0.5 }) instanceof RangeError);
  t.true(refused({ retries: NaN }) instanceof RangeError);
  t.true(refused({ retries: '3' }) instanceof TypeError);
  t.true(refused({ name: 7 }) instanceof TypeError);
  t.true(refused({ name: '' }) instanceof RangeError);
  t.true(refused({ isolation: 'fiber' }) instanceof RangeError);
  t.true(refused({ isolation: 1 }) instanceof TypeError);
  t.true(refused({ retrys: 1 }) instanceof TypeError);
  t.true(refused(null) instanceof TypeError);
});

runInBoth();
