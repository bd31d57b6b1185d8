/** What runs in the workers: one task decodes, another reads where the first has written. */
import { asyncBufferFromFile, parquetScan } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { allocate, remote } from 'mobula';

export interface Rows {
  readonly rowStart: number;
  readonly rowEnd: number;
}

export interface Delays {
  readonly flights: number;
  /** Minutes late, of all of them together. */
  readonly minutes: number;
  /** Bytes of the columns that were read in shared memory. */
  readonly shared: number;
}

export async function openFile(path: string) {
  return parquetScan({ file: await asyncBufferFromFile(path), compressors });
}

/** A column of whole numbers. What hyparquet has decoded is written once, into shared memory. */
export const decode = remote(
  async (path: string, column: string, { rowStart, rowEnd }: Rows): Promise<Int16Array> => {
    const scan = await openFile(path);
    const values = await scan.readColumn({ column, rowStart, rowEnd });
    const numbers = allocate(Int16Array, rowEnd - rowStart);
    for (let row = 0; row < numbers.length; row++) numbers[row] = Number(values[row]);
    return numbers;
  },
);

/** Delays of the flights over `[from, to)` miles. */
export const delaysOver = remote(
  (delays: Int16Array, distances: Int16Array, from: number, to: number): Delays => {
    let flights = 0;
    let minutes = 0;
    for (let row = 0; row < delays.length; row++) {
      if (distances[row]! < from || distances[row]! >= to) continue;
      flights++;
      minutes += delays[row]!;
    }
    const shared = [delays, distances].filter(({ buffer }) => buffer instanceof SharedArrayBuffer);
    return {
      flights,
      minutes,
      shared: shared.reduce((sum, { byteLength }) => sum + byteLength, 0),
    };
  },
);
