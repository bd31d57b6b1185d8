import { allocate, get, put, StoreFullError } from 'mobula';
import { Gate } from '../support/gate.js';
import { fill } from '../support/filling.js';
import { askAllToCollect, isRoomAwaited } from '../support/internals.js';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import { yieldArrays } from '../support/scheduling.js';
import { refsOf } from '../support/streams.js';
import {
  add,
  awaitNested,
  echo,
  look,
  makeArray,
  makeArrays,
  passGate,
  putAndDrop,
} from '../support/tasks.js';
import { until, untilCollected } from '../support/until.js';

const memory = 4 * 1024 * 1024;
/** A tenth of the memory. */
const length = 50_000;
const rounds = 100;
const isFull = { instanceOf: StoreFullError, code: 'MOBULA_STORE_FULL' } as const;

const upTo = (end: number) => Array.from({ length: end }, (_, n) => n);
const array = (value: number) => new Float64Array(length).fill(value);

/** Workers that idle collect nothing by themselves. */
async function untilEmpty(): Promise<void> {
  using store = runtimeStore();
  await untilCollected('what was dropped is gone', () => {
    askAllToCollect();
    return store.stats().usedBytes < 10_000;
  });
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

testInBoth('each of several results waits for room, and the answer for all of them', async (t) => {
  const held = fill(length);
  const results = makeArrays.options({ returns: 3 }).remote(3, length);
  await until('somebody waits', isRoomAwaited);
  for (const ref of held) ref[Symbol.dispose]();
  t.deepEqual(
    (await get([...results])).map((result) => (result as Float64Array)[0]),
    [0, 1, 2],
  );
  for (const ref of results) ref[Symbol.dispose]();
  await untilEmpty();
});

testInBoth('a stream waits for room with the item that finds none, and goes on', async (t) => {
  const held = fill(length);
  const items = refsOf(yieldArrays.remote(4, length));
  await until('somebody waits', isRoomAwaited);
  for (const ref of held) ref[Symbol.dispose]();
  const refs = await items;
  t.deepEqual(
    (await get(refs)).map((item) => item[0]),
    [0, 1, 2, 3],
  );
  for (const ref of refs) ref[Symbol.dispose]();
  await untilEmpty();
});

testInBoth('a stream that is left while it waits for room leaves nothing behind', async (t) => {
  const held = fill(length);
  const stream = yieldArrays.remote(4, length);
  await until('somebody waits', isRoomAwaited);
  await stream.return();
  await until('nobody waits any more', () => !isRoomAwaited());
  for (const ref of held) ref[Symbol.dispose]();
  t.is(await add.remote(1, 1), 2);
  await untilEmpty();
});

testInBoth('results that fit together get in, though nobody lets go of one', async (t) => {
  const refs = Array.from({ length: 9 }, (_, i) => makeArray.remote(length, i));
  t.deepEqual(
    (await get(refs)).map((result) => result[0]),
    upTo(9),
  );
  for (const ref of refs) ref[Symbol.dispose]();
  await untilEmpty();
  const items = await refsOf(yieldArrays.remote(9, length));
  t.deepEqual(
    (await get(items)).map((item) => item[0]),
    upTo(9),
  );
  for (const ref of items) ref[Symbol.dispose]();
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

runInBoth({ memory, eviction: 'none' });
