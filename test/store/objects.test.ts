import test from 'ava';
import { bytes, createStore, idOf, KiB, stateOf } from '../support/stores.js';

test('put copies the bytes: a later write to the source does not show', (t) => {
  const store = createStore(t);
  const source = bytes(100, 7);
  const id = store.put(source);
  source.fill(8);
  t.deepEqual(store.get(id)?.data, bytes(100, 7) as Uint8Array<SharedArrayBuffer>);
});

test('put takes every kind of buffer and view, and of a view only its part', (t) => {
  const store = createStore(t);
  const buffer = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
  const shared = new SharedArrayBuffer(8);
  new Uint8Array(shared).set([1, 2, 3, 4, 5, 6, 7, 8]);
  const contents = [
    buffer,
    shared,
    new Uint8Array(buffer, 2, 3),
    new DataView(buffer, 2, 3),
    new Uint16Array(shared, 2, 2),
    new BigInt64Array(buffer),
    Buffer.from(buffer, 4),
  ].map((source) => [...store.get(store.put(source))!.data]);
  t.deepEqual(contents, [
    [1, 2, 3, 4, 5, 6, 7, 8],
    [1, 2, 3, 4, 5, 6, 7, 8],
    [3, 4, 5],
    [3, 4, 5],
    [3, 4, 5, 6],
    [1, 2, 3, 4, 5, 6, 7, 8],
    [5, 6, 7, 8],
  ]);
});

test('a view is a SharedArrayBuffer that covers exactly the object', (t) => {
  const store = createStore(t);
  store.put(bytes(100));
  const { data } = store.get(store.put(bytes(1001)))!;
  t.true(data.buffer instanceof SharedArrayBuffer);
  t.is(data.byteOffset, 0);
  t.is(data.buffer.byteLength, 1001);
});

test('objects get distinct ids of 32 lowercase hex digits', (t) => {
  const store = createStore(t);
  const ids = Array.from({ length: 100 }, () => store.put(bytes(1)));
  t.is(new Set(ids).size, 100);
  t.true(ids.every((id) => /^[0-9a-f]{32}$/.test(id)));
});

test('an object can be put under a chosen id', (t) => {
  const store = createStore(t);
  t.is(store.put(bytes(3, 9), { id: idOf(77) }), idOf(77));
  t.deepEqual([...store.get(idOf(77))!.data], [9, 9, 9]);
});

test('an id that is taken is ObjectExistsError, and the object stays as it was', (t) => {
  const store = createStore(t);
  store.put(bytes(3, 1), { id: idOf(1) });
  const writer = store.create(3, { id: idOf(2) });
  const before = stateOf(store);
  for (const id of [idOf(1), idOf(2)]) {
    t.throws(() => store.put(bytes(5, 2), { id }), { code: 'MOBULA_OBJECT_EXISTS' });
    t.throws(() => store.create(5, { id }), { code: 'MOBULA_OBJECT_EXISTS' });
  }
  t.deepEqual(stateOf(store), before);
  t.deepEqual([...store.get(idOf(1))!.data], [1, 1, 1]);
  writer.abort();
});

test('an object that is being written can be seen by nobody until it is sealed', (t) => {
  const store = createStore(t);
  const writer = store.create(4);
  writer.data.set([1, 2, 3, 4]);
  t.is(store.get(writer.id), undefined);
  t.false(store.contains(writer.id));
  t.false(store.pin(writer.id));
  t.is(store.peek(writer.id)?.state, 'created');

  t.is(writer.seal(), writer.id);
  t.deepEqual([...store.get(writer.id)!.data], [1, 2, 3, 4]);
  t.true(store.contains(writer.id));
  t.is(store.peek(writer.id)?.state, 'sealed');
});

test('a writer writes into shared memory of exactly the size asked for', (t) => {
  const store = createStore(t);
  const { data } = store.create(1001);
  t.true(data.buffer instanceof SharedArrayBuffer);
  t.is(data.length, 1001);
  t.is(data.buffer.byteLength, 1001);
});

test('abort gives back the memory and the id, once', (t) => {
  const store = createStore(t);
  const writer = store.create(1000, { id: idOf(1) });
  writer.abort();
  writer.abort();
  t.is(store.stats().usedBytes, 0);
  t.is(store.peek(idOf(1)), undefined);
  t.is(store.put(bytes(1), { id: idOf(1) }), idOf(1));
});

test('abort after seal does nothing', (t) => {
  const store = createStore(t);
  const writer = store.create(10);
  writer.seal();
  writer.abort();
  t.true(store.contains(writer.id));
});

test('a writer can be sealed once, and not after abort', (t) => {
  const store = createStore(t);
  const sealed = store.create(10);
  sealed.seal();
  t.throws(() => sealed.seal(), { code: 'MOBULA_OBJECT_NOT_SEALED' });
  const aborted = store.create(10);
  aborted.abort();
  t.throws(() => aborted.seal(), { code: 'MOBULA_OBJECT_NOT_SEALED' });
  t.is(store.stats().sealed, 1);
});

test('metadata is kept beside the data, and read as a private copy', (t) => {
  const store = createStore(t);
  const metadata = Uint8Array.from([1, 2, 3]);
  const put = store.put(bytes(5), { metadata });
  const writer = store.create(5, { metadata });
  metadata.fill(9);
  for (const id of [put, writer.seal()]) {
    const view = store.get(id)!;
    t.deepEqual([...view.metadata], [1, 2, 3]);
    t.is(view.data.length, 5);
    view.metadata.fill(0);
    t.deepEqual([...store.get(id)!.metadata], [1, 2, 3]);
  }
});

test('an object without metadata has empty metadata', (t) => {
  const store = createStore(t);
  t.is(store.get(store.put(bytes(5)))!.metadata.length, 0);
});

test('an empty object is an object like others, and weighs 64 bytes', (t) => {
  const store = createStore(t);
  const put = store.put(new Uint8Array(0));
  t.is(store.stats().usedBytes, 64);
  const writer = store.create(0);
  t.is(writer.data.length, 0);
  for (const id of [put, writer.seal()]) {
    const view = store.get(id)!;
    t.is(view.data.length, 0);
    t.true(view.data.buffer instanceof SharedArrayBuffer);
    view.release();
    t.true(store.delete(id));
  }
  t.is(store.stats().usedBytes, 0);
});

test('get, peek, contains and delete of an id that nobody has used find nothing', (t) => {
  const store = createStore(t);
  t.is(store.get(idOf(1)), undefined);
  t.is(store.peek(idOf(1)), undefined);
  t.false(store.contains(idOf(1)));
  t.false(store.delete(idOf(1)));
});

test('peek and list tell size without metadata, state, pins and time of creation', (t) => {
  const store = createStore(t);
  const id = store.put(bytes(100), { metadata: bytes(10) });
  const writer = store.create(200);
  store.pin(id);
  const info = store.peek(id)!;
  t.like(info, { id, size: 100, state: 'sealed', pins: 1 });
  t.is(new Date(info.createdAt).getFullYear(), new Date().getFullYear());
  t.like(store.peek(writer.id), { id: writer.id, size: 200, state: 'created', pins: 0 });
  t.deepEqual(
    store.list().sort((a, b) => a.size - b.size),
    [info, store.peek(writer.id)!],
  );
});

test('peek, contains and list count no hit and no miss; get does', (t) => {
  const store = createStore(t);
  const id = store.put(bytes(100));
  store.peek(id);
  store.contains(id);
  store.peek(idOf(1));
  store.contains(idOf(1));
  store.list();
  t.like(store.stats(), { gets: 0, hits: 0, misses: 0 });
  store.get(id);
  store.get(id);
  store.get(idOf(1));
  t.like(store.stats(), { gets: 3, hits: 2, misses: 1 });
});

test('delete gives the memory of an unused object back at once', (t) => {
  const store = createStore(t);
  const id = store.put(bytes(1000));
  t.true(store.delete(id));
  t.false(store.delete(id));
  t.like(store.stats(), { usedBytes: 0, objects: 0 });
});

test('an object deleted while in use is hidden at once and freed on the last release', (t) => {
  const store = createStore(t);
  const id = store.put(bytes(KiB, 1));
  const view = store.get(id)!;
  store.pin(id);

  t.true(store.delete(id));
  t.is(store.get(id), undefined);
  t.is(store.peek(id), undefined);
  t.deepEqual(store.list(), []);
  t.is(store.stats().usedBytes, KiB);
  t.is(view.data[KiB - 1], 1);

  view.release();
  t.is(store.stats().usedBytes, KiB);
  t.true(store.unpin(id));
  t.is(store.stats().usedBytes, 0);
});

test('the id of an object deleted while in use can be created anew', (t) => {
  const store = createStore(t);
  store.put(bytes(10, 1), { id: idOf(1) });
  const old = store.get(idOf(1))!;
  store.delete(idOf(1));
  store.put(bytes(20, 2), { id: idOf(1) });
  const anew = store.get(idOf(1))!;
  t.deepEqual([...old.data], [...bytes(10, 1)]);
  t.deepEqual([...anew.data], [...bytes(20, 2)]);
  old.release();
  t.is(anew.data[0], 2);
  t.true(store.contains(idOf(1)));
});

test('an object deleted while it is written is never seen, and freed by seal', (t) => {
  const store = createStore(t);
  const writer = store.create(1000);
  t.true(store.delete(writer.id));
  t.is(store.peek(writer.id), undefined);
  writer.data.fill(1);
  writer.seal();
  t.false(store.contains(writer.id));
  t.is(store.stats().usedBytes, 0);
});

test('an id that the store gives is not one that a user has given', (t) => {
  const store = createStore(t);
  const first = store.put(bytes(1));
  const next = (BigInt(`0x${first}`) + 1n).toString(16).padStart(32, '0');
  store.put(bytes(7), { id: next });
  t.not(store.put(bytes(1)), next);
  t.is(store.get(next)?.data.length, 7);
  t.is(store.stats().objects, store.list().length);
});
