import { readFileSync } from 'node:fs';
import test from 'ava';
import { tableFromIPC } from 'apache-arrow';
import { put } from 'mobula';
import { ObjectStore } from 'mobula/store';
import { bundledFile, storeFile, storeStream, streamChunks } from '../../examples/arrow/stores.js';
import {
  columnsOf,
  delaysOf,
  isIn,
  storedDelaysOf,
  type Flights,
} from '../../examples/arrow/tasks.js';
import { Command } from '../support/command.js';
import { runInBoth, testInBoth } from '../support/runtime.js';

const flights: Flights = tableFromIPC(readFileSync(bundledFile()));
const { flights: count, minutes } = delaysOf(flights, 6, 12);

for (const [way, fill] of Object.entries({
  'file read': (store: ObjectStore) => storeFile(store, bundledFile()),
  'stream written': (store: ObjectStore) => storeStream(store, flights),
})) {
  test(`the columns of a ${way} into the store are views on its object`, async (t) => {
    using store = ObjectStore.create({ memory: '4MiB' });
    using object = store.get(await fill(store))!;
    const table: Flights = tableFromIPC(object.data);
    t.is(columnsOf(table).length, 3);
    t.true(columnsOf(table).every((column) => isIn(column, object.data)));
    t.like(delaysOf(table, 6, 12), { flights: count, minutes });
  });
}

test('the chunks of a stream are the columns, not copies of them', async (t) => {
  const chunks = await streamChunks(flights);
  for (const column of columnsOf(flights)) t.true(chunks.some((chunk) => isIn(chunk, column)));
});

testInBoth('tasks find what a plain computation finds, on shared memory', async (t) => {
  const expected = { flights: count, minutes, isShared: true };
  using table = put(flights);
  t.deepEqual(await delaysOf.remote(table, 6, 12), expected);
  using store = ObjectStore.create({ memory: '4MiB' });
  const id = storeFile(store, bundledFile());
  t.deepEqual(await storedDelaysOf.remote(store.handle, id, 6, 12), expected);
});

testInBoth('a table that was put is one buffer, however often it is read', async (t) => {
  using ref = put(flights);
  const [one, other] = [await ref, await ref].map(columnsOf);
  t.true(one!.every((column) => column.buffer instanceof SharedArrayBuffer));
  t.true([...one!, ...other!].every((column) => isIn(column, one![0]!)));
});

test.serial('the example says that no task has copied a column', async (t) => {
  await using command = await Command.start('examples/arrow/main.js');
  const { code, stdout, stderr } = await command.outcome;
  t.is(stderr, '');
  t.is(stdout.match(/; 4 of 4 tasks had their columns in shared memory\n/g)?.length, 3, stdout);
  t.is(code, 0);
  t.deepEqual(await command.remains(5000), { processes: [], files: [] });
});

runInBoth();
