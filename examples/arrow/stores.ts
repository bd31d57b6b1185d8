/** Ways of Arrow data into an object store, each with one copy at most. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RecordBatchStreamWriter, type Table } from 'apache-arrow';
import type { ObjectStore } from 'mobula/store';

/** The two hundred thousand flights that come with the package vega-datasets. */
export function bundledFile(): string {
  return fileURLToPath(new URL('../data/flights-200k.arrow', import.meta.resolve('vega-datasets')));
}

/** Reads an Arrow file straight into the store: this process never has it anywhere else. */
export function storeFile(store: ObjectStore, path: string): string {
  const file = openSync(path, 'r');
  try {
    const writer = store.create(fstatSync(file).size);
    for (let read = 0; read < writer.data.length;) {
      const bytes = readSync(file, writer.data, read, writer.data.length - read, read);
      if (bytes === 0) throw new Error(`${path} has become shorter while it was read`);
      read += bytes;
    }
    return writer.seal();
  } finally {
    closeSync(file);
  }
}

/** Writes a table as an IPC stream straight into the store. */
export async function storeStream(store: ObjectStore, table: Table): Promise<string> {
  const chunks = await streamChunks(table);
  const writer = store.create(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    writer.data.set(chunk, offset);
    offset += chunk.length;
  }
  return writer.seal();
}

/** An IPC stream in pieces; those with the content of columns are the columns themselves. */
export async function streamChunks(table: Table): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  const writer: AsyncIterable<Uint8Array> = RecordBatchStreamWriter.writeAll(table);
  for await (const chunk of writer) chunks.push(chunk);
  return chunks;
}
