/** What runs in the workers, which know nothing of DuckDB. */
import { allocate, remote } from 'mobula';
import { isShared } from '../shared-memory.js';

export interface Hours {
  readonly flights: number[];
  /** Minutes late, of all flights of the hour together. */
  readonly minutes: number[];
  readonly isShared: boolean;
}

/** Adds up the rows `[from, to)` by hour. */
export const addUp = remote(
  (hour: Uint8Array, delay: Int16Array, from: number, to: number): Hours => {
    const flights = new Array<number>(24).fill(0);
    const minutes = new Array<number>(24).fill(0);
    for (let row = from; row < to; row++) {
      flights[hour[row]!]!++;
      minutes[hour[row]!]! += delay[row]!;
    }
    return { flights, minutes, isShared: isShared(hour) && isShared(delay) };
  },
);

/** How much later than the mean of its hour each flight was: an array in shared memory. */
export const deviate = remote(
  (hour: Uint8Array, delay: Int16Array, means: readonly number[]): Float32Array => {
    const deviations = allocate(Float32Array, delay.length);
    for (let row = 0; row < delay.length; row++) {
      deviations[row] = delay[row]! - means[hour[row]!]!;
    }
    return deviations;
  },
);
