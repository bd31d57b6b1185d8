import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { ObjectStore } from 'mobula/store';
import { bytes, idOf, KiB } from '../support/stores.js';

const rounds = 300;
const storeIdAt = 24;

function fileOf(name: string): string {
  return `/dev/shm/mobula-${name}`;
}

const recognisable = 'c3'.repeat(16);

/** The file of a named store that was closed with objects in it. */
function savedStore(t: ExecutionContext): Buffer {
  const name = `test-${randomUUID()}`;
  t.teardown(() => ObjectStore.unlink(name));
  using store = ObjectStore.create({ name, memory: 64 * KiB, maxObjects: 32 });
  for (let i = 1; i <= 8; i++) store.put(bytes(i * KiB, i), { id: idOf(i) });
  store.delete(idOf(4));
  store.put(bytes(KiB, 9), { id: recognisable });
  return readFileSync(fileOf(name));
}

/** Attaches to a store whose file holds `content`, does `work` with it and removes it. */
function withStore(content: Buffer, work: (store: ObjectStore) => void): void {
  const name = `test-${randomUUID()}`;
  randomBytes(16).copy(content, storeIdAt);
  writeFileSync(fileOf(name), content, { mode: 0o600 });
  try {
    using store = ObjectStore.attach(name);
    work(store);
  } finally {
    ObjectStore.unlink(name);
  }
}

const calls: ((store: ObjectStore, id: string) => unknown)[] = [
  (store) => store.put(bytes(5 * KiB)),
  (store, id) => {
    using view = store.get(id);
    return view?.data.reduce((sum, byte) => sum + byte, 0);
  },
  (store, id) => store.pin(id) && store.unpin(id),
  (store, id) => store.peek(id),
  (store, id) => store.contains(id),
  (store, id) => store.delete(id),
  (store) => {
    store.create(KiB).abort();
  },
  (store) => store.evict(4 * KiB),
  (store) => store.list(),
  (store) => store.stats(),
  (store) => store.check(),
];

function outcome(call: () => unknown): string {
  try {
    call();
    return 'worked';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

test('whatever bytes of a store are flipped, attaching and every call work or throw an error with a code', (t) => {
  const saved = savedStore(t);
  const control = saved.length - 1_310_720; // all but the data area, two times the memory and a MiB and more
  let state = 4711;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  };
  for (let round = 0; round < rounds; round++) {
    const content = Buffer.from(saved);
    for (let flips = random(40); flips >= 0; flips--) {
      content[random(random(2) === 0 ? 4 * KiB : control)]! ^= 1 << random(8);
    }
    const seen = outcome(() => {
      withStore(content, (store) => {
        for (let i = 0; i < 20; i++) {
          const call = calls[random(calls.length)]!;
          const result = outcome(() => call(store, idOf(1 + random(9))));
          t.regex(result, /^(worked|MOBULA_\w+)$/, `round ${String(round)}`);
        }
      });
    });
    t.regex(seen, /^(worked|MOBULA_\w+)$/, `round ${String(round)}`);
  }
});

test('a store whose header was overwritten is refused as corrupt', (t) => {
  const content = savedStore(t);
  content.fill(0xff, 88, 200);
  t.throws(
    () => {
      withStore(content, () => undefined);
    },
    { code: 'MOBULA_STORE_CORRUPT', message: /create a new store/ },
  );
});

test('what is damaged in a store is refused as corrupt, and the rest can still be read', (t) => {
  const content = savedStore(t);
  const entry = content.indexOf(Buffer.from(recognisable, 'hex'));
  content.writeUInt32LE(0x77777777, entry + 100); // its block
  withStore(content, (store) => {
    t.throws(() => store.get(recognisable), { code: 'MOBULA_STORE_CORRUPT' });
    t.false(store.check().ok);
    t.deepEqual([...store.get(idOf(2))!.data], [...bytes(2 * KiB, 2)]);
  });
});
