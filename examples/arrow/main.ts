/** Tables of Apache Arrow: put as values, and as files and IPC streams in a store of their own. */
import { readFileSync } from 'node:fs';
import { tableFromIPC } from 'apache-arrow';
import { main, put, type ObjectRef } from 'mobula';
import { ObjectStore } from 'mobula/store';
import { bundledFile, storeFile, storeStream } from './stores.js';
import { delaysOf, storedDelaysOf, type Delays, type Flights } from './tasks.js';

const quarters = [0, 6, 12, 18];

main(async () => {
  const flights: Flights = tableFromIPC(readFileSync(bundledFile()));
  console.log(`${flights.numRows} flights, ${flights.numCols} columns`);

  using table = put(flights);
  await report('put(table)', (from, to) => delaysOf.remote(table, from, to));

  using store = ObjectStore.create({ memory: '16MiB' });
  const file = storeFile(store, bundledFile());
  await report('file read into create()', (from, to) =>
    storedDelaysOf.remote(store.handle, file, from, to),
  );
  const stream = await storeStream(store, flights);
  await report('stream written into create()', (from, to) =>
    storedDelaysOf.remote(store.handle, stream, from, to),
  );
});

/** Asks a task for each quarter of the day. */
async function report(
  title: string,
  submit: (from: number, to: number) => ObjectRef<Delays>,
): Promise<void> {
  const delays = await Promise.all(quarters.map((from) => submit(from, from + 6)));
  const means = delays.map(({ flights, minutes }) => (minutes / flights).toFixed(1));
  const shared = delays.filter(({ isShared }) => isShared).length;
  console.log(
    `${title}: mean delays by quarter of the day ${means.join(', ')} min; ` +
      `${shared} of ${delays.length} tasks had their columns in shared memory`,
  );
}
