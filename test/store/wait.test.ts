import test from 'ava';
import { bytes, createStore, idOf } from '../support/stores.js';
import { StoreAgent, places } from '../support/store-agent.js';

test('wait resolves at once for a sealed object', async (t) => {
  const store = createStore(t);
  const view = await store.wait(store.put(bytes(3, 5)));
  t.deepEqual([...view.data], [5, 5, 5]);
});

test('wait resolves when the object is put, with a hold on it', async (t) => {
  const store = createStore(t);
  const waiting = store.wait(idOf(1));
  store.put(bytes(3, 5), { id: idOf(1) });
  const view = await waiting;
  t.deepEqual([...view.data], [5, 5, 5]);
  t.is(store.stats().pinnedObjects, 1);
  view.release();
  t.is(store.stats().pinnedObjects, 0);
});

test('wait resolves when a writer seals, not before', async (t) => {
  const store = createStore(t);
  const writer = store.create(2);
  let settled = false;
  const waiting = store.wait(writer.id).finally(() => (settled = true));
  await t.throwsAsync(store.wait(writer.id, { timeout: 1 }), { code: 'MOBULA_GET_TIMEOUT' });
  t.false(settled);
  writer.data.set([1, 2]);
  writer.seal();
  t.deepEqual([...(await waiting).data], [1, 2]);
});

for (const place of places) {
  test(`wait resolves for what another ${place} seals, and the other way round`, async (t) => {
    const store = createStore(t);
    const agent = StoreAgent.start(t, place, store.handle);
    const id = await agent.do('create', 4);
    const waiting = store.wait(id);
    await agent.do('write', id, Uint8Array.of(1, 2, 3, 4));
    await agent.do('seal', id);
    t.deepEqual([...(await waiting).data], [1, 2, 3, 4]);

    const remote = agent.do('wait', idOf(1));
    store.put(bytes(2, 6), { id: idOf(1) });
    t.deepEqual([...(await remote)], [6, 6]);
  });
}

test('many waits on one object all resolve', async (t) => {
  const store = createStore(t);
  const waits = Array.from({ length: 100 }, () => store.wait(idOf(1)));
  store.put(bytes(1, 7), { id: idOf(1) });
  const views = await Promise.all(waits);
  t.true(views.every(({ data }) => data[0] === 7));
});

test('wait outlasts an aborted writer', async (t) => {
  const store = createStore(t);
  const first = store.create(1, { id: idOf(1) });
  const waiting = store.wait(idOf(1));
  first.abort();
  store.put(bytes(1, 2), { id: idOf(1) });
  t.is((await waiting).data[0], 2);
});

test('wait with timeout 0 polls', async (t) => {
  const store = createStore(t);
  await t.throwsAsync(store.wait(idOf(1), { timeout: 0 }), { code: 'MOBULA_GET_TIMEOUT' });
  store.put(bytes(1, 2), { id: idOf(1) });
  t.is((await store.wait(idOf(1), { timeout: 0 })).data[0], 2);
});

test('wait rejects with GetTimeoutError when the time is up, and the store goes on', async (t) => {
  const store = createStore(t);
  for (const timeout of [1, '1ms', '0.001s']) {
    await t.throwsAsync(store.wait(idOf(1), { timeout }), { code: 'MOBULA_GET_TIMEOUT' });
  }
  store.put(bytes(1), { id: idOf(1) });
  t.is((await store.wait(idOf(1))).data.length, 1);
});

test('wait rejects with the reason of its signal, aborted before or after the call', async (t) => {
  const store = createStore(t);
  const reason = new Error('enough');
  await t.throwsAsync(store.wait(idOf(1), { signal: AbortSignal.abort(reason) }), { is: reason });
  const controller = new AbortController();
  const waiting = store.wait(idOf(1), { signal: controller.signal });
  controller.abort(reason);
  await t.throwsAsync(waiting, { is: reason });
});

test('close rejects what waits with StoreClosedError', async (t) => {
  const store = createStore(t);
  const waits = [store.wait(idOf(1)), store.wait(idOf(2), { timeout: '1h' })];
  store.close();
  for (const waiting of waits) {
    await t.throwsAsync(waiting, { code: 'MOBULA_STORE_CLOSED' });
  }
});
