import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import test from 'ava';
import {
  allocate,
  cancel,
  context,
  free,
  get,
  getSync,
  init,
  memory,
  ObjectRef,
  put,
  release,
  RuntimeShutdownError,
  shutdown,
  stats,
  wait,
  type InitOptions,
} from 'mobula';
import { Counter, Noisy } from '../support/actors.js';
import { createStore } from '../support/stores.js';
import { isolations } from '../support/runtime.js';
import { Gate } from '../support/gate.js';
import { countTo } from '../support/scheduling.js';
import { add, echo, fail, passGate, spin } from '../support/tasks.js';
import { until, untilCollected } from '../support/until.js';

test.afterEach.always(() => shutdown());

/** Files of shared memory that this process has open. */
function openSegments(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.includes('mobula') && target.includes('memfd') ? [target] : [];
    } catch {
      return [];
    }
  });
}

test.serial('the first use starts a runtime with the defaults', async (t) => {
  t.is(await put(1), 1);
  t.is(await add.remote(1, 2), 3);
  await shutdown();
  await t.throwsAsync(async () => add.remote(1, 2).then(), { instanceOf: RuntimeShutdownError });
});

test.serial('after shutdown only init starts a runtime', async (t) => {
  init({ workers: 1 });
  const put1 = put(1);
  await shutdown();
  t.throws(() => put(1), { instanceOf: RuntimeShutdownError });
  t.throws(() => add.remote(1, 2), { instanceOf: RuntimeShutdownError });
  t.throws(() => Counter.remote(), { instanceOf: RuntimeShutdownError });
  await t.throwsAsync(get(put1), { instanceOf: RuntimeShutdownError });
  init({ workers: 1 });
  t.is(await add.remote(1, 2), 3);
});

for (const isolation of isolations) {
  test.serial(
    `after shutdown everything that needs a runtime is RuntimeShutdownError [${isolation}]`,
    async (t) => {
      init({ workers: 1, isolation });
      const [value, failed, stream] = [add.remote(1, 2), fail.remote('no'), countTo.remote(3)];
      const array = put(new Float64Array(1000));
      const isOver = { instanceOf: RuntimeShutdownError };
      await stream.next();
      await wait<unknown>([value, failed, array], { count: 3 });
      const got = await array;
      await shutdown();
      for (const ref of [value, failed, array] as ObjectRef[]) {
        await t.throwsAsync(ref.then(), isOver);
        await t.throwsAsync(get<unknown>(ref), isOver);
        await t.throwsAsync(wait([ref]), isOver);
        await t.throwsAsync(cancel(ref), isOver);
        t.throws(() => void getSync(ref), isOver);
        t.throws(() => free(ref), isOver);
      }
      for (const call of [() => get([]), () => wait([]), () => cancel(stream)]) {
        await t.throwsAsync<Error>(call, isOver);
      }
      for (const call of [
        () => getSync([]),
        () => free([]),
        () => allocate(Uint8Array, 1),
        () => countTo.remote(1),
        stats,
        memory,
        context,
      ]) {
        t.throws<Error>(call, isOver);
      }
      t.notThrows(() => {
        release(got);
        value[Symbol.dispose]();
      });
      init({ workers: 1, isolation });
      await t.throwsAsync(wait([array]), isOver);
      await t.throwsAsync(cancel(stream), isOver);
    },
  );
}

test.serial('init twice is an error, and the runtime goes on', async (t) => {
  init({ workers: 1 });
  t.throws(() => init(), { code: 'MOBULA_STARTED' });
  t.is(await add.remote(1, 2), 3);
});

test.serial('init after the first use is an error', (t) => {
  init({ workers: 1 });
  put(1);
  t.throws(() => init({ workers: 1 }), { code: 'MOBULA_STARTED' });
});

test.serial('shutdown is idempotent, at once and later', async (t) => {
  const runtime = init({ workers: 1 });
  t.is(await add.remote(1, 2), 3);
  await Promise.all([shutdown(), runtime.shutdown(), shutdown()]);
  await t.notThrowsAsync(shutdown());
});

test.serial('the end of a block shuts down a runtime declared with await using', async (t) => {
  {
    await using runtime = init({ workers: 1 });
    t.is(typeof runtime.shutdown, 'function');
    t.is(await add.remote(1, 2), 3);
  }
  t.throws(() => put(1), { instanceOf: RuntimeShutdownError });
});

for (const isolation of isolations) {
  test.serial(
    `shutdown fails what is pending with RuntimeShutdownError [${isolation}]`,
    async (t) => {
      init({ workers: 1, isolation });
      const gate = new Gate(t);
      const running = passGate.remote(gate.pass(), 1);
      const queued = echo.remote(2);
      const dependent = echo.remote(running);
      const outcomes = Promise.allSettled([get(running), get(queued), get(dependent)]);
      await gate.arrived();
      await shutdown();
      for (const outcome of await outcomes) {
        t.true(outcome.status === 'rejected' && outcome.reason instanceof RuntimeShutdownError);
      }
    },
  );

  test.serial(`shutdown ends a worker that is in a synchronous loop [${isolation}]`, async (t) => {
    init({ workers: 1, isolation });
    const started = createStore(t);
    const ref = spin.remote(started.handle, '1'.repeat(32));
    const failed = t.throwsAsync(ref.then(), { instanceOf: RuntimeShutdownError });
    await started.wait('1'.repeat(32));
    await shutdown({ timeout: '10ms' });
    await failed;
  });

  test.serial(`shutdown runs the onStop hooks of actors [${isolation}]`, async (t) => {
    init({ workers: 1 });
    const log = createStore(t);
    const noisy = Noisy.options({ isolation }).remote(log.handle, '1'.repeat(32));
    t.is(await noisy.hello(), 'hello');
    t.false(log.contains('1'.repeat(32)));
    await shutdown();
    t.true(log.contains('1'.repeat(32)));
  });

  test.serial(
    `a new runtime can be started after shutdown, many times [${isolation}]`,
    async (t) => {
      for (let round = 0; round < 5; round++) {
        init({ workers: 2, isolation, memory: '8MiB' });
        t.is(await add.remote(round, 1), round + 1);
        await shutdown();
      }
    },
  );
}

test.serial('refs of an ended runtime are refused by the next one', async (t) => {
  init({ workers: 1 });
  const old = [put(1), add.remote(1, 1)];
  await get(old);
  await shutdown();
  init({ workers: 1 });
  for (const ref of old) {
    t.throws(() => echo.remote(ref), { instanceOf: RuntimeShutdownError });
    t.throws(() => echo.remote([ref]), { instanceOf: RuntimeShutdownError });
  }
  t.is(await add.remote(1, 2), 3);
});

test.serial('arrays already got stay readable after shutdown', async (t) => {
  init({ workers: 1 });
  const array = await put(new Float64Array(100_000).fill(3));
  await shutdown();
  init({ workers: 1 });
  put(new Float64Array(100_000).fill(4));
  t.true(array.every((value) => value === 3));
});

test.serial('shutdown closes the shared memory', async (t) => {
  await untilCollected('earlier tests have left nothing', () => openSegments().length === 0);
  init({ workers: 2, isolation: 'process', memory: '8MiB' });
  t.is(await add.remote(1, 2), 3);
  t.is(openSegments().length, 1);
  await shutdown();
  await until('the segment is closed', () => openSegments().length === 0);
  t.false(readFileSync('/proc/self/maps', 'utf8').includes('memfd:mobula'));
});

test.serial('init refuses wrong options, and starts nothing', (t) => {
  const refused = (options: unknown) => t.throws(() => init(options as InitOptions));
  for (const workers of [0, -1, 1.5, NaN]) t.true(refused({ workers }) instanceof RangeError);
  t.true(refused({ workers: '2' }) instanceof TypeError);
  for (const memory of [-1, 0, NaN, 'lots']) t.true(refused({ memory }) instanceof RangeError);
  t.true(refused({ memory: {} }) instanceof TypeError);
  t.true(refused({ isolation: 'fiber' }) instanceof RangeError);
  t.true(refused({ eviction: 'lru' }) instanceof RangeError);
  t.true(refused({ guard: 1 }) instanceof TypeError);
  t.true(refused({ logToDriver: 'no' }) instanceof TypeError);
  t.true(refused({ trackCallSites: 1 }) instanceof TypeError);
  t.true(refused({ workerMemoryLimit: true }) instanceof TypeError);
  for (const workerMemoryLimit of [0, -1, NaN, 'lots', '1KB']) {
    t.true(refused({ workerMemoryLimit }) instanceof RangeError);
  }
  t.true(refused({ worker: 1 }) instanceof TypeError);
  t.true(refused(null) instanceof TypeError);
  t.notThrows(() => init({ workers: 1 }));
  t.true(put(1) instanceof ObjectRef);
});

test.serial('shutdown refuses wrong options', async (t) => {
  init({ workers: 1 });
  const refused = async (options: unknown) =>
    t.throwsAsync(async () => shutdown(options as { timeout: number }));
  t.true((await refused({ timeout: -1 })) instanceof RangeError);
  t.true((await refused({ timeout: {} })) instanceof TypeError);
  t.true((await refused(null)) instanceof TypeError);
  t.is(await add.remote(1, 2), 3);
});
