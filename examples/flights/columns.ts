/** Reads a Parquet file of flights into typed arrays, a column of a row group at a time. */
import { fileURLToPath } from 'node:url';
import { asyncBufferFromFile, parquetScan, type ParquetScan } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { DEPARTURE_LIMIT, type Columns } from './analysis.js';

export interface Flights {
  readonly columns: Columns;
  /** Airport codes, by the numbers that the columns hold. */
  readonly airports: readonly string[];
}

/** The file cannot be used; the message says which and why, in one line. */
export class InputError extends Error {}

/** Path of the three million flights that come with the package vega-datasets. */
export function bundledFile(): string {
  return fileURLToPath(new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')));
}

const NAMES = ['date', 'delay', 'distance', 'origin', 'destination'];

/**
 * @throws InputError if the file is missing, is no Parquet file, or holds something other than
 * flights
 */
export async function readFlights(path: string): Promise<Flights> {
  try {
    return await decode(path);
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    throw new InputError(`cannot read ${path}: ${reason ?? ''}`, { cause });
  }
}

async function decode(path: string): Promise<Flights> {
  const scan = await parquetScan({
    file: await asyncBufferFromFile(path),
    columns: NAMES,
    compressors,
    parsers: {
      timestampFromMilliseconds: (value) => Number(value / 60_000n),
      timestampFromMicroseconds: (value) => Number(value / 60_000_000n),
      timestampFromNanoseconds: (value) => Number(value / 60_000_000_000n),
    },
  });
  const rows = Number(scan.metadata.num_rows);
  if (rows === 0) throw new RangeError('it holds no flights');

  const airports = new Map<string, number>();
  const indexOf = (airport: unknown): number => {
    if (typeof airport !== 'string') return NaN;
    const index = airports.get(airport) ?? airports.size;
    airports.set(airport, index);
    return index;
  };
  const columns = {
    departure: await readColumn(scan, 'date', new Uint32Array(rows), toDeparture),
    delay: await readColumn(scan, 'delay', new Int16Array(rows), toNumber),
    distance: await readColumn(scan, 'distance', new Uint16Array(rows), toNumber),
    origin: await readColumn(scan, 'origin', new Uint16Array(rows), indexOf),
    destination: await readColumn(scan, 'destination', new Uint16Array(rows), indexOf),
  };
  return { columns, airports: [...airports.keys()] };
}

function toNumber(value: unknown): number {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : NaN;
}

function toDeparture(value: unknown): number {
  const minutes = toNumber(value);
  return minutes < DEPARTURE_LIMIT ? minutes : NaN;
}

async function readColumn<Column extends Uint32Array | Int16Array | Uint16Array>(
  scan: ParquetScan,
  name: string,
  column: Column,
  convert: (value: unknown) => number,
): Promise<Column> {
  for (const { rowStart, rowEnd } of scan.ranges) {
    const values = await scan.readColumn({ column: name, rowStart, rowEnd });
    for (let row = rowStart; row < rowEnd; row++) {
      const value: unknown = values[row - rowStart];
      const number = convert(value);
      column[row] = number;
      if (column[row] !== number) {
        throw new RangeError(
          `column ${name} has the unexpected value ${String(value)} in row ${row}`,
        );
      }
    }
  }
  return column;
}
