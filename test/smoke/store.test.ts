/** The store in a nutshell, on every Node line. */
import test from 'ava';
import { ObjectStore } from 'mobula/store';
import { places, StoreAgent } from '../support/store-agent.js';
import { bytes, createStore, idOf, KiB, MiB } from '../support/stores.js';
import { collectGarbage, untilCollected } from '../support/until.js';
import { instantiate, RuntimeError } from '../support/wasm.js';

test('objects are put, created, got and deleted', (t) => {
  const store = createStore(t);
  const put = store.put(bytes(100, 1), { metadata: bytes(3, 9) });
  const writer = store.create(200);
  writer.data.fill(2);
  writer.seal();
  const view = store.get(put)!;
  t.true(view.data.buffer instanceof SharedArrayBuffer);
  t.deepEqual([...view.data], [...bytes(100, 1)]);
  t.deepEqual([...view.metadata], [9, 9, 9]);
  t.deepEqual([...store.get(writer.id)!.data], [...bytes(200, 2)]);
  t.true(store.delete(put));
  t.false(store.contains(put));
});

test('sixteen objects of 64 KiB fill a store of 1 MiB, and the next one evicts the oldest', (t) => {
  const evicted: string[] = [];
  const store = createStore(t, { onEvict: ({ id }) => evicted.push(id) });
  for (let i = 0; i < 17; i++) store.put(bytes(64 * KiB), { id: idOf(i) });
  t.deepEqual(evicted, [idOf(0)]);
});

test('views keep their objects, and give them back when they are released or collected', async (t) => {
  const store = createStore(t);
  const id = store.put(bytes(MiB, 4));
  (() => {
    const view = store.get(id)!;
    t.throws(() => store.put(bytes(1)), { code: 'MOBULA_STORE_FULL' });
    view.release();
    t.is(store.get(id)!.data[0], 4);
    t.is(store.stats().pinnedObjects, 1);
  })();
  await untilCollected('the view is gone', () => store.stats().pinnedObjects === 0);
  store.put(bytes(1));
  t.false(store.contains(id));
});

test('views stay readable after close', (t) => {
  const store = createStore(t);
  const view = store.get(store.put(bytes(64 * KiB, 3)))!;
  store.close();
  collectGarbage();
  t.true(view.data.every((byte) => byte === 3));
  t.throws(() => store.stats(), { code: 'MOBULA_STORE_CLOSED' });
});

test('WebAssembly accesses out of bounds are RuntimeErrors with a store open, as without', (t) => {
  const { load } = instantiate(() => undefined);
  t.throws(() => load(2 ** 31 - 1), { instanceOf: RuntimeError });
  createStore(t);
  for (let i = 0; i < 100; i++) {
    t.throws(() => load(64 * KiB * (i + 1)), { instanceOf: RuntimeError });
  }
  t.is(load(0), 0);
});

for (const place of places) {
  test(`another ${place} shares the store, and its end gives back what it held`, async (t) => {
    const store = createStore(t);
    const agent = StoreAgent.start(t, place, store.handle);
    const id = await agent.do('create', 4);
    const waiting = store.wait(id);
    await agent.do('write', id, Uint8Array.of(1, 2, 3, 4));
    await agent.do('seal', id);
    const view = await waiting;
    t.deepEqual([...view.data], [1, 2, 3, 4]);
    view.release();
    await agent.do('pin', id);
    await agent.do('hold', id);
    await agent.do('create', 5000);
    await agent.end();
    await untilCollected('all is given back', () => {
      const { pinnedObjects, unsealed } = store.stats();
      return pinnedObjects === 0 && unsealed === 0;
    });
    t.true(store.contains(id));
  });
}

test('wrong arguments are refused', (t) => {
  const store = createStore(t);
  t.throws(() => store.get('x'), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => store.put('text' as unknown as Uint8Array), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => ObjectStore.create({ memory: -1 }), { code: 'ERR_OUT_OF_RANGE' });
});
