/** A data frame of Polars, divided among tasks; their results are a data frame again. */
import { fileURLToPath } from 'node:url';
import { main, put } from 'mobula';
import pl from 'nodejs-polars';
import { megabytes } from '../shared-memory.js';
import { toFrame, toStream } from './frames.js';
import { byOrigin, sumDelays } from './tasks.js';

const file = fileURLToPath(
  new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')),
);
const PARTS = 4;

main(async () => {
  const flights = pl.readParquet(file, { columns: ['delay', 'origin'] });
  const rows = Math.ceil(flights.height / PARTS);
  const streams = Array.from({ length: PARTS }, (_, i) => toStream(flights.slice(i * rows, rows)));
  const bytes = streams.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const parts = streams.map((stream) => put(stream)); // sealed where they were written
  console.log(`${flights.height} rows are ${megabytes(bytes)} in shared memory`);

  const sums = await Promise.all(parts.map((part) => sumDelays.remote(part)));
  const minutes = sums.reduce((sum, part) => sum + part.minutes, 0);
  const inPlace = sums.filter(({ isInPlace }) => isInPlace).length;
  console.log(
    `Apache Arrow: ${minutes} minutes late; ${inPlace} of ${PARTS} tasks read their column in place`,
  );

  const frames = await Promise.all(parts.map((part) => byOrigin.remote(part)));
  const busiest = pl
    .concat(frames.map(toFrame))
    .groupBy('origin')
    .agg(pl.col('flights').sum(), pl.col('minutes').sum())
    .sort('flights', true);
  const [airport] = busiest.head(1).toRecords() as { origin: string; flights: number }[];
  console.log(
    `Polars: ${busiest.height} airports, most flights from ${airport!.origin}, ${airport!.flights}; ` +
      `its tasks copied the ${megabytes(bytes)} into its own memory`,
  );
  const total = busiest.getColumn('minutes').sum();
  console.log(`both find as many minutes: ${total === minutes}`);
});
