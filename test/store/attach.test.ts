import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { ObjectStore, type StoreHandle } from 'mobula/store';
import { places, StoreAgent } from '../support/store-agent.js';
import { bytes, createStore, idOf, KiB, MiB } from '../support/stores.js';
import { until, untilCollected } from '../support/until.js';

/** A name that no other test uses and that is gone after the test. */
function freshName(t: ExecutionContext): string {
  const name = `test-${randomUUID()}`;
  t.teardown(() => ObjectStore.unlink(name));
  return name;
}

for (const place of places) {
  test(`a ${place} that attaches by handle shares the objects`, async (t) => {
    const store = createStore(t);
    const agent = StoreAgent.start(t, place, store.handle);
    const here = store.put(bytes(100, 1));
    const there = await agent.do('put', bytes(100, 2));
    t.deepEqual(await agent.do('read', here), bytes(100, 1));
    t.deepEqual([...store.get(there)!.data], [...bytes(100, 2)]);
    t.is(store.stats().objects, 2);
  });

  test(`bytes written through the unsealed object of another ${place} are read here after sealing`, async (t) => {
    const store = createStore(t);
    const agent = StoreAgent.start(t, place, store.handle);
    const id = await agent.do('create', 64 * KiB);
    await agent.do('write', id, bytes(64 * KiB, 42));
    t.is(store.get(id), undefined);
    await agent.do('seal', id);
    t.true(store.get(id)!.data.every((byte) => byte === 42));
  });

  test(`what another ${place} pins is not evicted, and not for this one to unpin`, async (t) => {
    const store = createStore(t);
    const agent = StoreAgent.start(t, place, store.handle);
    const id = store.put(bytes(MiB));
    t.true(await agent.do('pin', id));
    t.false(store.unpin(id));
    t.throws(() => store.put(bytes(1)), { code: 'MOBULA_STORE_FULL' });
    t.true(await agent.do('unpin', id));
    store.put(bytes(1));
    t.false(store.contains(id));
  });

  test(`close in another ${place} gives back its pins and unsealed objects, and leaves the rest`, async (t) => {
    const store = createStore(t);
    const agent = StoreAgent.start(t, place, store.handle);
    const id = store.put(bytes(1000));
    await agent.do('pin', id);
    await agent.do('create', 5000);
    t.like(store.stats(), { pinnedObjects: 1, unsealed: 1 });
    await agent.do('close');
    t.like(store.stats(), { pinnedObjects: 0, unsealed: 0, sealed: 1, usedBytes: KiB });
  });

  test(`the end of a ${place} gives back its pins, views and unsealed objects`, async (t) => {
    const store = createStore(t);
    const agent = StoreAgent.start(t, place, store.handle);
    const pinned = store.put(bytes(1000));
    const viewed = store.put(bytes(1000));
    const put = await agent.do('put', bytes(1000));
    await agent.do('pin', pinned);
    await agent.do('hold', viewed);
    await agent.do('create', 5000);
    t.like(store.stats(), { pinnedObjects: 2, unsealed: 1 });
    await agent.end();
    await until('all is given back', () => {
      const { pinnedObjects, unsealed } = store.stats();
      return pinnedObjects === 0 && unsealed === 0;
    });
    t.like(store.stats(), { sealed: 3, usedBytes: 3 * KiB });
    t.true(store.contains(put));
  });
}

test('a handle is plain data', (t) => {
  const store = createStore(t);
  const handle = JSON.parse(JSON.stringify(store.handle)) as StoreHandle;
  const attached = ObjectStore.attach(handle);
  t.is(attached.put(bytes(1)).length, 32);
  attached.close();
});

test('the threads of a process are one client, other processes are others', async (t) => {
  const store = createStore(t);
  await StoreAgent.start(t, 'thread', store.handle).do('put', bytes(1));
  t.is(store.stats().clients, 1);
  const other = StoreAgent.start(t, 'process', store.handle);
  await other.do('put', bytes(1));
  t.is(store.stats().clients, 2);
  await other.end();
  await until('the client has gone', () => store.stats().clients === 1);
});

test('pins counts processes, not pins', async (t) => {
  const store = createStore(t);
  const id = store.put(bytes(1));
  const view = store.get(id)!;
  store.pin(id);
  const agent = StoreAgent.start(t, 'process', store.handle);
  await agent.do('pin', id);
  t.is(store.peek(id)?.pins, 2);
  view.release();
  t.is(store.peek(id)?.pins, 2);
  store.unpin(id);
  t.is(store.peek(id)?.pins, 1);
});

test('close ends the pins and writers of its own instance only', (t) => {
  const store = createStore(t);
  const other = ObjectStore.attach(store.handle);
  const id = store.put(bytes(1000));
  store.pin(id);
  other.pin(id);
  const writer = other.create(1000);
  other.close();
  other.close();
  t.like(store.stats(), { pinnedObjects: 1, unsealed: 0 });
  t.throws(() => writer.seal(), { code: 'MOBULA_OBJECT_NOT_SEALED' });
  writer.abort();
  t.true(store.unpin(id));
  t.is(store.stats().pinnedObjects, 0);
});

test('the end of a block closes a store declared with using', (t) => {
  const store = createStore(t);
  let attached: ObjectStore;
  {
    using inner = ObjectStore.attach(store.handle);
    inner.pin(inner.put(bytes(1)));
    attached = inner;
  }
  t.is(store.stats().pinnedObjects, 0);
  t.throws(() => attached.stats(), { code: 'MOBULA_STORE_CLOSED' });
});

test('a named store can be attached by a process that knows nothing but the name', async (t) => {
  const name = freshName(t);
  const store = createStore(t, { name });
  const id = store.put(bytes(10, 3));
  const agent = StoreAgent.startByName(t, name);
  t.deepEqual(await agent.do('read', id), bytes(10, 3));
});

test('a named store outlives the process that made it, until it is unlinked', async (t) => {
  const name = freshName(t);
  const creator = ObjectStore.create({ memory: MiB, name });
  const id = creator.put(bytes(10, 3));
  creator.close();
  const agent = StoreAgent.startByName(t, name);
  t.deepEqual(await agent.do('read', id), bytes(10, 3));
});

test('a name that is taken is refused', (t) => {
  const name = freshName(t);
  createStore(t, { name });
  t.throws(() => ObjectStore.create({ memory: MiB, name }), { code: 'MOBULA_OBJECT_EXISTS' });
});

test('unlink removes a name and leaves the store to those who have it open', (t) => {
  const name = freshName(t);
  const store = createStore(t, { name });
  const id = store.put(bytes(10));
  t.true(ObjectStore.unlink(name));
  t.false(ObjectStore.unlink(name));
  t.throws(() => ObjectStore.attach(name), { code: 'MOBULA_OBJECT_NOT_FOUND' });
  t.true(store.contains(id));
  const namesake = createStore(t, { name });
  t.false(namesake.contains(id));
});

test('a handle stays good after close', (t) => {
  const closed = ObjectStore.create({ memory: MiB });
  const { handle } = closed;
  const id = closed.put(bytes(100, 7));
  closed.close();
  const store = ObjectStore.attach(handle);
  t.teardown(() => store.close());
  t.deepEqual([...store.get(id)!.data], [...bytes(100, 7)]);
});

test('a handle whose process has ended, or never issued it, is refused', (t) => {
  const { handle } = createStore(t);
  const stale = [
    { ...handle, pid: spawnSync('true').pid, storeId: idOf(1) },
    { ...handle, fd: 100_000, storeId: idOf(1) },
    { ...handle, storeId: idOf(1) },
  ];
  for (const one of stale) {
    t.throws(() => ObjectStore.attach(one), { code: 'MOBULA_OBJECT_NOT_FOUND' });
  }
});

// Serial: other tests open stores too.
test.serial(
  'the memory of a closed store goes when its handle can be reached no more',
  async (t) => {
    const name = `test-${randomUUID()}`;
    const isOpen = () =>
      readdirSync('/proc/self/fd').some((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).includes(name);
        } catch {
          return false;
        }
      });
    (() => {
      const store = ObjectStore.create({ memory: MiB, name });
      t.is(store.handle, store.handle);
      ObjectStore.unlink(name);
      store.close();
    })();
    t.true(isOpen());
    await untilCollected('the file is closed', () => !isOpen());
  },
);
