import test from 'ava';
import { ObjectStore, type PutOptions, type StoreHandle, type StoreOptions } from 'mobula/store';
import { bytes, createStore, idOf, MiB, stateOf } from '../support/stores.js';
import { wrong } from '../support/wrong.js';

const wrongType = { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' };
const outOfRange = { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' };
const closed = { code: 'MOBULA_STORE_CLOSED' };

function detached(): Uint8Array {
  const array = bytes(8);
  structuredClone(array, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}

/** ES2024, which Node 20 has. */
const Resizable = ArrayBuffer as unknown as new (
  length: number,
  options: { maxByteLength: number },
) => ArrayBuffer & { resize(length: number): void };

const notIds = ['', 'abc', 'g'.repeat(32), 'A'.repeat(32), `${idOf(1)}0`, ` ${idOf(1)}`];
const notStrings = [undefined, null, 7, {}, [], Symbol('id'), 1n];
const notCounts = [-1, 0.5, NaN, Infinity, 2 ** 60];
const notNumbers = [undefined, null, '7', {}, 1n];

type ById = 'get' | 'peek' | 'contains' | 'pin' | 'unpin' | 'delete';

for (const method of ['get', 'peek', 'contains', 'pin', 'unpin', 'delete'] as ById[]) {
  test(`${method} refuses what is not an object id, and changes nothing`, (t) => {
    const store = createStore(t);
    store.pin(store.put(bytes(10)));
    const before = stateOf(store);
    for (const id of notIds) t.throws(() => store[method](id), outOfRange, id);
    for (const id of notStrings) t.throws(() => store[method](wrong(id)), wrongType, typeof id);
    t.deepEqual(stateOf(store), before);
  });
}

test('wait refuses what is not an object id', async (t) => {
  const store = createStore(t);
  for (const id of notIds) await t.throwsAsync(store.wait(id), outOfRange, id);
  for (const id of notStrings) await t.throwsAsync(store.wait(wrong(id)), wrongType, typeof id);
});

test('wait refuses wrong time-outs and signals', async (t) => {
  const store = createStore(t);
  const id = store.put(bytes(1));
  for (const timeout of [-1, NaN, '5', '5 parsecs', '']) {
    await t.throwsAsync(store.wait(id, { timeout }), outOfRange, String(timeout));
  }
  await t.throwsAsync(store.wait(id, { timeout: wrong(null) }), wrongType);
  await t.throwsAsync(store.wait(id, { signal: wrong({}) }), wrongType);
  await t.throwsAsync(store.wait(id, wrong(null)), wrongType);
  t.is(store.stats().pinnedObjects, 0);
});

test('create refuses wrong sizes, and changes nothing', (t) => {
  const store = createStore(t);
  const before = stateOf(store);
  for (const size of notCounts) t.throws(() => store.create(size), outOfRange, String(size));
  for (const size of notNumbers) t.throws(() => store.create(wrong(size)), wrongType, typeof size);
  t.deepEqual(stateOf(store), before);
});

test('evict refuses wrong sizes, and changes nothing', (t) => {
  const store = createStore(t);
  store.put(bytes(10));
  const before = stateOf(store);
  for (const size of notCounts) t.throws(() => store.evict(size), outOfRange, String(size));
  for (const size of notNumbers) t.throws(() => store.evict(wrong(size)), wrongType, typeof size);
  t.deepEqual(stateOf(store), before);
});

test('put refuses what is no buffer, and changes nothing', (t) => {
  const store = createStore(t);
  const before = stateOf(store);
  for (const value of [undefined, null, 'text', 7, [1, 2], {}, new Map()]) {
    t.throws(() => store.put(wrong(value)), wrongType);
  }
  t.deepEqual(stateOf(store), before);
});

test('put refuses detached buffers, and changes nothing', (t) => {
  const store = createStore(t);
  const before = stateOf(store);
  t.throws(() => store.put(detached()), { instanceOf: TypeError });
  t.throws(() => store.put(detached().buffer), { instanceOf: TypeError });
  t.throws(() => store.put(bytes(1), { metadata: detached() }), { instanceOf: TypeError });
  t.deepEqual(stateOf(store), before);
});

test('put refuses a view of a buffer that has shrunk, and changes nothing', (t) => {
  const store = createStore(t);
  const before = stateOf(store);
  const buffer = new Resizable(16, { maxByteLength: 16 });
  const views = [
    new Uint8Array(buffer, 8),
    new DataView(buffer, 8, 8),
    new Float64Array(buffer, 8),
  ];
  buffer.resize(4);
  for (const view of views) t.throws(() => store.put(view), wrongType);
  t.throws(() => store.put(bytes(1), { metadata: views[0] as Uint8Array }), wrongType);
  t.is(store.put(new Uint8Array(buffer)).length, 32);
  store.evict(MiB);
  t.like(store.stats(), { objects: (before as { stats: { objects: number } }).stats.objects });
});

test('put and create refuse wrong options, and change nothing', (t) => {
  const store = createStore(t);
  const before = stateOf(store);
  const calls: ((options: PutOptions) => unknown)[] = [
    (options) => store.put(bytes(1), options),
    (options) => store.create(1, options),
  ];
  for (const call of calls) {
    for (const id of notIds) t.throws(() => call({ id }), outOfRange, id);
    for (const id of [null, 7, {}]) t.throws(() => call({ id: wrong(id) }), wrongType);
    for (const metadata of ['text', [1], new ArrayBuffer(1), null]) {
      t.throws(() => call({ metadata: wrong(metadata) }), wrongType);
    }
    for (const options of [null, 7, 'text']) t.throws(() => call(wrong(options)), wrongType);
  }
  t.deepEqual(stateOf(store), before);
});

test('ObjectStore.create refuses wrong options', (t) => {
  const create = (options: Record<string, unknown>) =>
    ObjectStore.create(wrong<StoreOptions>({ memory: MiB, ...options }));
  for (const memory of [-1, 0, 63, 0.5, NaN, Infinity, 2 ** 60, 'lots', '5 XB', '-1MB', '']) {
    t.throws(() => create({ memory }), outOfRange, String(memory));
  }
  for (const memory of [undefined, null, {}, 1n]) t.throws(() => create({ memory }), wrongType);
  for (const maxObjects of [0, -1, 1.5, NaN, 2 ** 40]) {
    t.throws(() => create({ maxObjects }), outOfRange, String(maxObjects));
  }
  t.throws(() => create({ maxObjects: '10' }), wrongType);
  for (const name of ['', '.', '../up', 'a/b', 'a\0b', 'ä', 'a'.repeat(300)]) {
    t.throws(() => create({ name }), outOfRange, name);
  }
  t.throws(() => create({ name: 7 }), wrongType);
  t.throws(() => create({ eviction: 'lru' }), outOfRange);
  t.throws(() => create({ eviction: 1 }), wrongType);
  t.throws(() => create({ guard: 'yes' }), wrongType);
  t.throws(() => create({ onEvict: {} }), wrongType);
  for (const prefault of [-1, 0.5, NaN, 'much']) t.throws(() => create({ prefault }), outOfRange);
  t.throws(() => create({ prefault: true }), wrongType);
  t.throws(() => create({ evict: 'clru' }), { instanceOf: TypeError });
  for (const options of [undefined, null, MiB, '1MiB']) {
    t.throws(() => ObjectStore.create(wrong(options)), wrongType);
  }
});

test('attach refuses what is neither a name nor a handle', (t) => {
  const { handle } = createStore(t);
  const attach = (changes: Record<string, unknown>) =>
    ObjectStore.attach(wrong<StoreHandle>({ ...handle, ...changes }));
  for (const target of [undefined, null, 7]) {
    t.throws(() => ObjectStore.attach(wrong(target)), wrongType);
  }
  t.throws(() => ObjectStore.attach(wrong({})), wrongType);
  for (const pid of [0, -1, 0.5, NaN]) t.throws(() => attach({ pid }), outOfRange, String(pid));
  for (const fd of [-1, 0.5, NaN]) t.throws(() => attach({ fd }), outOfRange, String(fd));
  for (const storeId of notIds) t.throws(() => attach({ storeId }), outOfRange, storeId);
  for (const storeId of notStrings) t.throws(() => attach({ storeId }), wrongType);
  t.throws(() => ObjectStore.attach('../up'), outOfRange);
  t.throws(() => ObjectStore.attach('no-such-store'), { code: 'MOBULA_OBJECT_NOT_FOUND' });
  t.throws(() => attach({ storeId: idOf(1) }), { code: 'MOBULA_OBJECT_NOT_FOUND' });
});

test('attach refuses a file that is no store', (t) => {
  const target = { pid: process.pid, fd: 0, storeId: idOf(1) };
  const error = t.throws(() => ObjectStore.attach(target));
  t.regex((error as NodeJS.ErrnoException).code!, /^MOBULA_/);
});

test('unlink refuses what is no name', (t) => {
  for (const name of ['', '../up', 'a/b']) t.throws(() => ObjectStore.unlink(name), outOfRange);
  t.throws(() => ObjectStore.unlink(wrong(7)), wrongType);
});

test('every use after close is StoreClosedError', async (t) => {
  const store = createStore(t);
  const id = store.put(bytes(1));
  store.close();
  const uses = [
    () => store.put(bytes(1)),
    () => store.create(1),
    () => store.get(id),
    () => store.peek(id),
    () => store.contains(id),
    () => store.pin(id),
    () => store.unpin(id),
    () => store.delete(id),
    () => store.evict(1),
    () => store.list(),
    () => store.stats(),
    () => store.check(),
    () => store.handle,
  ];
  for (const use of uses) t.throws(use, closed, String(use));
  await t.throwsAsync(store.wait(id), closed);
});

test('wrong arguments after close are refused too, and end nothing', (t) => {
  const store = createStore(t);
  store.close();
  t.throws(() => store.get(wrong(7)));
  t.throws(() => store.put(wrong(7)));
  t.notThrows(() => store.close());
});
