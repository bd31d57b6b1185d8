import { createRequire } from 'node:module';
import type * as Arrow from 'apache-arrow';
import { type Table, tableFromArrays, vectorFromArray } from 'apache-arrow';
import { put, release, SerializationError } from 'mobula';
import { describe, look, lookAtTable, makeColumn, makeTable } from '../support/arrow.js';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import { echo } from '../support/tasks.js';

const MB = 1_000_000;
const CommonJs = createRequire(import.meta.url)('apache-arrow') as typeof Arrow;

function assorted(): Table {
  return tableFromArrays({
    number: Float64Array.from({ length: 300 }, (_, i) => i / 3),
    word: Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? null : `word ${i % 5}`)),
    big: BigInt64Array.from({ length: 300 }, (_, i) => BigInt(i) << 40n),
    day: Array.from({ length: 300 }, (_, i) => new Date(i * 86_400_000)),
    flag: Array.from({ length: 300 }, (_, i) => i % 2 === 0),
  });
}

testInBoth('a table goes to a task and comes back with all its columns', async (t) => {
  const table = assorted();
  for (const ref of [put(table), echo.remote(table), echo.remote(put(table))]) {
    const back = (await ref) as Table;
    t.is(back.constructor, table.constructor);
    t.deepEqual(back.toString(), table.toString());
    t.deepEqual(back.schema.toString(), table.schema.toString());
  }
});

testInBoth('a table that is part of a value, small or empty, is a table again', async (t) => {
  const tables = [makeColumn(0), makeColumn(2), makeColumn(5000)];
  const back = (await echo.remote({ tables, again: tables[0]! })) as {
    tables: Table[];
    again: Table;
  };
  t.deepEqual(
    back.tables.map(({ numRows }) => numRows),
    [0, 2, 5000],
  );
  t.is(back.again, back.tables[0]!);
});

testInBoth(
  'a table of 80 MB arrives in a task as views on shared memory, with no copy',
  async (t) => {
    using store = runtimeStore();
    using ref = put(makeColumn(10 * MB));
    const { usedBytes, puts } = store.stats();
    const seen = await lookAtTable.remote(ref);
    t.deepEqual(seen, {
      isTable: true,
      rows: 10 * MB,
      columns: ['x'],
      isShared: true,
      sum: 5 * MB,
    });
    t.true(store.stats().usedBytes - usedBytes < MB);
    t.true(store.stats().puts - puts < 5);
  },
);

testInBoth('a table that a task returns is on shared memory, until it is released', async (t) => {
  const ref = makeTable.remote(MB);
  const table = await ref;
  t.like(look(table), { isTable: true, isShared: true, sum: MB / 2 });
  using store = runtimeStore();
  t.is(store.peek(ref.id)?.pins, 1);
  release({ table });
  t.is(store.peek(ref.id)?.pins, 0);
});

testInBoth('record batches and vectors are values too', async (t) => {
  const [batch] = tableFromArrays({ x: new Int32Array(5) }).batches;
  const vector = vectorFromArray(['a', null, 'b']);
  t.deepEqual(await describe.remote(batch!, vector), { batch: 5, vector: ['a', null, 'b'] });
});

testInBoth(
  'a table of the CommonJS copy of the library arrives in an ES module as its own',
  async (t) => {
    const table = CommonJs.tableFromArrays({ x: new Float64Array(1000).fill(1) });
    t.like(await lookAtTable.remote(table as unknown as Table), { isTable: true, sum: 1000 });
  },
);

testInBoth('an object of a copy of the library that is not found is refused with its path', (t) => {
  const stranger = Object.create({ [Symbol.for('apache-arrow/Table')]: true }) as object;
  t.throws(() => put({ list: [stranger] }), {
    instanceOf: SerializationError,
    message: /value\.list\[0\] is .* apache-arrow/,
  });
});

runInBoth();
