import { free, get, ObjectFreedError, put, type ObjectRef } from 'mobula';
import { Gate } from '../support/gate.js';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import {
  add,
  awaitNested,
  echo,
  freeInTask,
  makeText,
  passGate,
  passGateWithText,
  submitInTask,
} from '../support/tasks.js';
import { until } from '../support/until.js';

const large = 50_000;
const isFreed = { instanceOf: ObjectFreedError, code: 'MOBULA_OBJECT_FREED' } as const;

testInBoth('a freed ref fails with ObjectFreedError wherever its value was', async (t) => {
  const refs = [put('put'), makeText.remote(large), echo.remote({ small: 1 }), add.remote(1, 1)];
  await get(refs);
  free(refs);
  for (const ref of refs) await t.throwsAsync(ref.then(), isFreed);
});

testInBoth('a freed ref as an argument fails the task with ObjectFreedError', async (t) => {
  const refs = [put('put'), echo.remote('small'), makeText.remote(large)];
  await get(refs);
  free(refs);
  for (const ref of refs) {
    await t.throwsAsync(echo.remote(ref).then(), isFreed);
    await t.throwsAsync(awaitNested.remote([ref]).then(), {
      message: /given up by free/,
    });
  }
});

testInBoth('free takes one ref or several, and may come twice', async (t) => {
  const ref = put(1);
  free(ref);
  free([ref, ref]);
  free([]);
  await t.throwsAsync(ref.then(), isFreed);
});

testInBoth('the memory of a freed object returns while refs to it live', async (t) => {
  using store = runtimeStore();
  const before = store.stats().usedBytes;
  const refs = [put('x'.repeat(large)), makeText.remote(large)];
  await get(refs);
  free(refs);
  await until('the memory is back', () => store.stats().usedBytes <= before);
  for (const ref of refs) await t.throwsAsync(ref.then(), isFreed);
});

testInBoth('an array got before its ref is freed stays as it is', async (t) => {
  const ref = put(new Float64Array(large).fill(7));
  const array = await ref;
  free(ref);
  put(new Float64Array(large).fill(8));
  t.true(array.every((n) => n === 7));
});

testInBoth('a pending ref fails at once, and what its task gives is dropped', async (t) => {
  using store = runtimeStore();
  await add.remote(1, 1);
  const gate = new Gate(t);
  const ref = passGateWithText.remote(gate.pass(), large);
  await gate.arrived();
  const before = store.stats().objects;
  const waiting = t.throwsAsync(ref.then(), isFreed);
  free(ref);
  await waiting;
  gate.open();
  await until('the result is gone', async () => {
    await add.remote(1, 1);
    return store.stats().objects <= before;
  });
  await t.throwsAsync(ref.then(), isFreed);
});

testInBoth('a ref that others have is freed for them too', async (t) => {
  const gate = new Gate(t);
  const ref = put('shared');
  const reader = awaitNested.remote([ref], gate.pass());
  await gate.arrived();
  free(ref);
  gate.open();
  await t.throwsAsync(reader.then(), { message: /given up by free/ });
});

testInBoth(
  'a borrower frees a value for its owner, in memory, in the store or to come',
  async (t) => {
    const gate = new Gate(t);
    const refs = [
      put('put'),
      echo.remote('small'),
      makeText.remote(large),
      passGate.remote(gate.pass(), 'late'),
    ];
    const waiting = t.throwsAsync(refs[3]!.then(), isFreed);
    await get(refs.slice(0, 3));
    await freeInTask.remote(refs);
    for (const ref of refs.slice(0, 3)) await t.throwsAsync(ref.then(), isFreed);
    await waiting;
    gate.open();
    t.is(await add.remote(1, 1), 2);
  },
);

testInBoth('who borrows a value to come learns that its owner has freed it', async (t) => {
  const [pending, reading] = [new Gate(t), new Gate(t)];
  const ref = passGate.remote(pending.pass(), 'late');
  reading.open();
  const reader = awaitNested.remote([ref], reading.pass());
  await reading.arrived();
  free(ref);
  await t.throwsAsync(reader.then(), { message: /given up by free/ });
  pending.open();
});

testInBoth('a ref that a task has submitted can be freed by whoever got it', async (t) => {
  const gate = new Gate(t);
  const [ref] = await submitInTask.remote(gate.pass(), 'inner');
  await gate.arrived();
  const waiting = t.throwsAsync(ref!.then(), isFreed);
  free(ref!);
  await waiting;
  gate.open();
});

testInBoth('a freed container lets go of the refs in it', async (t) => {
  using store = runtimeStore();
  const before = store.stats().objects;
  const inner = put('inner');
  const outer = put([inner]);
  inner[Symbol.dispose]();
  free(outer);
  await until('both objects are gone', () => store.stats().objects <= before);
  await t.throwsAsync(outer.then(), isFreed);
});

testInBoth('free refuses what is no ref, and frees nothing then', async (t) => {
  const ref = put(1);
  t.throws(() => free([ref, 1 as unknown as ObjectRef]), { instanceOf: TypeError });
  t.throws(() => free('text' as unknown as ObjectRef), { instanceOf: TypeError });
  t.is(await ref, 1);
});

testInBoth('a pinned object is held until its ref is disposed or freed', async (t) => {
  using store = runtimeStore();
  const before = store.stats().pinnedObjects;
  const [disposed, freed] = [put('a', { pin: true }), put('b', { pin: true })];
  t.is(store.stats().pinnedObjects, before + 2);
  store.evict(Number.MAX_SAFE_INTEGER);
  t.deepEqual(await get([disposed, freed]), ['a', 'b']);
  disposed[Symbol.dispose]();
  free(freed);
  t.is(store.stats().pinnedObjects, before);
});

testInBoth('put takes no unknown or wrong option', (t) => {
  t.throws(() => put(1, { pin: 1 } as never), { instanceOf: TypeError });
  t.throws(() => put(1, { pinned: true } as never), { instanceOf: TypeError });
});

runInBoth();
