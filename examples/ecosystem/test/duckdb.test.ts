import { fileURLToPath } from 'node:url';
import test from 'ava';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { put } from 'mobula';
import { runInBoth, testInBoth } from '../../../build/test/support/runtime.js';
import { isSealedInPlace } from '../../../build/test/support/sealing.js';
import { appendColumn, queryFlights } from '../duckdb/columns.js';
import { addUp, deviate } from '../duckdb/tasks.js';
import { lendsSharedMemory, outputOf } from './support.js';

const file = fileURLToPath(
  new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')),
);

class Database implements Disposable {
  readonly connection: DuckDBConnection;
  readonly #instance: DuckDBInstance;

  static async open(): Promise<Database> {
    const instance = await DuckDBInstance.create();
    return new Database(instance, await instance.connect());
  }

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.connection = connection;
  }

  async query(sql: string): Promise<unknown[][]> {
    return (await this.connection.runAndReadAll(sql)).getRows();
  }

  [Symbol.dispose](): void {
    this.connection.closeSync();
    this.#instance.closeSync();
  }
}

testInBoth('columns are sealed where the chunks of a query were written', async (t) => {
  using database = await Database.open();
  const { hour, delay } = await queryFlights(database.connection, file);
  t.is(delay.length, 3_000_000);
  t.true(isSealedInPlace(hour));
  t.true(isSealedInPlace(delay));
});

testInBoth('tasks find on shared columns what DuckDB finds', async (t) => {
  using database = await Database.open();
  const { hour, delay } = await queryFlights(database.connection, file);
  using hours = put(hour);
  using delays = put(delay);
  const { flights, minutes, isShared } = await addUp.remote(hours, delays, 0, delay.length);
  t.true(isShared);
  const expected = await database.query(
    `SELECT count(*)::INTEGER, sum(delay)::INTEGER FROM '${file}' GROUP BY hour(date) ORDER BY hour(date)`,
  );
  t.deepEqual(
    flights.map((count, at) => [count, minutes[at]]),
    expected,
  );
});

testInBoth('DuckDB takes a column that a task has computed from shared memory', async (t) => {
  using database = await Database.open();
  const hour = Uint8Array.from({ length: 5000 }, (_, row) => row % 24);
  const delay = Int16Array.from({ length: 5000 }, (_, row) => row);
  t.true(isSealedInPlace(deviate(hour, delay, [])));
  const deviations = await deviate.remote(hour, delay, new Array<number>(24).fill(100));
  t.true(deviations.buffer instanceof SharedArrayBuffer);

  await database.connection.run('CREATE TABLE deviations (minutes FLOAT)');
  const copied = await appendColumn(database.connection, 'deviations', deviations);
  t.is(copied, lendsSharedMemory ? 0 : deviations.byteLength);
  t.deepEqual(
    (await database.query('FROM deviations')).flat(),
    Array.from(delay, (minutes) => minutes - 100),
  );
});

test.serial('the example reads in shared memory what DuckDB gave, and gives it back', async (t) => {
  const output = await outputOf(t, 'duckdb');
  t.regex(
    output,
    /^from DuckDB: 3000000 rows, 9\.0 MB copied .*\n8 of 8 tasks .* in shared memory\n/,
  );
  t.regex(output, /\nDuckDB finds 3000000 deviations, mean 0\.000, deviation 31\.7 min\n$/);
});

runInBoth();
