import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { get, init, put, shutdown, WorkerCrashedError } from 'mobula';
import { children, killChildren } from '../support/children.js';
import { Command } from '../support/command.js';
import { createStore } from '../support/stores.js';
import { runtimeStore } from '../support/runtime.js';
import { add, look, whereAmI } from '../support/tasks.js';
import { crash, crashOnce, slowSum, squareSlowly, standWithMemory } from '../support/crashing.js';
import { end, Submitter } from '../support/ending.js';
import { Gate } from '../support/gate.js';
import { until } from '../support/until.js';

test.beforeEach(() => {
  init({ workers: 2, isolation: 'process', memory: '128MiB' });
});
test.afterEach.always(() => shutdown());

test.serial(
  'all tasks give their results though workers are killed with SIGKILL meanwhile',
  async (t) => {
    const square = squareSlowly.options({ retries: 100 });
    const refs = Array.from({ length: 1000 }, (_, i) => square.remote(i));
    for (let kills = 0; kills < 5; kills++) {
      await refs[kills * 100];
      killChildren();
    }
    const values = await get(refs);
    t.true(values.every((value, i) => value === i * i));
  },
);

test.serial('arrays by ref survive the workers that read them', async (t) => {
  const array = put(new Float64Array(500_000).fill(1));
  const refs = Array.from({ length: 50 }, () => slowSum.options({ retries: 100 }).remote(array));
  await refs[0];
  killChildren();
  t.deepEqual(await get(refs), Array<number>(50).fill(500_000));
});

for (const isolation of ['process', 'thread'] as const) {
  for (const retries of [0, 2]) {
    test.serial(
      `a task that always kills its worker runs ${retries + 1} times, then is WorkerCrashedError [${isolation}]`,
      async (t) => {
        const attempts = createStore(t);
        const { puts } = attempts.stats();
        const ref = crash.options({ isolation, retries }).remote(attempts.handle);
        await t.throwsAsync(ref.then(), { instanceOf: WorkerCrashedError });
        t.is(attempts.stats().puts - puts, retries + 1);
        t.is(await add.remote(1, 1), 2);
      },
    );
  }
}

for (const isolation of ['process', 'thread'] as const) {
  test.serial(`a task whose worker dies is run again, with its refs [${isolation}]`, async (t) => {
    const attempts = createStore(t);
    const ref = put(new Float64Array(10_000).fill(1));
    const result = crashOnce.options({ isolation }).remote(attempts.handle, ref, [ref]);
    ref[Symbol.dispose]();
    t.is(await result, 20_000);
  });
}

test.serial('a task is run again three times by default', async (t) => {
  const attempts = createStore(t);
  const { puts } = attempts.stats();
  await t.throwsAsync(crash.remote(attempts.handle).then(), { instanceOf: WorkerCrashedError });
  t.is(attempts.stats().puts - puts, 4);
});

test.serial('a killed worker is replaced', async (t) => {
  const { pid } = await whereAmI.remote();
  killChildren();
  t.not((await whereAmI.remote()).pid, pid);
});

test.serial('what a killed worker held of the store is given back', async (t) => {
  using store = runtimeStore();
  const gate = new Gate(t);
  const ref = standWithMemory.options({ retries: 0 }).remote(gate.pass(), 1_000_000);
  await gate.arrived();
  t.like(store.stats(), { unsealed: 1 });
  killChildren();
  await t.throwsAsync(ref.then(), { instanceOf: WorkerCrashedError });
  await until('its memory is given back', () => store.stats().unsealed === 0);
  t.deepEqual(store.check(), { ok: true, problems: [] });
});

test.serial('WorkerCrashedError names the signal that ended the worker', async (t) => {
  await t.throwsAsync(end.options({ retries: 0 }).remote('kill').then(), {
    instanceOf: WorkerCrashedError,
    message: /: SIGKILL;/,
  });
});

test.serial('WorkerCrashedError says that a thread ran out of memory', async (t) => {
  const script = 'build/test/process/fixtures/out-of-memory.js';
  await using command = await Command.node('--max-old-space-size=40', script);
  const { code, stdout, stderr } = await command.outcome;
  t.is(code, 0, stderr);
  t.regex(stdout, /: ERR_WORKER_OUT_OF_MEMORY;/);
});

test.serial(
  'tasks that workers have submitted run though the only worker for them is killed',
  async (t) => {
    await shutdown();
    init({ workers: 1, isolation: 'process', memory: '128MiB' });
    const submitter = Submitter.remote();
    await submitter.submit(200);
    killChildren();
    t.is(await submitter.sum(), 200);
  },
);

test.serial(
  'tasks of the driver and of workers fail with the reason when no worker starts',
  async (t) => {
    await shutdown();
    const { execPath } = process;
    t.teardown(() => {
      process.execPath = execPath;
    });
    process.execPath = '/nowhere/node';
    init({ workers: 1, isolation: 'process', memory: '128MiB' });
    const submitter = Submitter.remote();
    await submitter.submit(10);
    const expected = { message: /No process worker starts; .*: spawn .* ENOENT/ };
    await t.throwsAsync(submitter.sum().then(), expected);
    await t.throwsAsync(add.remote(1, 1).then(), { instanceOf: WorkerCrashedError, ...expected });
    process.execPath = execPath;
    t.is(await add.remote(1, 1), 2);
  },
);

test.serial('shutdown ends all worker processes', async (t) => {
  t.is(await add.remote(1, 1), 2);
  t.true(children().length > 0);
  await shutdown();
  await turn();
  t.deepEqual(children(), []);
});

test.serial('the results of a worker that has been killed stay', async (t) => {
  const ref = put(new Float64Array(1000).fill(1));
  const results = [look.remote(ref), whereAmI.remote()] as const;
  await get(results);
  killChildren();
  t.is((await results[0]).sum, 1000);
});
