import '../support/refusing-buffers.js';
import test from 'ava';
import { ObjectStore } from 'mobula/store';
import { bytes, createStore, MiB } from '../support/stores.js';
import { untilCollected } from '../support/until.js';

test('where external buffers are refused a view is a copy, which stats count', (t) => {
  const store = createStore(t);
  const id = store.put(bytes(1000, 3));
  t.is(store.stats().copiedViews, 0);
  using view = store.get(id)!;
  t.deepEqual(view.data, bytes(1000, 3));
  t.true(view.data.buffer instanceof SharedArrayBuffer);
  t.is(store.stats().copiedViews, 1);
  view.data.fill(4);
  using other = ObjectStore.attach(store.handle);
  using object = other.get(id)!;
  t.deepEqual(object.data, bytes(1000, 3));
});

test('views of one object share a copy', (t) => {
  const store = createStore(t);
  const id = store.put(bytes(10));
  using first = store.get(id)!;
  using second = store.get(id)!;
  t.is(first.data.buffer, second.data.buffer);
  t.is(store.stats().copiedViews, 1);
});

test('an object is what its writer had when it was sealed', (t) => {
  const store = createStore(t);
  const writer = store.create(1000, { metadata: bytes(3, 9) });
  writer.data.fill(5);
  const id = writer.seal();
  writer.data.fill(6);
  using view = store.get(id)!;
  t.deepEqual(view.data, bytes(1000, 5));
  t.deepEqual(view.metadata, bytes(3, 9));
});

test('an empty object can be written and read', (t) => {
  const store = createStore(t);
  using view = store.get(store.create(0).seal())!;
  t.is(view.data.length, 0);
});

test('an aborted writer leaves no object', (t) => {
  const store = createStore(t);
  const writer = store.create(1000);
  writer.data.fill(5);
  writer.abort();
  t.is(store.stats().objects, 0);
  t.is(store.get(writer.id), undefined);
});

test('a copy holds its object until it is collected', async (t) => {
  const store = createStore(t);
  const id = store.put(bytes(MiB));
  t.is(store.get(id)!.data[MiB - 1], 1);
  t.is(store.stats().pinnedObjects, 1);
  await untilCollected('the hold has ended', () => store.stats().pinnedObjects === 0);
});

test('a copy outlives its store', (t) => {
  const store = createStore(t);
  const { data } = store.get(store.put(bytes(1000, 7)))!;
  store.close();
  t.deepEqual(data, bytes(1000, 7));
});
