import test from 'ava';
import { bundledFile } from '../../examples/flights/columns.js';
import { decode, delaysOver, openFile } from '../../examples/parquet/tasks.js';
import { Command } from '../support/command.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { isSealedInPlace } from '../support/sealing.js';

const rows = { rowStart: 0, rowEnd: 50_000 };
const BYTES = 100_000;

testInBoth('a decoded column is sealed where it was written', async (t) => {
  t.true(isSealedInPlace(await decode(bundledFile(), 'delay', rows)));
});

testInBoth('a column that a task has decoded is one shared buffer for who reads it', async (t) => {
  using ref = decode.remote(bundledFile(), 'delay', rows);
  const [one, other] = [await ref, await ref];
  t.is(one.length, 50_000);
  t.true(one.buffer instanceof SharedArrayBuffer);
  t.is(other.buffer, one.buffer);
});

testInBoth('tasks find on shared columns what the file says', async (t) => {
  const delays = decode.remote(bundledFile(), 'delay', rows);
  const distances = decode.remote(bundledFile(), 'distance', rows);
  const { flights, minutes, shared } = await delaysOver.remote(delays, distances, 500, 1000);
  const scan = await openFile(bundledFile());
  const [delay, distance] = await Promise.all(
    ['delay', 'distance'].map((column) => scan.readColumn({ column, ...rows })),
  );
  const expected = Array.from(delay!, Number).filter((_, row) => {
    const miles = Number(distance![row]);
    return miles >= 500 && miles < 1000;
  });
  t.is(flights, expected.length);
  t.is(
    minutes,
    expected.reduce((sum, late) => sum + late, 0),
  );
  t.is(shared, 2 * BYTES);
});

test.serial('the example reads all that it has written four times in place', async (t) => {
  await using command = await Command.start('examples/parquet/main.js');
  const { code, stdout, stderr } = await command.outcome;
  t.is(stderr, '');
  t.regex(stdout, /22 tasks wrote 12 MB; others read 48 MB in place\n$/);
  t.is(code, 0);
  t.deepEqual(await command.remains(5000), { processes: [], files: [] });
});

runInBoth();
