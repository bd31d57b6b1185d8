import test from 'ava';
import { threadId } from 'node:worker_threads';
import {
  actor,
  ActorDiedError,
  get,
  init,
  put,
  shutdown,
  TaskError,
  type ActorOptions,
  type ObjectRef,
} from 'mobula';
import {
  Counter,
  CounterClass,
  Exclusive,
  Forwarder,
  Holder,
  Hooked,
  incrementInTask,
  startInTask,
  Unborn,
  Unnamed,
} from '../support/actors.js';
import { Gate } from '../support/gate.js';
import { testInEach } from '../support/in-each.js';
import { add, fail, passGate } from '../support/tasks.js';
import { collectGarbage, until } from '../support/until.js';

test.before(() => {
  init({ workers: 2, memory: '128MiB' });
});
test.after.always(() => shutdown());

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

testInEach('an actor keeps its state between calls', async (t, isolation) => {
  const counter = Counter.options({ isolation }).remote(10);
  t.is(await counter.increment(), 11);
  t.is(await counter.increment(5), 16);
  t.is(await counter.get(), 16);
});

testInEach('calls run in the order in which they were made', async (t, isolation) => {
  const counter = Counter.options({ isolation }).remote();
  const numbers = Array.from({ length: 1000 }, (_, i) => i);
  for (const number of numbers) counter.increment(number);
  t.deepEqual(await counter.log(), numbers);
});

testInEach(
  'a call with a ref that is pending holds up the calls after it',
  async (t, isolation) => {
    const gate = new Gate(t);
    const counter = Counter.options({ isolation }).remote();
    counter.increment(1);
    counter.increment(passGate.remote(gate.pass(), 2) as ObjectRef<number>);
    counter.increment(put(3));
    const last = counter.increment(4);
    gate.open();
    t.is(await last, 10);
    t.deepEqual(await counter.log(), [1, 2, 3, 4]);
  },
);

testInEach('a call with a ref that fails fails alone', async (t, isolation) => {
  const counter = Counter.options({ isolation }).remote();
  counter.increment(1);
  const failed = counter.increment(fail.remote('the root'));
  const last = counter.increment(2);
  const error = await t.throwsAsync(failed.then(), { instanceOf: TaskError });
  t.is((error.cause as Error).message, 'the root');
  t.is(await last, 3);
});

testInEach('arguments of the constructor can be refs', async (t, isolation) => {
  const counter = Counter.options({ isolation }).remote(add.remote(20, 22));
  t.is(await counter.get(), 42);
});

testInEach('async methods do not overlap', async (t, isolation) => {
  const exclusive = Exclusive.options({ isolation }).remote();
  const visits = Array.from({ length: 50 }, () => exclusive.visit());
  await get(visits);
  t.is(await exclusive.most(), 1);
});

testInEach('a call waits for the one before it that awaits something', async (t, isolation) => {
  const gate = new Gate(t);
  const exclusive = Exclusive.options({ isolation }).remote();
  const first = exclusive.standAt(gate.pass());
  const second = exclusive.most();
  await gate.arrived();
  await t.throwsAsync(get(second, { timeout: 1 }), { code: 'MOBULA_GET_TIMEOUT' });
  gate.open();
  t.is(await first, 'passed');
  t.is(await second, 0);
});

testInEach(
  'what a method throws is the cause of a TaskError, and the actor lives on',
  async (t, isolation) => {
    const counter = Counter.options({ isolation }).remote(1);
    const error = await t.throwsAsync(counter.fail('no luck').then(), {
      instanceOf: TaskError,
      message: /fail.*no luck/,
    });
    const cause = error.cause as RangeError & { status: number };
    t.true(cause instanceof RangeError);
    t.is(cause.status, 404);
    t.regex(cause.stack!, /support\/actors/);
    t.is(await counter.increment(), 2);
  },
);

testInEach(
  'a constructor that throws makes every call ActorDiedError with the cause',
  async (t, isolation) => {
    const unborn = Unborn.options({ isolation }).remote('stillborn');
    for (let i = 0; i < 2; i++) {
      const error = await t.throwsAsync(unborn.hello().then(), { instanceOf: ActorDiedError });
      t.regex(error.message, /stillborn/);
      t.true(error.cause instanceof RangeError);
    }
  },
);

testInEach('a method that does not exist is an error that names it', async (t, isolation) => {
  const counter = Counter.options({ isolation }).remote();
  const wrongly = counter as unknown as { missing(): ObjectRef };
  await t.throwsAsync(wrongly.missing().then(), { message: /missing/ });
  t.is(await counter.get(), 0);
});

testInEach('a result that cannot travel fails its call only', async (t, isolation) => {
  const counter = Counter.options({ isolation }).remote();
  await t.throwsAsync(counter.returnFunction().then(), { code: 'MOBULA_SERIALIZATION' });
  await t.throwsAsync(counter.hostile().then(), { instanceOf: TaskError });
  t.is(await counter.increment(), 1);
});

testInEach('an actor lives where its isolation says', async (t, isolation) => {
  const where = await Counter.options({ isolation }).remote().where();
  t.is(where.pid === process.pid, isolation !== 'process');
  if (isolation !== 'process') t.not(where.threadId, threadId);
});

for (const isolation of ['thread', 'process'] as const) {
  test(`an actor that ends its own worker is ActorDiedError [${isolation}]`, async (t) => {
    const counter = Counter.options({ isolation }).remote();
    t.is(await counter.increment(), 1);
    await t.throwsAsync(counter.exit().then(), { instanceOf: ActorDiedError });
    await t.throwsAsync(counter.increment().then(), { instanceOf: ActorDiedError });
  });
}

testInEach('handles work in tasks and in other actors', async (t, isolation) => {
  const counter = Counter.options({ isolation }).remote();
  t.is(await incrementInTask.remote(counter, 2, 10), 20);
  const inProcess = incrementInTask.options({ isolation: 'process' });
  t.is(await inProcess.remote(counter, 1, 5), 25);
  const forwarder = Forwarder.options({ isolation }).remote(counter);
  t.is(await forwarder.increment(5), 30);
  t.is(await counter.get(), 30);
});

testInEach('many callers at once lose no call', async (t, isolation) => {
  const counter = Counter.options({ isolation }).remote();
  const callers = Array.from({ length: 8 }, () => incrementInTask.remote(counter, 1, 50));
  for (let i = 0; i < 100; i++) counter.increment();
  await get(callers);
  t.is(await counter.get(), 500);
});

testInEach('an actor keeps what it was given', async (t, isolation) => {
  const holder = Holder.options({ isolation }).remote();
  const ref = put('x'.repeat(10_000));
  holder.add([ref]);
  holder.add(new Float64Array(5000).fill(1));
  await holder.add('text');
  ref[Symbol.dispose]();
  collectGarbage();
  const [[kept], array, text] = (await holder.all()) as [[ObjectRef<string>], Float64Array, string];
  t.is((await kept).length, 10_000);
  t.is(array[4999], 1);
  t.is(text, 'text');
});

testInEach('an array by ref is a view on shared memory in the actor', async (t, isolation) => {
  const holder = Holder.options({ isolation }).remote();
  const ref = put(new Float64Array(100_000).fill(0.5));
  t.deepEqual(await holder.sum(ref), { sum: 50_000, isShared: true });
});

testInEach('onStart runs before the first call', async (t, isolation) => {
  const holder = Holder.remote();
  const hooked = Hooked.options({ isolation }).remote(holder);
  await hooked.hello();
  t.deepEqual(await holder.all(), ['started']);
});

testInEach('await of a handle is the handle', async (t, isolation) => {
  const counter = Counter.options({ isolation }).remote(7);
  const awaited = await Promise.resolve(counter);
  t.is(awaited.actorId, counter.actorId);
  t.is(await awaited.get(), 7);
});

test('an actor that a task has started can be used elsewhere', async (t) => {
  const [counter] = await startInTask.remote(5);
  t.is(await counter!.increment(), 6);
});

test('new makes a plain local object', (t) => {
  const counter = new Counter(5);
  t.true(counter instanceof CounterClass);
  t.is(counter.increment(), 6);
});

test('a class without a name can be an actor', async (t) => {
  t.is(await Unnamed.remote().hello(), 'hello');
});

test('handles have distinct ids of 32 hex digits, and answer undefined for symbols', (t) => {
  const handles = [Counter.remote(), Counter.remote()];
  for (const handle of handles) {
    t.regex(handle.actorId, /^[0-9a-f]{32}$/);
    t.is(Reflect.get(handle, 'then'), undefined);
    t.is(Reflect.get(handle, Symbol.iterator), undefined);
    t.is(Reflect.get(handle, Symbol.toPrimitive), undefined);
  }
  t.not(handles[0]!.actorId, handles[1]!.actorId);
});

test('two hundred shared actors keep apart', async (t) => {
  const counters = Array.from({ length: 200 }, (_, i) => Counter.remote(i));
  for (const counter of counters) counter.increment(1000);
  const values = await get(counters.map((counter) => counter.get()));
  t.deepEqual(
    values,
    counters.map((_, i) => i + 1000),
  );
});

test('actor refuses methods with names that handles use themselves', (t) => {
  class WithThen {
    then(): number {
      return 1;
    }
  }
  class WithOptions {
    options(): number {
      return 1;
    }
  }
  class WithId {
    actorId(): number {
      return 1;
    }
  }
  for (const type of [WithThen, WithOptions, WithId, class extends WithThen {}]) {
    t.throws(() => actor<[], object>(type), { instanceOf: TypeError });
  }
});

test('actor and options refuse what is no class and no option', (t) => {
  const functions = [
    () => 1,
    async () => Promise.resolve(1),
    function* () {
      yield 1;
    },
    CounterClass.bind(null),
  ];
  for (const value of [undefined, null, 'text', {}, ...functions]) {
    t.throws(() => actor(value as new () => object), { instanceOf: TypeError });
  }
  const refused: [unknown, typeof TypeError | typeof RangeError][] = [
    [null, TypeError],
    [{ isolate: 'thread' }, TypeError],
    [{ isolation: 'fiber' }, RangeError],
    [{ isolation: 7 }, TypeError],
    [{ name: '' }, RangeError],
    [{ name: 7 }, TypeError],
    [{ name: 'a', getIfExists: 1 }, TypeError],
    [{ getIfExists: true }, TypeError],
    [{ lifetime: 'eternal' }, RangeError],
    [{ cpus: -1 }, RangeError],
    [{ gpus: 1.5 }, RangeError],
    [{ resources: { license: '1' } }, TypeError],
    [{ maxRestarts: -2 }, RangeError],
    [{ maxRestarts: 0.5 }, RangeError],
    [{ maxRestarts: Infinity }, RangeError],
    [{ restartDelay: 'soon' }, RangeError],
    [{ maxTaskRetries: -2 }, RangeError],
    [{ maxTaskRetries: '1' }, TypeError],
    [{ maxPendingCalls: 0 }, RangeError],
    [{ maxConcurrency: 0 }, RangeError],
    [{ maxConcurrency: 1.5 }, RangeError],
    [{ concurrencyGroups: 2 }, TypeError],
    [{ concurrencyGroups: { io: 0 } }, RangeError],
    [{ concurrencyGroups: { io: '2' } }, TypeError],
  ];
  for (const [options, instanceOf] of refused) {
    t.throws(() => Counter.options(options as ActorOptions), { instanceOf });
    t.throws(() => actor(CounterClass, options as ActorOptions), { instanceOf });
  }
});

test('SIGKILL of an actor in a process is ActorDiedError for calls made before and after', async (t) => {
  const gate = new Gate(t);
  const exclusive = Exclusive.options({ isolation: 'process' }).remote();
  const counter = Counter.options({ isolation: 'process' }).remote();
  const { pid } = await counter.where();
  const bystander = exclusive.standAt(gate.pass());
  const calls = Array.from({ length: 100 }, () => counter.increment());
  await calls[0];
  process.kill(pid, 'SIGKILL');
  await until('the process has gone', () => !isAlive(pid));
  await t.throwsAsync(counter.increment().then(), { instanceOf: ActorDiedError });
  for (const outcome of await Promise.allSettled(calls)) {
    if (outcome.status === 'rejected') t.true(outcome.reason instanceof ActorDiedError);
  }
  gate.open();
  t.is(await bystander, 'passed');
});
