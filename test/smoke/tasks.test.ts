/** Tasks and actors in a nutshell, on every Node line. */
import { allocate, get, put, TaskError, type ObjectRef } from 'mobula';
import { Counter, Exclusive } from '../support/actors.js';
import { Command } from '../support/command.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import {
  add,
  addLater,
  countDown,
  echo,
  exitAtOnce,
  fail,
  look,
  makeArray,
  putInTask,
  sumNested,
} from '../support/tasks.js';

testInBoth('tasks give results, and take refs to those of others', async (t) => {
  const three = add.remote(1, 2);
  t.is(await add.remote(three, addLater.remote(three, 1)), 7);
  t.is(await sumNested.remote([three, put(4)]), 7);
  t.is(await countDown.remote(20), 20);
});

testInBoth('many tasks all give the right result', async (t) => {
  const values = await get(Array.from({ length: 2000 }, (_, i) => add.remote(i, 1)));
  t.true(values.every((value, i) => value === i + 1));
});

testInBoth('values go to tasks and come back', async (t) => {
  const value = {
    map: new Map([['a', new Set([1n])]]),
    date: new Date(5),
    array: new Float64Array(1000).fill(1),
    text: 'ä€😀'.repeat(1000),
  };
  t.deepEqual(await echo.remote(value), value);
  const [ref] = (await putInTask.remote('inner')) as [ObjectRef<string>];
  t.is(await ref, 'inner');
});

testInBoth('arrays are shared, not copied', async (t) => {
  const ref = put(allocate(Float64Array, 1_000_000).fill(0.5));
  const seen = { type: 'Float64Array', length: 1_000_000, isShared: true, sum: 500_000 };
  t.deepEqual(await look.remote(ref), seen);
  const made = await makeArray.remote(1_000_000, 2);
  t.true(made.buffer instanceof SharedArrayBuffer);
  t.is(made[999_999], 2);
});

testInBoth('errors arrive with their cause, and a worker that dies is replaced', async (t) => {
  const error = await t.throwsAsync(fail.remote('no luck').then(), { instanceOf: TaskError });
  t.is((error.cause as Error).message, 'no luck');
  await t.throwsAsync(exitAtOnce.options({ retries: 0 }).remote().then(), {
    code: 'MOBULA_WORKER_CRASHED',
  });
  t.is(await add.remote(1, 1), 2);
});

testInBoth('actors keep their state and the order of calls', async (t, isolation) => {
  for (const place of ['shared', isolation] as const) {
    const counter = Counter.options({ isolation: place }).remote(10);
    for (let i = 0; i < 100; i++) counter.increment(i);
    t.is(await counter.get(), 10 + 4950);
    const exclusive = Exclusive.options({ isolation: place }).remote();
    await get([exclusive.visit(), exclusive.visit()]);
    t.is(await exclusive.most(), 1);
  }
});

testInBoth('a driver of its own ends with main and leaves nothing behind', async (t, isolation) => {
  const script = 'test/process/fixtures/work.js';
  await using command = await Command.start(script, () => [isolation, 'succeed']);
  const { code, stdout, stderr } = await command.outcome;
  t.is(stdout, '[ 500000, 500000, 500000 ]\n', stderr);
  t.is(code, 0);
  t.deepEqual(await command.remains(5000), { processes: [], files: [] });
});

runInBoth();
