/**
 * Columns between DuckDB and shared memory. DuckDB keeps its data to itself: what leaves a vector, or
 * enters one, is copied, 2048 rows at a time.
 */
import { DuckDBDataChunk, FLOAT, type DuckDBConnection } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { allocate } from 'mobula';
import { lend } from '../shared-memory.js';

const CHUNK = duckdb.vector_size();

/** Flights by hour of departure and minutes late, as arrays in shared memory. */
export interface Flights {
  readonly hour: Uint8Array;
  readonly delay: Int16Array;
}

/** Reads a Parquet file by a query whose result goes to shared memory chunk by chunk. */
export async function queryFlights(connection: DuckDBConnection, file: string): Promise<Flights> {
  const flights = `FROM read_parquet('${file.replaceAll("'", "''")}')`;
  const [[rows]] = (
    await connection.runAndReadAll(`SELECT count(*)::INTEGER ${flights}`)
  ).getRows() as [[number]];
  const hour = allocate(Uint8Array, rows);
  const delay = allocate(Int16Array, rows);
  const result = await connection.stream(`SELECT hour(date)::UTINYINT, delay::SMALLINT ${flights}`);
  let row = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return { hour, delay };
    [hour, delay].forEach((column, index) => copyOut(chunk, index, column, row));
    row += chunk.rowCount;
  }
}

/** A vector whose elements are those of the column's type, none of them null. */
function copyOut(
  { chunk, rowCount }: DuckDBDataChunk,
  index: number,
  column: Uint8Array | Int16Array,
  row: number,
): void {
  const size = column.BYTES_PER_ELEMENT;
  const bytes = duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk, index), rowCount * size);
  new Uint8Array(column.buffer, column.byteOffset + row * size, bytes.length).set(bytes);
}

/**
 * Appends a column to a table that has no other.
 *
 * @returns bytes that were copied on their way to DuckDB, which copies all of them once more
 */
export async function appendColumn(
  connection: DuckDBConnection,
  table: string,
  column: Float32Array,
): Promise<number> {
  const appender = await connection.createAppender(table);
  let copied = 0;
  for (let row = 0; row < column.length; row += CHUNK) {
    const part = column.subarray(row, row + CHUNK);
    const chunk = DuckDBDataChunk.create([FLOAT], part.length);
    copied += await lend(part, (numbers) => copyIn(chunk, numbers));
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
  return copied;
}

function copyIn({ chunk }: DuckDBDataChunk, numbers: Float32Array): void {
  const vector = duckdb.data_chunk_get_vector(chunk, 0);
  const buffer = numbers.buffer as ArrayBuffer;
  duckdb.copy_data_to_vector(vector, 0, buffer, numbers.byteOffset, numbers.byteLength);
}
