/** Two ways to read a data frame in a worker: with Polars, and where it lies. */
import { tableFromIPC, type Int64 } from 'apache-arrow';
import { remote } from 'mobula';
import pl from 'nodejs-polars';
import { toFrame, toStream } from './frames.js';

/** Flights and minutes late by airport, as another data frame: Polars computes on its own copy. */
export const byOrigin = remote((stream: Uint8Array): Uint8Array =>
  toStream(
    toFrame(stream)
      .groupBy('origin')
      .agg(pl.col('delay').count().alias('flights'), pl.col('delay').sum().alias('minutes')),
  ),
);

export interface Sum {
  readonly minutes: number;
  /** Whether all of the column lies in the buffer of the stream. */
  readonly isInPlace: boolean;
}

/** Adds up a column with Apache Arrow, which copies nothing. */
export const sumDelays = remote((stream: Uint8Array): Sum => {
  const table = tableFromIPC<{ delay: Int64 }>(stream);
  const columns = table.getChild('delay')!.data.map(({ values }) => values);
  let minutes = 0;
  for (const column of columns) for (const delay of column) minutes += Number(delay);
  return { minutes, isInPlace: columns.every(({ buffer }) => buffer === stream.buffer) };
});
