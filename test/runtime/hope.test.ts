import { put, StoreFullError } from 'mobula';
import { Gate } from '../support/gate.js';
import { fill } from '../support/filling.js';
import { setHopeInWorker } from '../support/hope.js';
import { isRoomAwaited, setHope } from '../support/internals.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { yieldArrays } from '../support/scheduling.js';
import { refsOf } from '../support/streams.js';
import { add, awaitNested, makeArray, makeArrays, passGateWithText } from '../support/tasks.js';

const memory = 2 * 1024 * 1024;
const length = 150_000;
const hopeMs = 200;
const isFull = { instanceOf: StoreFullError, code: 'MOBULA_STORE_FULL' } as const;

testInBoth(
  'a result that waits for room is StoreFullError once nothing was given back for long',
  async (t) => {
    await setHopeInWorker.remote(hopeMs);
    const held = put(new Float64Array(length));
    await t.throwsAsync(makeArray.remote(length, 1).then(), isFull);
    const [first, second] = makeArrays.options({ returns: 2 }).remote(2, length);
    await t.throwsAsync(first!.then(), isFull);
    await t.throwsAsync(second!.then(), isFull);
    const items = await refsOf(yieldArrays.remote(2, length));
    t.is(items.length, 1);
    await t.throwsAsync(items[0]!.then(), isFull);
    t.false(isRoomAwaited());
    t.is(await add.remote(1, 1), 2);
    held[Symbol.dispose]();
  },
);

testInBoth('a promised value that waits for room fails its readers in the end', async (t) => {
  setHope(hopeMs);
  const gate = new Gate(t);
  const promised = passGateWithText.remote(gate.pass(), 7000);
  const reader = awaitNested.remote([promised]);
  await gate.arrived();
  const held = [put(new Float64Array(length)), ...fill(5000)];
  gate.open();
  t.is((await promised).length, 7000);
  await t.throwsAsync(reader.then());
  for (const ref of held) ref[Symbol.dispose]();
});

runInBoth({ memory, workers: 1, eviction: 'none' });
