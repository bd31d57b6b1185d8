/** More data than memory: what refs stand for goes to disk, and comes back. */
import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  free,
  get,
  getSync,
  init,
  memory,
  ObjectFreedError,
  ObjectLostError,
  type ObjectRef,
  OutOfDiskError,
  put,
  RuntimeShutdownError,
  shutdown,
  stats,
  StoreFullError,
} from 'mobula';
import { children } from '../support/children.js';
import { isolations } from '../support/runtime.js';
import { makeArray, look } from '../support/tasks.js';
import { until } from '../support/until.js';
import { spillFiles, spillPlace } from '../support/spilling.js';

const mebibyte = 1024 * 1024;
const length = mebibyte / 8;
/** Five times the memory. */
const count = 80;
const options = { memory: 16 * mebibyte, workers: 2 } as const;
const outOfDisk = { instanceOf: OutOfDiskError, code: 'MOBULA_OUT_OF_DISK' } as const;

const upTo = (end: number) => Array.from({ length: end }, (_, n) => n);
const array = (value: number) => new Float64Array(length).fill(value);

function isWhole(values: Float64Array, value: number): boolean {
  return values.length === length && values.every((one) => one === value);
}

test.afterEach.always(() => shutdown());

for (const isolation of isolations) {
  test.serial(
    `results that do not fit go to disk, and come back whole [${isolation}]`,
    async (t) => {
      const place = await spillPlace(t);
      init({ ...options, isolation, spillDirectory: place });
      const refs = upTo(count).map((n) => makeArray.remote(length, n));
      for (const [n, ref] of refs.entries()) t.true(isWhole(await ref, n));
      t.true(stats().store.spilled >= count / 2);
      t.true(stats().store.restored > 0);
      for (const n of [7, 70, 3]) t.true(isWhole(getSync(refs[n]!), n));
    },
  );

  test.serial(`arguments come back from disk for their tasks [${isolation}]`, async (t) => {
    const place = await spillPlace(t);
    init({ ...options, isolation, spillDirectory: place });
    const refs = upTo(count).map((n) => put(array(n)));
    const sums = await get(refs.map((ref) => look.remote(ref)));
    t.deepEqual(
      sums.map(({ sum }) => sum),
      upTo(count).map((n) => n * length),
    );
  });

  test.serial(`workers that are killed while they spill lose nothing [${isolation}]`, async (t) => {
    if (isolation === 'thread') return t.pass('threads are not killed');
    const place = await spillPlace(t);
    init({ ...options, isolation, spillDirectory: place });
    const refs = upTo(count).map((n) => makeArray.options({ retries: 1000 }).remote(length, n));
    for (const least of [10, 30, 50]) {
      await until('results are stored', () => stats().tasks.finished >= least);
      for (const pid of children()) process.kill(pid, 'SIGKILL');
    }
    for (const [n, ref] of refs.entries()) t.true(isWhole(await ref, n));
  });
}

test.serial('what is read back together arrives whole, while the thread goes on', async (t) => {
  init({ ...options, spillDirectory: await spillPlace(t) });
  const refs = upTo(count).map((n) => put(array(n)));
  const first = get(refs.slice(0, 6));
  const order: string[] = [];
  const read = first.then(() => order.push('read'));
  setImmediate(() => order.push('turn'));
  await read;
  t.deepEqual(order, ['turn', 'read']);
  t.true((await first).every((values, n) => isWhole(values, n)));
  t.true(stats().store.restored >= 6);
});

test.serial('a runtime that ends while it reads back fails the reads', async (t) => {
  const place = await spillPlace(t);
  init({ ...options, spillDirectory: place });
  const refs = upTo(count).map((n) => put(array(n)));
  const reads = Promise.allSettled(refs.slice(0, 12));
  await shutdown();
  for (const end of await reads) {
    t.true(end.status === 'fulfilled' || end.reason instanceof RuntimeShutdownError);
  }
  t.deepEqual(readdirSync(place), []);
});

test.serial('a ref can be disposed while its value comes back', async (t) => {
  init({ ...options, spillDirectory: await spillPlace(t) });
  const refs = upTo(count).map((n) => put(array(n)));
  const values = get(refs.slice(0, 6));
  for (const ref of refs) ref[Symbol.dispose]();
  t.true((await values).every((read, n) => isWhole(read, n)));
  await until('nothing is left', () => stats().store.spilled > 0 && memory().length === 0);
});

test.serial('memory() and stats() say what is on disk', async (t) => {
  init({ ...options, spillDirectory: await spillPlace(t) });
  const refs = upTo(count).map((n) => put(array(n)));
  const onDisk = memory().filter(({ state }) => state === 'spilled');
  t.true(onDisk.length >= count - 16);
  t.true(onDisk.every(({ size }) => size > mebibyte));
  const { objects, sealed, spilled, spilledBytes, usedBytes } = stats().store;
  t.is(objects, count);
  t.is(sealed, count - onDisk.length);
  t.true(spilled >= onDisk.length && spilledBytes > spilled * mebibyte);
  t.true(usedBytes <= options.memory);
  t.is(refs.length, count);
});

test.serial('files go with their objects, and the rest with the runtime', async (t) => {
  const place = await spillPlace(t);
  init({ ...options, spillDirectory: place });
  const refs = upTo(count).map((n) => put(array(n)));
  t.true(spillFiles(place).length > 1);
  const kept = put(array(-1));
  for (const ref of refs.slice(1)) ref[Symbol.dispose]();
  free([refs[0]!]);
  await t.throwsAsync(refs[0]!.then(), { instanceOf: ObjectFreedError });
  await until('at most one file is left', () => spillFiles(place).length <= 1);
  t.true(isWhole(await kept, -1));
  await shutdown();
  t.deepEqual(readdirSync(place), []);
});

test.serial(
  'beyond spillLimit put is OutOfDiskError, nothing is lost, and others go on',
  async (t) => {
    init({ ...options, spillDirectory: await spillPlace(t), spillLimit: '16MiB' });
    const refs: ObjectRef<Float64Array>[] = [];
    const error = t.throws(() => {
      for (;;) refs.push(put(array(refs.length)));
    }, outOfDisk);
    t.regex(error.message, /spillLimit/);
    t.true(refs.length >= 16 && refs.length <= 32);
    for (const [n, ref] of refs.entries()) t.true(isWhole(await ref, n));
    for (const ref of refs.splice(0, 8)) ref[Symbol.dispose]();
    t.true(isWhole(await put(array(5)), 5));
  },
);

test.serial('a directory that cannot be used is a warning, then OutOfDiskError', async (t) => {
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
  init({ ...options, spillDirectory: '/proc/mobula' });
  t.regex((await warned).message, /spillDirectory \/proc\/mobula/);
  const refs: unknown[] = [];
  t.throws(() => {
    for (;;) refs.push(put(array(0)));
  }, outOfDisk);
  t.is(refs.length, 15);
});

test.serial(
  'what was in a directory that somebody has removed is lost, the rest goes on',
  async (t) => {
    const place = await spillPlace(t);
    init({ ...options, spillDirectory: place });
    const refs = upTo(24).map((n) => put(array(n)));
    await rm(place, { recursive: true });
    const lost = await t.throwsAsync(refs[0]!.then(), { instanceOf: ObjectLostError });
    t.regex(lost.message, /spill file/);
    t.true(isWhole(await refs[23]!, 23));
  },
);

test.serial('a reader that never releases holds up nobody but who needs its memory', async (t) => {
  init({ ...options, spillDirectory: await spillPlace(t) });
  const refs = upTo(count).map((n) => put(array(n)));
  const read = await get(refs.slice(0, 12));
  for (const n of upTo(count).slice(12)) t.true(isWhole(await refs[n]!, n));
  t.throws(() => put(new Float64Array(8 * length)), {
    instanceOf: StoreFullError,
    message: /pinned by process \d+/,
  });
  t.true(read.every((values, n) => isWhole(values, n)));
});

test.serial('by default objects spill to a disk, not to the memory of a tmpfs', async (t) => {
  init(options);
  const refs = upTo(20).map((n) => put(array(n)));
  t.true(['/var/tmp', tmpdir()].some((place) => spillFiles(place).length > 0));
  t.is(refs.length, 20);
  await shutdown();
  t.deepEqual(spillFiles(join('/var/tmp')), []);
});
