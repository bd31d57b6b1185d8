import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { ObjectStore } from 'mobula/store';
import { bytes, createStore, idOf, KiB, MiB } from '../support/stores.js';
import { StoreAgent } from '../support/store-agent.js';
import { collectGarbage, until, untilCollected } from '../support/until.js';

function pinnedObjects(store: ObjectStore): number {
  return store.stats().pinnedObjects;
}

test('each view is one hold, and views of one object share a buffer', (t) => {
  const store = createStore(t);
  const id = store.put(bytes(10));
  const first = store.get(id)!;
  const second = store.get(id)!;
  t.is(first.data.buffer, second.data.buffer);
  first.release();
  t.is(pinnedObjects(store), 1);
  second.release();
  t.is(pinnedObjects(store), 0);
});

test('release is idempotent', (t) => {
  const store = createStore(t);
  const id = store.put(bytes(10));
  const kept = store.get(id)!;
  const released = store.get(id)!;
  released.release();
  released.release();
  t.is(pinnedObjects(store), 1);
  kept.release();
});

test('the end of a block releases what it declared with using', (t) => {
  const store = createStore(t);
  const id = store.put(bytes(10));
  {
    using view = store.get(id);
    t.is(view?.data.length, 10);
    t.is(pinnedObjects(store), 1);
  }
  t.is(pinnedObjects(store), 0);
});

test('views stay readable after close', (t) => {
  const store = createStore(t);
  const view = store.get(store.put(bytes(64 * KiB, 3)))!;
  store.close();
  collectGarbage();
  t.true(view.data.every((byte) => byte === 3));
});

test('a view keeps its hold when its store is closed, and can be released then', (t) => {
  const store = createStore(t);
  const closed = ObjectStore.attach(store.handle);
  const id = store.put(bytes(MiB));
  const view = closed.get(id)!;
  closed.close();
  t.throws(() => store.put(bytes(1)), { code: 'MOBULA_STORE_FULL' });
  t.is(view.data[0], 1);
  view.release();
  view.release();
  t.is(pinnedObjects(store), 0);
});

test('releasing a view of a closed store leaves the views of later stores alone', (t) => {
  const first = ObjectStore.create({ memory: MiB });
  const old = first.get(first.put(bytes(10)))!;
  first.close();
  const store = createStore(t);
  const view = store.get(store.put(bytes(10)))!;
  old.release();
  t.is(pinnedObjects(store), 1);
  view.release();
});

test('views that nobody can reach any more are released by the garbage collector', async (t) => {
  const store = createStore(t);
  const ids = Array.from({ length: 16 }, () => store.put(bytes(64 * KiB)));
  (() => {
    for (const id of ids) t.is(store.get(id)?.data.length, 64 * KiB);
  })();
  await untilCollected('no view holds an object', () => pinnedObjects(store) === 0);
  store.put(bytes(MiB));
  t.is(store.stats().objects, 1);
});

test('an array derived from a view keeps the hold', async (t) => {
  const store = createStore(t);
  const id = store.put(bytes(MiB, 9));
  const derived = new DataView(store.get(id)!.data.subarray(100, 200).buffer, 100);
  await untilCollected('other garbage is gone', () => true);
  t.throws(() => store.put(bytes(1)), { code: 'MOBULA_STORE_FULL' });
  t.is(derived.getUint8(0), 9);
});

test('an object that was evicted and put anew is not mixed up with views of the old one', (t) => {
  const store = createStore(t);
  for (let round = 0; round < 50; round++) {
    const id = store.put(bytes(700 * KiB, round), { id: idOf(1) });
    using view = store.get(id);
    t.is(view?.data[700 * KiB - 1], round);
    store.delete(id);
  }
});

test('a view posted to a worker is shared, not copied', async (t) => {
  const store = createStore(t);
  const writer = store.create(4);
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     let bytes;
     parentPort.on('message', (message) => {
       if (message !== 'read') bytes = message;
       parentPort.postMessage([...bytes]);
     });`,
    { eval: true },
  );
  t.teardown(() => worker.terminate());
  worker.postMessage(writer.data);
  t.deepEqual(await once(worker, 'message'), [[0, 0, 0, 0]]);
  writer.data.set([1, 2, 3, 4]);
  worker.postMessage('read');
  t.deepEqual(await once(worker, 'message'), [[1, 2, 3, 4]]);
});

test('a view posted to a worker outlives the one it was posted from, and ends with the worker', async (t) => {
  const store = createStore(t);
  const agent = StoreAgent.start(t, 'thread', store.handle);
  const id = store.put(bytes(MiB, 5));
  await (() => agent.do('keep', store.get(id)!.data))();
  for (let i = 0; i < 3; i++) collectGarbage();
  t.throws(() => store.put(bytes(1)), { code: 'MOBULA_STORE_FULL' });

  await agent.end();
  await untilCollected('no view holds the object', () => pinnedObjects(store) === 0);
  store.put(bytes(1));
});

test('structuredClone of a view shares its memory', (t) => {
  const store = createStore(t);
  const writer = store.create(4);
  const clone = structuredClone(writer.data);
  writer.data.set([1, 2, 3, 4]);
  t.deepEqual([...clone], [1, 2, 3, 4]);
});

test('a view outlives the worker that got it, in the thread that it was posted to', async (t) => {
  const store = createStore(t);
  const id = store.put(bytes(MiB, 5));
  const worker = new Worker(new URL('../support/view-poster.js', import.meta.url), {
    workerData: { handle: store.handle, id },
  });
  const [data] = (await once(worker, 'message')) as [Uint8Array];
  await worker.terminate();
  collectGarbage();
  t.throws(() => store.put(bytes(1)), { code: 'MOBULA_STORE_FULL' });
  t.true(data.every((byte) => byte === 5));
});

test('the views of a terminated worker are given back', async (t) => {
  const store = createStore(t);
  const agent = StoreAgent.start(t, 'thread', store.handle);
  await agent.do('hold', store.put(bytes(100)));
  t.is(pinnedObjects(store), 1);
  await agent.end();
  await until('the hold is given back', () => pinnedObjects(store) === 0);
});
