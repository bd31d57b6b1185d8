import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { ObjectStore, type StoreOptions } from 'mobula/store';
import { Command, type Outcome } from '../support/command.js';
import { bytes, createStore, KiB, MiB } from '../support/stores.js';

const fixtures = 'test/process/fixtures';
const advice = ' read-only: copy it first, for example with data.slice()\n';

/** What becomes of a process that writes to one of a named store's many objects in some way. */
async function strayWrite(
  t: ExecutionContext,
  way: string,
  options: Partial<StoreOptions> = {},
): Promise<{ outcome: Outcome; store: ObjectStore; id: string }> {
  const name = `test-${randomUUID()}`;
  t.teardown(() => ObjectStore.unlink(name));
  const store = createStore(t, { name, ...options });
  for (let i = 0; i < 10; i++) store.put(bytes(1000, i));
  const id = store.put(bytes(1000, 7));
  for (let i = 0; i < 10; i++) store.put(bytes(1000, i));
  await using command = await Command.start(`${fixtures}/stray-write.js`, () => [name, id, way]);
  return { outcome: await command.outcome, store, id };
}

async function outcomeOf(script: string, ...args: string[]): Promise<Outcome> {
  await using command = await Command.start(`${fixtures}/${script}.js`, () => args);
  return await command.outcome;
}

// Where the write is seen first; what copies in its own order may begin anywhere.
const ways = {
  element: 3,
  'element far in': 999,
  DataView: 3,
  'a subarray': 3,
  Atomics: 3,
  'a function that WebAssembly calls': 3,
  'element in a worker': 3,
  Buffer: '\\d+',
  'TypedArray.set': '\\d+',
  fill: '\\d+',
  'a native function': '\\d+',
  'TypedArray.set in a worker': '\\d+',
};

for (const [way, offset] of Object.entries(ways)) {
  test(`a stray write through a view ends the process and names the object [${way}]`, async (t) => {
    const { outcome, store, id } = await strayWrite(t, way);
    t.is(outcome.signal, 'SIGSEGV');
    t.is(outcome.stdout, '7\n');
    const what = `the sealed object ${id} \\(offset ${offset} of 1000 bytes\\)`;
    t.regex(outcome.stderr, new RegExp(`^mobula: a write to ${what} through a view, which is `));
    t.true(outcome.stderr.endsWith(advice));
    t.deepEqual([...store.get(id)!.data], [...bytes(1000, 7)]);
  });
}

test('without guard a write through a view goes through', async (t) => {
  const { outcome, store, id } = await strayWrite(t, 'element', { guard: false });
  t.like(outcome, { code: 0, stdout: '7\nstill alive\n', stderr: '' });
  t.is(store.get(id)!.data[3], 99);
});

for (const place of ['store', 'runtime']) {
  test(`a write after the seal of 64 KiB or more ends the process [${place}]`, async (t) => {
    const { signal, stdout, stderr } = await outcomeOf('stale-writer', place, String(100 * KiB));
    t.is(signal, 'SIGSEGV');
    const [, id] = /^([0-9a-f]{32}) 7\n$/.exec(stdout)!;
    const [, named] = /^mobula: a write to the sealed object (\w+) \(offset \d+ of/.exec(stderr)!;
    t.is(named, id);
    t.regex(stderr, / through its writer, which is read-only since seal\(\): copy it first, /);
  });
}

test('a task in a thread that writes to its argument ends the application', async (t) => {
  const { signal, stdout, stderr } = await outcomeOf('stray-task', 'thread');
  t.is(signal, 'SIGSEGV');
  t.regex(stderr, new RegExp(`^mobula: a write to the sealed object ${stdout.trim()} `));
});

test('a task in a process that writes to its argument ends that process', async (t) => {
  const { code, stdout, stderr } = await outcomeOf('stray-task', 'process');
  t.is(code, 0);
  const [id, ...rest] = stdout.split('\n');
  t.deepEqual(rest, ['true', '0', '']);
  t.true(stderr.includes(`mobula: a write to the sealed object ${id} `));
});

test('a system call that writes through a view fails with EFAULT, and the process lives', (t) => {
  const store = createStore(t);
  using view = store.get(store.put(bytes(1000, 7)))!;
  const file = openSync('/dev/zero', 'r');
  t.teardown(() => closeSync(file));
  t.throws(() => readSync(file, view.data), { code: 'EFAULT' });
  t.deepEqual([...view.data], [...bytes(1000, 7)]);
});

test('memory of sealed objects is there for new ones once they are gone', (t) => {
  const store = createStore(t, { memory: MiB });
  const create = (size: number, value: number): string => {
    const writer = store.create(size);
    writer.data.fill(value);
    return writer.seal();
  };
  for (let round = 0; round < 100; round++) {
    const ids = [
      create(300 * KiB + round, round),
      store.put(bytes(200 * KiB, round)),
      create(64 * KiB, round),
      store.put(bytes(100, round)),
    ];
    store.create(150 * KiB).abort();
    for (const id of ids) {
      using view = store.get(id)!;
      t.true(view.data.every((byte) => byte === round));
    }
    for (const id of ids.slice(round % 4)) store.delete(id);
  }
});
