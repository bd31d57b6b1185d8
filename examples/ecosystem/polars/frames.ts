/** Data frames of Polars as Arrow IPC streams in shared memory. */
import { Writable } from 'node:stream';
import { allocate } from 'mobula';
import pl, { type DataFrame } from 'nodejs-polars';

/** Polars hands the stream out in pieces; each is written to shared memory once. */
export function toStream(frame: DataFrame): Uint8Array {
  const pieces: Uint8Array[] = [];
  const gather = new Writable({
    write(piece: Uint8Array, _encoding, done) {
      pieces.push(piece);
      done();
    },
  });
  frame.writeIPCStream(gather, { compression: 'uncompressed' });
  const stream = allocate(
    Uint8Array,
    pieces.reduce((sum, { length }) => sum + length, 0),
  );
  let offset = 0;
  for (const piece of pieces) {
    stream.set(piece, offset);
    offset += piece.length;
  }
  return stream;
}

/** Polars copies what it reads into memory of its own. It wants a Buffer, which may be shared. */
export function toFrame({ buffer, byteOffset, byteLength }: Uint8Array): DataFrame {
  return pl.readIPCStream(Buffer.from(buffer, byteOffset, byteLength));
}
