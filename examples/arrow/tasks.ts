/** What runs in the workers, on columns where the store has them. */
import { tableFromIPC, type Float32, type Int16, type Table } from 'apache-arrow';
import { remote } from 'mobula';
import { ObjectStore, type StoreHandle } from 'mobula/store';

/** One row a flight: minutes late, miles, and the hour of departure. */
export type Flights = Table<{ delay: Int16; distance: Int16; time: Float32 }>;

export interface Delays {
  readonly flights: number;
  /** Minutes late, of all of them together. */
  readonly minutes: number;
  /** Whether every column that was read lies in shared memory. */
  readonly isShared: boolean;
}

/** Delays of the flights that leave at an hour in `[from, to)`. */
export const delaysOf = remote((flights: Flights, from: number, to: number): Delays => {
  const time = flights.getChild('time')!.toArray();
  const delay = flights.getChild('delay')!.toArray();
  let count = 0;
  let minutes = 0;
  for (let row = 0; row < time.length; row++) {
    if (time[row]! < from || time[row]! >= to) continue;
    count++;
    minutes += delay[row]!;
  }
  const isShared = [time, delay].every(({ buffer }) => buffer instanceof SharedArrayBuffer);
  return { flights: count, minutes, isShared };
});

/** The same of a table in a store of its own; every column must lie in that very object. */
export const storedDelaysOf = remote(
  (handle: StoreHandle, id: string, from: number, to: number): Delays => {
    using store = ObjectStore.attach(handle);
    using object = store.get(id)!;
    const flights: Flights = tableFromIPC(object.data);
    const delays = delaysOf(flights, from, to);
    return { ...delays, isShared: columnsOf(flights).every((column) => isIn(column, object.data)) };
  },
);

export function columnsOf(table: Table): ArrayBufferView[] {
  return table.batches.flatMap(({ data }) =>
    data.children.map(({ values }) => values as ArrayBufferView),
  );
}

/** Whether `view` is a view on the buffer of `object`. */
export function isIn(view: ArrayBufferView, object: ArrayBufferView): boolean {
  return view.buffer === object.buffer;
}
