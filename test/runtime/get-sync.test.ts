import { get, getSync, GetTimeoutError, put, TaskError } from 'mobula';
import { crashOnce } from '../support/crashing.js';
import { Gate } from '../support/gate.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import {
  Blocking,
  countDownBlocked,
  getPutBlocked,
  loop,
  sumBlocked,
} from '../support/scheduling.js';
import { createStore } from '../support/stores.js';
import { add, addLater, echo, fail, makeArray, passGate } from '../support/tasks.js';

testInBoth('getSync gives the value, or those of an array in order', (t) => {
  t.is(getSync(add.remote(1, 2)), 3);
  t.deepEqual(getSync([addLater.remote(1, 1), put('x'), add.remote(2, 2)]), [2, 'x', 4]);
  t.deepEqual(getSync([]), []);
  t.is(getSync(makeArray.remote(5000, 7))[4999], 7);
});

testInBoth('getSync throws what the ref failed with', (t) => {
  t.throws(() => getSync(fail.remote('no')), { instanceOf: TaskError });
  t.throws(() => getSync([add.remote(1, 1), fail.remote('no')]), { instanceOf: TaskError });
});

testInBoth('getSync gives up after its time-out', async (t) => {
  const gate = new Gate(t);
  const ref = passGate.remote(gate.pass(), 'late');
  t.throws(() => getSync(ref, { timeout: 20 }), { instanceOf: GetTimeoutError });
  t.throws(() => getSync(ref, { timeout: 0 }), { instanceOf: GetTimeoutError });
  gate.open();
  t.is(getSync(ref), 'late');
  t.is(getSync(ref, { timeout: 0 }), 'late');
  t.is(await ref, 'late');
});

testInBoth('tasks that block for tasks, deeper than the pool, end', async (t) => {
  t.is(await countDownBlocked.remote(6), 6);
  t.is(getSync(countDownBlocked.remote(6)), 6);
});

testInBoth('a task blocks for refs that it was given, and for what it has put', async (t) => {
  const refs = [addLater.remote(1, 1), add.remote(2, 2), put(3)];
  t.is(await sumBlocked.remote(refs), 9);
  t.deepEqual(await getPutBlocked.remote(), { answer: 42 });
});

testInBoth('workers are replaced while the driver blocks', (t) => {
  const attempts = createStore(t);
  const array = put(new Float64Array(10).fill(1));
  const ref = crashOnce.options({ retries: 1 }).remote(attempts.handle, array, [array]);
  t.is(getSync(ref), 20);
});

testInBoth('time-outs end loops while the driver blocks', (t) => {
  const marks = createStore(t);
  const ref = loop.options({ timeout: 30 }).remote(marks.handle);
  t.throws(() => getSync(ref), { code: 'MOBULA_TASK_TIMEOUT' });
  t.is(getSync(add.remote(1, 1)), 2);
});

testInBoth('in an actor that shares its thread getSync gives only what is there', async (t) => {
  const gate = new Gate(t);
  const shared = Blocking.remote();
  t.is(await shared.read([put('there')]), 'there');
  const pending = passGate.remote(gate.pass(), 'late');
  const error = await t.throwsAsync(shared.read([pending]).then(), { instanceOf: TaskError });
  t.is((error.cause as { code?: string }).code, 'MOBULA_WOULD_BLOCK');
  const own = Blocking.options({ isolation: 'thread' }).remote();
  const read = own.read([pending]);
  gate.open();
  t.is(await read, 'late');
});

testInBoth('other results arrive while a thread blocks, and are there after', async (t) => {
  const refs = Array.from({ length: 100 }, (_, i) => echo.remote(i));
  t.is(getSync(refs[99]!), 99);
  const values: unknown = await get(refs);
  t.deepEqual(
    values,
    refs.map((_, i) => i),
  );
});

const isRefusedValue = {
  instanceOf: TypeError,
  message: /an ObjectRef or an array of ObjectRefs/,
};

testInBoth('getSync refuses what is no ref', (t) => {
  for (const value of [undefined, 1, 'x', {}]) {
    t.throws<TypeError>(() => void getSync(value as never), isRefusedValue);
  }
  t.throws<TypeError>(() => void getSync([1] as never), { instanceOf: TypeError });
  t.throws(() => getSync(put(1), { timeout: -1 }), { instanceOf: RangeError });
  t.throws(() => getSync(put(1), { time: 1 } as never), { instanceOf: TypeError });
});

runInBoth();
