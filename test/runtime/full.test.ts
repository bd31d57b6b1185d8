import { allocate, get, put, StoreFullError, type ObjectRef } from 'mobula';
import { Gate } from '../support/gate.js';
import { askAllToCollect, isRoomAwaited } from '../support/internals.js';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import { awaitNested, echo, look, makeArray, passGate, putAndDrop } from '../support/tasks.js';
import { until, untilCollected } from '../support/until.js';

const memory = 4 * 1024 * 1024;
/** A tenth of the memory. */
const length = 50_000;
const rounds = 100;
const isFull = { instanceOf: StoreFullError, code: 'MOBULA_STORE_FULL' } as const;

const array = (value: number) => new Float64Array(length).fill(value);

/** Workers that idle collect nothing by themselves. */
async function untilEmpty(): Promise<void> {
  using store = runtimeStore();
  await untilCollected('what was dropped is gone', () => {
    askAllToCollect();
    return store.stats().usedBytes < 10_000;
  });
}

/** Live refs that leave less room than `left` bytes. */
function fill(left: number): ObjectRef[] {
  using store = runtimeStore();
  const refs: ObjectRef[] = [];
  for (;;) {
    const { freeBytes } = store.stats();
    if (freeBytes <= left) return refs;
    refs.push(put(new Uint8Array(Math.max(16, Math.min(freeBytes, length) - 4096))));
  }
}

testInBoth('consumers that stand behind their producers get their turn', async (t) => {
  const lengths = Array.from({ length: 25 }, (_, i) => {
    using made = makeArray.remote(length, i);
    return look.remote(made);
  });
  for (const ref of lengths) t.is((await ref).length, length);
  await untilEmpty();
});

testInBoth('a loop that awaits what it puts, and drops it, never sees a full store', async (t) => {
  for (let i = 0; i < rounds; i++) t.is((await put(array(i)))[0], i);
  await untilEmpty();
});

testInBoth('a loop over results that are dropped never sees a full store', async (t) => {
  for (let i = 0; i < rounds; i++) t.is((await makeArray.remote(length, i))[0], i);
  await untilEmpty();
});

testInBoth('a loop that passes refs on, and drops them, never sees a full store', async (t) => {
  for (let i = 0; i < rounds; i++) t.is((await look.remote(put(array(1)))).sum, length);
});

testInBoth('a task that puts in a loop with awaits never sees a full store', async (t) => {
  t.is(await putAndDrop.remote(rounds, length), rounds);
});

testInBoth(
  'a producer of more than the memory waits for who disposes, and nothing fails',
  async (t) => {
    const refs = Array.from({ length: rounds }, (_, i) => makeArray.remote(length, i));
    for (const [i, ref] of refs.entries()) {
      t.is((await ref)[length - 1], i);
      ref[Symbol.dispose]();
    }
    await untilEmpty();
  },
);

testInBoth('results wait for room that the driver makes later', async (t) => {
  const held = fill(length);
  const results = Array.from({ length: 4 }, (_, i) => makeArray.remote(length, i));
  await until('somebody waits', isRoomAwaited);
  for (const ref of held) ref[Symbol.dispose]();
  t.deepEqual(
    (await get(results)).map((result) => result[0]),
    [0, 1, 2, 3],
  );
  for (const ref of results) ref[Symbol.dispose]();
  await untilEmpty();
});

testInBoth('a result that could never fit is StoreFullError at once', async (t) => {
  await t.throwsAsync(makeArray.remote(memory, 1).then(), isFull);
});

testInBoth('put, allocate and arguments are refused while live refs hold the memory', async (t) => {
  const held = fill(length);
  t.throws(() => put(array(1)), isFull);
  t.throws(() => allocate(Float64Array, length), isFull);
  t.throws(() => echo.remote(array(1)), isFull);
  for (const ref of held) ref[Symbol.dispose]();
  t.is((await put(array(2)))[0], 2);
  await untilEmpty();
});

testInBoth('the refusal names who pins the memory', async (t) => {
  const held = await get(fill(length));
  t.throws(() => put(array(1)), { ...isFull, message: /pinned by process \d+/ });
  t.true(held.length > 0);
});

testInBoth('a promised value waits for room', async (t) => {
  await untilEmpty();
  const gate = new Gate(t);
  const promised = passGate.remote(gate.pass(), 'x'.repeat(7000));
  const reader = awaitNested.remote([promised]);
  await gate.arrived();
  const held = fill(5000);
  gate.open();
  t.is(((await promised) as string).length, 7000);
  for (const ref of held) ref[Symbol.dispose]();
  t.is(((await reader) as string[])[0]!.length, 7000);
});

runInBoth({ memory });
