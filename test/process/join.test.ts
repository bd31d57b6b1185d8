import test, { type ExecutionContext } from 'ava';
import {
  init,
  put,
  type ObjectRef,
  RuntimeShutdownError,
  shutdown,
  stats,
  type InitOptions,
} from 'mobula';
import { Counter } from '../support/actors.js';
import { Command } from '../support/command.js';
import { Gate } from '../support/gate.js';
import { isolations, runtimeStore, type Isolation } from '../support/runtime.js';
import { markId } from '../support/scheduling.js';
import { createStore } from '../support/stores.js';
import { add, echo, passGate, spin } from '../support/tasks.js';
import { until } from '../support/until.js';

const fixtures = 'test/process/fixtures';
const nothing = { processes: [], files: [] };

test.afterEach.always(() => shutdown());

let names = 0;

function freshName(): string {
  return `test-${process.pid}-${names++}`;
}

async function startOwner(isolation: Isolation, name?: string): Promise<Command> {
  const args = name === undefined ? [isolation] : [isolation, name];
  const owner = await Command.start(`${fixtures}/owner.js`, () => args);
  await owner.untilStdoutHas(' \n');
  return owner;
}

function addressOf({ stdout }: Command): string {
  return /address (\S+) /.exec(stdout)![1]!;
}

function refused(t: ExecutionContext, options: unknown) {
  return t.throws(() => init(options as InitOptions));
}

for (const isolation of isolations) {
  for (const how of ['name', 'address'] as const) {
    test.serial(
      `a process that joins by ${how} puts, gets, submits and calls actors, in the owner's workers [${isolation}]`,
      async (t) => {
        const { address } = init({
          workers: 2,
          isolation,
          ...(how === 'name' && { name: freshName() }),
        });
        await using joiner = await Command.start(`${fixtures}/joiner.js`, () => [address, 'use']);
        const { code, stdout, stderr } = await joiner.outcome;
        t.is(code, 0, stderr);
        t.like(JSON.parse(stdout), {
          address,
          sum: 6,
          nested: 3,
          seen: 100_000,
          length: 100_000,
          count: 3,
        });
        t.is(
          (JSON.parse(stdout) as { worker: number }).worker === process.pid,
          isolation === 'thread',
        );
        t.like(stats().tasks, { finished: 6, failed: 1, retried: 0 });
        t.deepEqual(await joiner.remains(5000), nothing);
        t.is(await add.remote(1, 1), 2);
      },
    );
  }

  test.serial(`a joiner that is killed drops its tasks and refs only [${isolation}]`, async (t) => {
    const { address } = init({ workers: 2, isolation, memory: '64MiB' });
    const mine = put(new Float64Array(1000).fill(1));
    const [gate, later] = [new Gate(t), new Gate(t)];
    const ref = passGate.remote(later.pass(), mine);
    await later.arrived();
    using store = runtimeStore();
    const before = store.stats().usedBytes;
    await using joiner = await Command.start(`${fixtures}/joiner.js`, () => [
      address,
      'hold',
      JSON.stringify(gate.pass()),
    ]);
    await gate.arrived();
    t.true(store.stats().usedBytes > 8_000_000);
    joiner.kill('SIGKILL');
    await joiner.outcome;
    gate.open();
    await until('what it held is given back', () => store.stats().usedBytes <= before);
    later.open();
    t.is(((await ref) as Float64Array).length, 1000);
    t.is(await add.remote(1, 1), 2);
  });

  test.serial(
    `a synchronous loop of a joiner that was killed ends with its worker [${isolation}]`,
    async (t) => {
      const { address } = init({ workers: 1, isolation });
      const marks = createStore(t);
      await using joiner = await Command.start(`${fixtures}/joiner.js`, () => [
        address,
        'loop',
        JSON.stringify(marks.handle),
      ]);
      (await marks.wait(markId('started'))).release();
      joiner.kill('SIGKILL');
      t.is(await add.remote(1, 1), 2);
    },
  );

  for (const end of ['shutdown', 'exit', 'SIGKILL'] as const) {
    test.serial(
      `the end of its owner by ${end} fails all that is pending in a joiner, and all to come [${isolation}]`,
      async (t) => {
        await using owner = await startOwner(isolation);
        const address = addressOf(owner);
        init({ address });
        const gate = new Gate(t);
        const counter = Counter.remote(1);
        t.is(await counter.get(), 1);
        const running = passGate.options({ retries: 0 }).remote(gate.pass(), 1);
        const started = createStore(t);
        const spinning = spin.remote(started.handle, '1'.repeat(32));
        const pending = [
          running,
          spinning,
          echo.remote(running),
          counter.increment(running as ObjectRef<number>),
        ];
        await gate.arrived();
        await started.wait('1'.repeat(32));
        const outcomes = Promise.allSettled(pending.map((ref) => ref.then()));
        if (end === 'SIGKILL') owner.kill('SIGKILL');
        else owner.feed(end);
        for (const outcome of await outcomes) {
          if (outcome.status === 'fulfilled') t.fail();
          else t.true(outcome.reason instanceof RuntimeShutdownError, String(outcome.reason));
        }
        t.throws(() => add.remote(1, 1), { instanceOf: RuntimeShutdownError });
        t.throws(() => put(1), { instanceOf: RuntimeShutdownError });
        await owner.outcome;
        t.deepEqual(await owner.remains(5000), nothing);
      },
    );
  }

  test.serial(`shutdown in a joiner leaves the runtime to its owner [${isolation}]`, async (t) => {
    await using owner = await startOwner(isolation, freshName());
    const address = addressOf(owner);
    for (let round = 0; round < 3; round++) {
      init({ address });
      t.is(await add.remote(round, 1), round + 1);
      await shutdown();
      t.throws(() => put(1), { instanceOf: RuntimeShutdownError });
    }
    owner.feed('shutdown');
    t.is((await owner.outcome).code, 0);
    t.deepEqual(await owner.remains(5000), nothing);
  });
}

test.serial('a name belongs to one runtime at a time', async (t) => {
  const name = freshName();
  await using owner = await startOwner('thread', name);
  const address = addressOf(owner);
  t.is(address, `mobula:${name}`);
  const error = t.throws(() => init({ name, workers: 1 }), { code: 'MOBULA_NAME_IN_USE' });
  t.true(error.message.includes(address));
  init({ address });
  t.is(await add.remote(1, 1), 2);
});

for (const end of ['shutdown', 'exit', 'SIGKILL'] as const) {
  test.serial(`a name is free after its owner's end by ${end}`, async (t) => {
    const name = freshName();
    await using owner = await startOwner('thread', name);
    const address = addressOf(owner);
    if (end === 'SIGKILL') owner.kill('SIGKILL');
    else owner.feed(end);
    await owner.outcome;
    t.throws(() => init({ address }), { code: 'MOBULA_NO_RUNTIME' });
    const runtime = init({ name, workers: 1 });
    t.like(runtime, { name, address });
    t.is(await add.remote(1, 1), 2);
  });
}

test.serial('joining a runtime that does not exist says so', async (t) => {
  for (const address of [
    `mobula:${freshName()}`,
    `mobula:${process.pid}/0/${'0'.repeat(32)}/0/1/thread`,
    `mobula:2147483647/3/${'0'.repeat(32)}/0/1/thread`,
  ]) {
    const error = t.throws(() => init({ address }), { code: 'MOBULA_NO_RUNTIME' });
    t.true(error.message.includes(address));
  }
  const { address } = init({ workers: 1 });
  await shutdown();
  t.throws(() => init({ address }), { code: 'MOBULA_NO_RUNTIME' });
});

test.serial('init refuses wrong names and addresses', (t) => {
  for (const name of ['', 'a/b', 'a b', 'x'.repeat(201)]) {
    t.true(refused(t, { name }) instanceof RangeError);
  }
  for (const address of ['', 'name', 'mobula:', 'mobula:a/b', 'http://a']) {
    t.true(refused(t, { address }) instanceof RangeError);
  }
  for (const options of [
    { name: 1 },
    { address: 1 },
    { name: 'a', address: 'mobula:a' },
    { address: 'mobula:a', workers: 2 },
  ]) {
    t.true(refused(t, options) instanceof TypeError);
  }
});
