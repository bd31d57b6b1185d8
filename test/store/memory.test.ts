import { once } from 'node:events';
import test from 'ava';
import { ObjectStore, type ObjectInfo } from 'mobula/store';
import { bytes, createStore, idOf, KiB, MiB, stateOf } from '../support/stores.js';

test('a fresh store of 1 MiB holds exactly sixteen objects of 64 KiB', (t) => {
  const store = createStore(t, { memory: '1MiB' });
  for (let i = 0; i < 16; i++) store.put(bytes(64 * KiB), { id: idOf(i) });
  t.like(store.stats(), { objects: 16, usedBytes: MiB, freeBytes: 0, evictions: 0 });
  store.put(bytes(64 * KiB), { id: idOf(16) });
  t.like(store.stats(), { objects: 16, usedBytes: MiB, evictions: 1, evictedBytes: 64 * KiB });
  t.false(store.contains(idOf(0)));
});

test('one object may fill the store to its last byte', (t) => {
  const store = createStore(t, { memory: 1000 * 64 });
  const id = store.put(bytes(1000 * 64));
  t.is(store.stats().freeBytes, 0);
  t.is(store.get(id)?.data.length, 1000 * 64);
});

test('an object weighs its data plus its metadata, rounded up to 64 bytes', (t) => {
  const store = createStore(t);
  const weighed = [
    [1, 0],
    [64, 0],
    [65, 0],
    [60, 4],
    [60, 5],
    [0, 1],
    [1000, 1000],
  ].map(([size, metadata]) => {
    const before = store.stats().usedBytes;
    store.put(bytes(size!), { metadata: bytes(metadata!) });
    return store.stats().usedBytes - before;
  });
  t.deepEqual(weighed, [64, 64, 128, 64, 128, 64, 2048]);
});

test('sizes can be given as strings of SI and IEC units', (t) => {
  t.is(createStore(t, { memory: '2MB' }).stats().memory, 2_000_000);
  t.is(createStore(t, { memory: '1.5 MiB' }).stats().memory, 1.5 * MiB);
});

test('an insertion evicts from the least recently used end until it fits, and no more', (t) => {
  const evicted: string[] = [];
  const store = createStore(t, { onEvict: ({ id }) => evicted.push(id) });
  for (let i = 0; i < 8; i++) store.put(bytes(128 * KiB), { id: idOf(i) });
  store.put(bytes(300 * KiB), { id: idOf(8) });
  t.deepEqual(evicted, [idOf(0), idOf(1), idOf(2)]);
});

test('get and pin count as uses, at the time they end; peek, contains and list do not', (t) => {
  const evicted: string[] = [];
  const store = createStore(t, { onEvict: ({ id }) => evicted.push(id) });
  for (let i = 0; i < 4; i++) store.put(bytes(256 * KiB), { id: idOf(i) });
  const view = store.get(idOf(0))!;
  store.pin(idOf(1));
  store.unpin(idOf(1));
  view.release();
  store.peek(idOf(2));
  store.contains(idOf(2));
  store.list();
  for (let i = 4; i < 8; i++) store.put(bytes(256 * KiB), { id: idOf(i) });
  t.deepEqual(evicted, [idOf(2), idOf(3), idOf(1), idOf(0)]);
});

test('pinned and viewed objects are not evicted and count against memory', (t) => {
  const store = createStore(t);
  store.put(bytes(256 * KiB), { id: idOf(0) });
  store.put(bytes(256 * KiB), { id: idOf(1) });
  store.pin(idOf(0));
  const view = store.get(idOf(1))!;
  for (let i = 2; i < 20; i++) store.put(bytes(256 * KiB), { id: idOf(i) });
  t.true(store.contains(idOf(0)));
  t.true(store.contains(idOf(1)));
  t.like(store.stats(), {
    objects: 4,
    usedBytes: MiB,
    pinnedObjects: 2,
    pinnedBytes: 512 * KiB,
    evictions: 16,
  });
  view.release();
});

test('n pins need n unpins', (t) => {
  const store = createStore(t);
  const id = store.put(bytes(MiB));
  for (let i = 0; i < 3; i++) t.true(store.pin(id));
  for (let i = 0; i < 3; i++) {
    t.throws(() => store.put(bytes(1)), { code: 'MOBULA_STORE_FULL' });
    t.true(store.unpin(id));
  }
  t.false(store.unpin(id));
  store.put(bytes(1));
  t.false(store.contains(id));
});

test('pin of an absent object and unpin of an object not pinned are false', (t) => {
  const store = createStore(t);
  t.false(store.pin(idOf(1)));
  t.false(store.unpin(idOf(1)));
  const id = store.put(bytes(1));
  t.false(store.unpin(id));
  t.is(store.stats().pinnedObjects, 0);
});

test('an object larger than the store is refused, and nothing is evicted or changed', (t) => {
  const store = createStore(t);
  for (let i = 0; i < 16; i++) store.put(bytes(64 * KiB));
  const before = stateOf(store);
  t.throws(() => store.put(bytes(MiB + 1)), { code: 'MOBULA_STORE_FULL' });
  t.throws(() => store.put(bytes(MiB), { metadata: bytes(1) }), { code: 'MOBULA_STORE_FULL' });
  t.throws(() => store.create(MiB + 1), { code: 'MOBULA_STORE_FULL' });
  t.throws(() => store.create(2 ** 52), { code: 'MOBULA_STORE_FULL' });
  t.deepEqual(stateOf(store), before);
});

test('an object that cannot fit beside what is pinned is refused, and nothing is evicted', (t) => {
  const store = createStore(t);
  store.put(bytes(400 * KiB), { id: idOf(1) });
  store.pin(idOf(1));
  store.put(bytes(200 * KiB));
  store.put(bytes(200 * KiB));
  const before = stateOf(store);
  t.throws(() => store.put(bytes(700 * KiB)), { code: 'MOBULA_STORE_FULL' });
  t.deepEqual(stateOf(store), before);
  store.unpin(idOf(1));
  store.put(bytes(700 * KiB));
});

test('objects being written count against memory and are not evicted', (t) => {
  const store = createStore(t);
  const writer = store.create(700 * KiB);
  t.like(store.stats(), { unsealed: 1, usedBytes: 700 * KiB });
  t.throws(() => store.put(bytes(400 * KiB)), { code: 'MOBULA_STORE_FULL' });
  t.is(store.evict(MiB), 0);
  writer.seal();
  store.put(bytes(400 * KiB));
  t.false(store.contains(writer.id));
});

test("eviction 'none' refuses what does not fit", (t) => {
  const store = createStore(t, { eviction: 'none' });
  const id = store.put(bytes(MiB));
  t.throws(() => store.put(bytes(1)), { code: 'MOBULA_STORE_FULL' });
  t.true(store.contains(id));
  store.delete(id);
  store.put(bytes(1));
});

test('a full object table evicts like full memory', (t) => {
  const evicted: string[] = [];
  const store = createStore(t, { maxObjects: 4, onEvict: ({ id }) => evicted.push(id) });
  for (let i = 0; i < 6; i++) store.put(bytes(1), { id: idOf(i) });
  t.deepEqual(evicted, [idOf(0), idOf(1)]);
  t.is(store.stats().objects, 4);
});

test('an object table full of objects in use refuses', (t) => {
  const store = createStore(t, { maxObjects: 4 });
  for (let i = 0; i < 4; i++) store.pin(store.put(bytes(1)));
  const before = stateOf(store);
  t.throws(() => store.put(bytes(1)), { code: 'MOBULA_STORE_FULL' });
  t.deepEqual(stateOf(store), before);
});

test('evict frees at least the bytes asked for, oldest first, and returns what it freed', (t) => {
  const evicted: string[] = [];
  const store = createStore(t, { onEvict: ({ id }) => evicted.push(id) });
  for (let i = 0; i < 4; i++) store.put(bytes(100 * KiB), { id: idOf(i) });
  store.pin(idOf(1));
  t.is(store.evict(0), 0);
  t.is(store.evict(1), 100 * KiB);
  t.is(store.evict(150 * KiB), 200 * KiB);
  t.is(store.evict(MiB), 0);
  t.deepEqual(evicted, [idOf(0), idOf(2), idOf(3)]);
});

test('onEvict tells what was evicted, after the evicting call has done its work', (t) => {
  const seen: { object: ObjectInfo; newcomerIsThere: boolean; victimIsThere: boolean }[] = [];
  const store = createStore(t, {
    onEvict: (object) => {
      const newcomerIsThere = store.contains(idOf(2));
      seen.push({ object, newcomerIsThere, victimIsThere: store.contains(object.id) });
    },
  });
  store.put(bytes(MiB - 64), { id: idOf(1), metadata: bytes(3) });
  const { createdAt } = store.peek(idOf(1))!;
  store.put(bytes(MiB), { id: idOf(2) });
  const object = { id: idOf(1), size: MiB - 64, state: 'sealed', pins: 0, createdAt } as const;
  t.deepEqual(seen, [{ object, newcomerIsThere: true, victimIsThere: false }]);
});

test('onEvict tells what this thread evicts through another instance', (t) => {
  const evicted: string[] = [];
  const store = createStore(t, { onEvict: ({ id }) => evicted.push(id) });
  const id = store.put(bytes(MiB));
  using other = ObjectStore.attach(store.handle);
  other.put(bytes(1));
  t.deepEqual(evicted, [id]);
});

test('onEvict may put, which may evict in turn', (t) => {
  const evicted: string[] = [];
  const store = createStore(t, {
    onEvict: ({ id }) => {
      evicted.push(id);
      if (evicted.length < 4) store.put(bytes(MiB), { id: idOf(10 + evicted.length) });
    },
  });
  store.put(bytes(MiB), { id: idOf(1) });
  store.put(bytes(MiB), { id: idOf(2) });
  t.deepEqual(evicted, [idOf(1), idOf(2), idOf(11), idOf(12)]);
  t.true(store.contains(idOf(13)));
});

test('what onEvict throws becomes a process warning, and the put succeeds', async (t) => {
  const store = createStore(t, {
    onEvict: () => {
      throw new Error('thrown by onEvict');
    },
  });
  store.put(bytes(MiB));
  const warned = once(process, 'warning');
  t.true(store.contains(store.put(bytes(MiB))));
  const [warning] = (await warned) as [Error];
  t.is(warning.message, 'thrown by onEvict');
});

test('the largest free block is the largest object that can be put with no eviction', (t) => {
  const store = createStore(t);
  store.put(bytes(300 * KiB));
  const { largestFreeBlock } = store.stats();
  t.is(largestFreeBlock, MiB - 300 * KiB);
  store.put(bytes(largestFreeBlock));
  t.is(store.stats().evictions, 0);
  store.put(bytes(1));
  t.is(store.stats().evictions, 1);
});

test('memory that deleted objects of mixed sizes leave is enough for others: no eviction', (t) => {
  const store = createStore(t, { memory: 4 * MiB });
  let seed = 12345;
  const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
  const live: { id: string; size: number }[] = [];
  let used = 0;
  for (let i = 0; i < 20_000; i++) {
    const size = 64 * (1 + random(1024));
    while (used + size > 4 * MiB) {
      const [victim] = live.splice(random(live.length), 1);
      store.delete(victim!.id);
      used -= victim!.size;
    }
    live.push({ id: store.put(bytes(size)), size });
    used += size;
  }
  t.like(store.stats(), { evictions: 0, usedBytes: used, objects: live.length });
});

test('stats count what was done', (t) => {
  const store = createStore(t);
  const id = store.put(bytes(100));
  store.create(200).seal();
  store.create(300);
  store.get(id);
  store.get(idOf(1));
  t.deepEqual(store.stats(), {
    memory: MiB,
    usedBytes: 704,
    freeBytes: MiB - 704,
    largestFreeBlock: MiB - 704,
    objects: 3,
    sealed: 2,
    unsealed: 1,
    pinnedObjects: 1,
    pinnedBytes: 128,
    puts: 2,
    gets: 2,
    hits: 1,
    misses: 1,
    evictions: 0,
    evictedBytes: 0,
    spilled: 0,
    spilledBytes: 0,
    restored: 0,
    restoredBytes: 0,
    clients: 1,
    reclaimedClients: 0,
    recoveries: 0,
    copiedViews: 0,
  });
});

test('memory can be committed ahead of use', (t) => {
  const store = createStore(t, { memory: '8MiB', prefault: '4MiB' });
  const id = store.put(bytes(6 * MiB, 3));
  t.true(store.get(id)!.data.every((byte) => byte === 3));
});

test('a refusal names the processes that pin, and how much', (t) => {
  const store = createStore(t);
  store.pin(store.put(bytes(MiB)));
  const error = t.throws(() => store.put(bytes(1)), { code: 'MOBULA_STORE_FULL' });
  t.regex(error.message, new RegExp(`process ${process.pid}: ${MiB} bytes in 1 objects`));
});

test('largestFreeBlock is what can be put with no eviction, and nothing larger', (t) => {
  const store = createStore(t, { memory: 1000 });
  t.is(store.stats().largestFreeBlock, 960);
  store.put(bytes(960));
  t.is(store.stats().largestFreeBlock, 0);
  const withOneRow = createStore(t, { maxObjects: 1 });
  withOneRow.put(bytes(1));
  t.is(withOneRow.stats().largestFreeBlock, 0);
});
