import { getEventListeners } from 'node:events';
import { get, put, Queue, wait, type ObjectRef } from 'mobula';
import { Gate } from '../support/gate.js';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import { add, echo, fail, failAtGate, makeArray, passGate } from '../support/tasks.js';
import { collectGarbage, until, untilCollected } from '../support/until.js';
import { wrong } from '../support/wrong.js';

testInBoth('get gives what was put, as often as it is asked', async (t) => {
  const value = { text: 'a', list: [1, undefined, null], when: new Date(5) };
  const ref = put(value);
  t.deepEqual(await get(ref), value);
  t.deepEqual(await get(ref), value);
  t.not(await get(ref), value);
});

testInBoth('get and wait refuse options that do not exist', async (t) => {
  const ref = put(1);
  const unknown = { instanceOf: TypeError, message: /options\.tiemout/ };
  await t.throwsAsync(get(ref, wrong({ tiemout: 1 })), unknown);
  await t.throwsAsync(wait([ref], wrong({ tiemout: 1 })), unknown);
});

testInBoth('what is written to a value after put does not show', async (t) => {
  const value = { list: [1, 2], array: new Float64Array(1000) };
  const ref = put(value);
  value.list.push(3);
  value.array.fill(1);
  t.deepEqual(await get(ref), { list: [1, 2], array: wrong(new Float64Array(1000)) });
});

testInBoth('await of a ref is get of it, of a put value and of a task', async (t) => {
  t.is(await put(7), 7);
  const ref = add.remote(3, 4);
  t.is(await ref, 7);
  t.is(await ref, 7);
});

testInBoth('then, catch and finally of a ref are those of a promise', async (t) => {
  t.is(await put(1).then((value) => value + 1), 2);
  t.is(await fail.remote('no').catch(() => 'caught'), 'caught');
  let finished = 0;
  t.is(await put(1).finally(() => finished++), 1);
  await t.throwsAsync(fail.remote('no').finally(() => finished++));
  t.is(finished, 2);
});

testInBoth('a ref has an id of 32 hex digits, and shows it', (t) => {
  const refs = [put(1), put(1), add.remote(1, 1)];
  for (const ref of refs) {
    t.regex(ref.id, /^[0-9a-f]{32}$/);
    t.is(ref.toString(), `ObjectRef(${ref.id})`);
  }
  t.is(new Set(refs.map(({ id }) => id)).size, 3);
});

testInBoth('get of several refs keeps their order, whichever is ready first', async (t) => {
  const gate = new Gate(t);
  const refs = [passGate.remote(gate.pass(), 'late'), put('put'), echo.remote('soon')];
  await refs[2];
  const values = get(refs);
  gate.open();
  t.deepEqual(await values, ['late', 'put', 'soon']);
});

testInBoth('get takes duplicates, and no refs at all', async (t) => {
  const ref = add.remote(1, 1);
  t.deepEqual(await get([ref, ref, ref]), [2, 2, 2]);
  t.deepEqual(await get([]), []);
});

testInBoth(
  'get of several refs rejects with the first failure, while others are pending',
  async (t) => {
    const gate = new Gate(t);
    const pending = passGate.remote(gate.pass(), 1);
    const error = await t.throwsAsync(get([pending, fail.remote('failed')]));
    t.is((error.cause as Error).message, 'failed');
    gate.open();
    t.is(await pending, 1);
  },
);

testInBoth('get with timeout 0 polls', async (t) => {
  const gate = new Gate(t);
  const pending = passGate.remote(gate.pass(), 1);
  await t.throwsAsync(get(pending, { timeout: 0 }), { code: 'MOBULA_GET_TIMEOUT' });
  await t.throwsAsync(get([put(1), pending], { timeout: 0 }), { code: 'MOBULA_GET_TIMEOUT' });
  t.is(await get(put(5), { timeout: 0 }), 5);
  gate.open();
  await pending;
  t.is(await get(pending, { timeout: 0 }), 1);
});

testInBoth(
  'get rejects with GetTimeoutError when the time is up, and the value still comes',
  async (t) => {
    const gate = new Gate(t);
    const ref = passGate.remote(gate.pass(), 1);
    for (const timeout of [1, '1ms']) {
      await t.throwsAsync(get(ref, { timeout }), { code: 'MOBULA_GET_TIMEOUT' });
    }
    gate.open();
    t.is(await get(ref, { timeout: '1h' }), 1);
  },
);

testInBoth('any number of waits for one signal take one listener', async (t) => {
  const gate = new Gate(t);
  const ref = passGate.remote(gate.pass(), 1);
  const queue = new Queue<number>();
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = () => getEventListeners(signal, 'abort').length;
  const waits = Array.from({ length: 20 }, () => [get(ref, { signal }), queue.get({ signal })]);
  t.is(listeners(), 1);
  const reason = new Error('enough');
  controller.abort(reason);
  for (const wait of waits.flat()) await t.throwsAsync(wait, { is: reason });
  t.is(listeners(), 0);
  gate.open();
});

testInBoth('get rejects with the reason of its signal, and cancels nothing', async (t) => {
  const gate = new Gate(t);
  const ref = passGate.remote(gate.pass(), 1);
  const reason = new Error('enough');
  await t.throwsAsync(get(ref, { signal: AbortSignal.abort(reason) }), { is: reason });
  const controller = new AbortController();
  const getting = get([ref], { signal: controller.signal });
  controller.abort(reason);
  await t.throwsAsync(getting, { is: reason });
  gate.open();
  t.is(await ref, 1);
});

testInBoth('get refuses what is no ref and what is no option', async (t) => {
  const ref = put(1);
  const wrongType = { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' };
  for (const value of [undefined, null, 1, {}, Promise.resolve(1)]) {
    await t.throwsAsync(get(wrong<ObjectRef>(value)), wrongType);
    await t.throwsAsync(get([ref, wrong<ObjectRef>(value)]), wrongType);
  }
  await t.throwsAsync(get(ref, wrong(null)), wrongType);
  await t.throwsAsync(get(ref, { timeout: wrong({}) }), wrongType);
  await t.throwsAsync(get(ref, { signal: wrong({}) }), wrongType);
  for (const timeout of [-1, NaN, 'soon']) {
    await t.throwsAsync(get(ref, { timeout }), { instanceOf: RangeError });
  }
});

testInBoth('put of a ref is a TypeError', (t) => {
  t.throws(() => put(put(1)), { instanceOf: TypeError });
});

testInBoth('put of what cannot be cloned is a SerializationError that names its path', (t) => {
  const error = t.throws(() => put({ list: [1, { callback: () => 1 }] }), {
    code: 'MOBULA_SERIALIZATION',
  });
  t.regex(error.message, /list\[1\]\.callback/);
});

testInBoth('wait gives the first of those ready, in input order, and the rest', async (t) => {
  const gate = new Gate(t);
  const late = passGate.remote(gate.pass(), 1);
  const refs = [late, put(2), put(3)] as const;
  t.deepEqual(await wait(refs), { ready: [refs[1]], pending: [refs[0], refs[2]] });
  t.deepEqual(await wait(refs, { count: 2 }), { ready: [refs[1], refs[2]], pending: [late] });
  gate.open();
  t.deepEqual(await wait(refs, { count: 3 }), { ready: [...refs], pending: [] });
  t.deepEqual(await wait(refs, { count: 1 }), { ready: [late], pending: [refs[1], refs[2]] });
});

testInBoth('wait counts failed refs as ready', async (t) => {
  const gate = new Gate(t);
  const refs = [passGate.remote(gate.pass(), 1), fail.remote('failed')];
  t.deepEqual(await wait(refs), { ready: [refs[1]!], pending: [refs[0]!] });
  gate.open();
  await t.throwsAsync(refs[1]!.then());
});

testInBoth('wait returns what there is when the time is up; timeout 0 polls', async (t) => {
  const gate = new Gate(t);
  const pending = passGate.remote(gate.pass(), 1);
  const ready = put(1);
  for (const timeout of [0, 1, '1ms']) {
    t.deepEqual(await wait([pending, ready], { count: 2, timeout }), {
      ready: [ready],
      pending: [pending],
    });
  }
  gate.open();
  await pending;
});

testInBoth('wait rejects with the reason of its signal', async (t) => {
  const gate = new Gate(t);
  const ref = passGate.remote(gate.pass(), 1);
  const reason = new Error('enough');
  const controller = new AbortController();
  const waiting = wait([ref], { signal: controller.signal });
  controller.abort(reason);
  await t.throwsAsync(waiting, { is: reason });
  await t.throwsAsync(wait([ref], { signal: controller.signal }), { is: reason });
  gate.open();
  await ref;
});

testInBoth('wait takes duplicates, and no refs at all', async (t) => {
  const ref = add.remote(1, 1);
  t.deepEqual(await wait([ref, ref], { count: 2 }), { ready: [ref, ref], pending: [] });
  t.deepEqual(await wait([]), { ready: [], pending: [] });
});

testInBoth('wait refuses a count below 1 or above the number of refs', async (t) => {
  const refs = [put(1), put(2)];
  for (const count of [0, -1, 3, 1.5, NaN]) {
    await t.throwsAsync(wait(refs, { count }), { instanceOf: RangeError }, String(count));
  }
  await t.throwsAsync(wait(refs, { count: wrong('1') }), { instanceOf: TypeError });
  await t.throwsAsync(wait([], { count: 1 }), { instanceOf: RangeError, message: /no refs/ });
  await t.throwsAsync(wait(wrong<ObjectRef[]>(refs[0])), { instanceOf: TypeError });
  await t.throwsAsync(wait([wrong<ObjectRef>(1)]), { instanceOf: TypeError });
});

testInBoth('dispose of a ref gives its memory back, and leaves values already got', async (t) => {
  using store = runtimeStore();
  const before = store.stats().usedBytes;
  const ref = put('x'.repeat(100_000));
  t.true(store.stats().usedBytes >= before + 100_000);
  const got = await ref;
  ref[Symbol.dispose]();
  ref[Symbol.dispose]();
  t.is(store.stats().usedBytes, before);
  t.is(got.length, 100_000);
});

testInBoth('an array already got outlives its ref', async (t) => {
  const ref = put(new Float64Array(100_000).fill(2));
  const array = await ref;
  ref[Symbol.dispose]();
  collectGarbage();
  const others = Array.from({ length: 20 }, () => put(new Float64Array(100_000)));
  t.true(array.every((value) => value === 2));
  for (const other of others) other[Symbol.dispose]();
});

testInBoth('refs that nobody can reach any more give their memory back', async (t) => {
  using store = runtimeStore();
  await makeArray.remote(1, 1);
  await untilCollected('earlier tests have left nothing', () => store.stats().pinnedObjects === 0);
  const before = store.stats().usedBytes;
  await (async () => {
    for (let i = 0; i < 50; i++) put(new Uint8Array(10_000));
    await get(Array.from({ length: 10 }, () => makeArray.remote(10_000, 1)));
  })();
  await untilCollected('the objects are gone', () => store.stats().usedBytes <= before);
  t.pass();
});

testInBoth('a task whose ref is disposed runs all the same, and leaves nothing', async (t) => {
  using store = runtimeStore();
  const before = store.stats().objects;
  const gate = new Gate(t);
  const ref = passGate.remote(gate.pass(), 'x'.repeat(100_000));
  ref[Symbol.dispose]();
  await gate.arrived();
  gate.open();
  await until('its result has been dropped', () => store.stats().objects <= before);
  t.pass();
});

testInBoth('a failed ref that is never awaited does no harm', async (t) => {
  const gate = new Gate(t);
  failAtGate.remote(gate.pass(), 'nobody looks');
  gate.open();
  t.is(await add.remote(1, 1), 2);
});

runInBoth();
