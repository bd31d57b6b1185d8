/** DuckDB reads three million flights, tasks compute with them in place, DuckDB takes the result. */
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { main, put } from 'mobula';
import { isShared, megabytes } from '../shared-memory.js';
import { appendColumn, queryFlights } from './columns.js';
import { addUp, deviate } from './tasks.js';

const file = fileURLToPath(
  new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')),
);
const PARTS = 8;

main(async () => {
  const database = await DuckDBInstance.create();
  const connection = await database.connect();
  try {
    const flights = await queryFlights(connection, file);
    const rows = flights.delay.length;
    const bytes = flights.hour.byteLength + flights.delay.byteLength;
    console.log(`from DuckDB: ${rows} rows, ${megabytes(bytes)} copied twice into shared memory`);
    using hour = put(flights.hour); // sealed where DuckDB's chunks were written
    using delay = put(flights.delay);

    const bound = (part: number) => Math.floor((rows * part) / PARTS);
    const parts = await Promise.all(
      Array.from({ length: PARTS }, (_, i) => addUp.remote(hour, delay, bound(i), bound(i + 1))),
    );
    const sum = (key: 'flights' | 'minutes', at: number) =>
      parts.reduce((all, part) => all + part[key][at]!, 0);
    const means = Array.from({ length: 24 }, (_, at) => sum('minutes', at) / sum('flights', at));
    const inPlace = parts.filter((part) => part.isShared).length;
    console.log(`${inPlace} of ${PARTS} tasks read their columns in shared memory`);

    const deviations = await deviate.remote(hour, delay, means);
    await connection.run('CREATE TABLE deviations (minutes FLOAT)');
    const copied = await appendColumn(connection, 'deviations', deviations);
    console.log(
      `to DuckDB: ${megabytes(deviations.byteLength)}, in shared memory: ${isShared(deviations)}, ` +
        `${megabytes(copied)} copied before DuckDB did`,
    );
    const found = await connection.runAndReadAll(
      'SELECT count(*)::INTEGER, avg(minutes), stddev(minutes) FROM deviations',
    );
    const [[count, mean, spread]] = found.getRows() as [[number, number, number]];
    console.log(
      `DuckDB finds ${count} deviations, mean ${Math.abs(mean).toFixed(3)}, deviation ${spread.toFixed(1)} min`,
    );
  } finally {
    connection.closeSync();
    database.closeSync();
  }
});
