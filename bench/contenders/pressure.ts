/** More data than memory, beside the same bytes in a plain file. */
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { get, init, put, type ObjectRef, type Runtime } from 'mobula';
import type { Subject } from '../harness/workload.js';

const memory = 64e6;
/** Where the runtime spills by default. */
const folder = '/var/tmp';

class Spilling {
  readonly #piece: Uint8Array;
  readonly #runtime: Runtime;
  refs: ObjectRef<Uint8Array>[] = [];

  constructor(pieceBytes: number) {
    this.#piece = new Uint8Array(pieceBytes).fill(1);
    this.#runtime = init({ workers: 1, memory, spillDirectory: folder });
  }

  put(count: number): void {
    for (let i = 0; i < count; i++) this.refs.push(put(this.#piece));
  }

  drop(): void {
    for (const ref of this.refs.splice(0)) ref[Symbol.dispose]();
  }

  stop(): Promise<void> {
    return this.#runtime.shutdown();
  }
}

/** One operation puts a piece into a store that is full of pieces which are still referred to. */
export function spilledPuts(pieceBytes: number): Subject {
  const spilling = new Spilling(pieceBytes);
  return {
    prepare() {
      spilling.drop();
      spilling.put(Math.ceil(memory / pieceBytes));
    },
    run: (count) => spilling.put(count),
    stop: () => spilling.stop(),
  };
}

/** One operation gets a piece that is on disk, so many at a time. */
export function restoredGets(pieceBytes: number, atATime: number): Subject {
  const spilling = new Spilling(pieceBytes);
  return {
    prepare(count) {
      spilling.drop();
      spilling.put(count + Math.ceil(memory / pieceBytes));
    },
    async run(count) {
      for (let next = 0; next < count; next += atATime) {
        await get(spilling.refs.slice(next, Math.min(next + atATime, count)));
      }
    },
    stop: () => spilling.stop(),
  };
}

/** Into an empty file in each window. */
export function fileWrites(pieceBytes: number): Subject {
  const file = openUnnamedFile();
  const piece = new Uint8Array(pieceBytes).fill(1);
  return {
    prepare: () => ftruncateSync(file),
    run(count) {
      for (let i = 0; i < count; i++) writeSync(file, piece, 0, pieceBytes, i * pieceBytes);
    },
    stop: () => closeSync(file),
  };
}

/** Reads into the same memory. */
export function fileReads(pieceBytes: number): Subject {
  const file = openUnnamedFile();
  const piece = new Uint8Array(pieceBytes).fill(1);
  return {
    prepare(count) {
      for (let i = 0; i < count; i++) writeSync(file, piece, 0, pieceBytes, i * pieceBytes);
    },
    run(count) {
      for (let i = 0; i < count; i++) readSync(file, piece, 0, pieceBytes, i * pieceBytes);
    },
    stop: () => closeSync(file),
  };
}

/** Gone with the process, however that ends. */
function openUnnamedFile(): number {
  const path = join(folder, `mobula-bench-${process.pid}`);
  const file = openSync(path, 'wx+');
  unlinkSync(path);
  return file;
}
