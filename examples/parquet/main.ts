/**
 * Columns of a Parquet file: tasks decode its row groups side by side into shared memory, others
 * read them there. The columns never pass through this thread.
 */
import { fileURLToPath } from 'node:url';
import { main } from 'mobula';
import { decode, delaysOver, openFile } from './tasks.js';

const file = fileURLToPath(
  new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')),
);
const bands = [0, 500, 1000, 2000, 5000];

main(async () => {
  const { ranges } = await openFile(file);
  const groups = ranges.map((rows) => ({
    delays: decode.remote(file, 'delay', rows),
    distances: decode.remote(file, 'distance', rows),
  }));

  let shared = 0;
  for (const [band, from] of bands.slice(0, -1).entries()) {
    const to = bands[band + 1]!;
    const parts = await Promise.all(
      groups.map(({ delays, distances }) => delaysOver.remote(delays, distances, from, to)),
    );
    const sum = (key: 'flights' | 'minutes') => parts.reduce((all, part) => all + part[key], 0);
    const mean = sum('minutes') / sum('flights');
    console.log(`${from} to ${to} miles: ${sum('flights')} flights, ${mean.toFixed(1)} min late`);
    shared += parts.reduce((all, part) => all + part.shared, 0);
  }
  const rows = ranges.at(-1)!.rowEnd;
  const written = 2 * rows * Int16Array.BYTES_PER_ELEMENT;
  console.log(
    `${2 * ranges.length} tasks wrote ${megabytes(written)}; others read ${megabytes(shared)} in place`,
  );
});

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
