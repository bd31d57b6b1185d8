import { readSync } from 'node:fs';
import { Socket } from 'node:net';
import { native } from '../../store/binding.js';
import { linesOf, type Lines, type WorkerOutput } from './worker-output.js';

const readSize = 64 * 1024;

/** The driver's end of a pipe that a process writes to. */
class OutputPipe {
  readonly ended: Promise<void>;
  readonly #fd: number;
  readonly #lines: Lines;
  readonly #socket: Socket;

  constructor(fd: number, lines: Lines) {
    this.#fd = fd;
    this.#lines = lines;
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on('data', (chunk: Buffer) => lines.write(chunk));
    this.#socket.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.#socket.on('close', () => {
        lines.end();
        resolve();
      });
    });
    this.keepAlive(false);
  }

  keepAlive(keep: boolean): void {
    if (keep) this.#socket.ref();
    else this.#socket.unref();
  }

  drain(): void {
    const buffer = Buffer.allocUnsafe(readSize);
    let length = readSize;
    while (length > 0 && !this.#socket.destroyed) {
      length = readAvailable(this.#fd, buffer);
      this.#lines.write(buffer.subarray(0, length));
    }
  }

  finish(): void {
    this.drain();
    this.#lines.end();
  }
}

/** 0 when there is nothing now, or never more. */
function readAvailable(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer);
  } catch {
    return 0;
  }
}

/** The output of a process and of what it starts. */
export class ProcessOutput implements WorkerOutput {
  readonly ended: Promise<void>;
  readonly #pipes: readonly OutputPipe[];

  /** `spawn` starts the process with these descriptors as stdout and stderr; gives the prefix. */
  constructor(spawn: (stdout: number, stderr: number) => string) {
    const [stdout, stderr] = [native.pipeCreate(), native.pipeCreate()];
    const prefix = spawnOrClose([stdout, stderr], () => spawn(stdout[1], stderr[1]));
    const [out, error] = linesOf(prefix);
    this.#pipes = [new OutputPipe(stdout[0], out), new OutputPipe(stderr[0], error)];
    this.ended = Promise.all(this.#pipes.map(({ ended }) => ended)).then(() => undefined);
  }

  drain(): void {
    for (const pipe of this.#pipes) pipe.drain();
  }

  finish(): void {
    for (const pipe of this.#pipes) pipe.finish();
  }

  keepAlive(keep: boolean): void {
    for (const pipe of this.#pipes) pipe.keepAlive(keep);
  }
}

/** Once started, the process has the writing ends, and nobody else does. */
function spawnOrClose(pipes: readonly [number, number][], spawn: () => string): string {
  try {
    return spawn();
  } catch (error) {
    for (const [readEnd] of pipes) native.descriptorClose(readEnd);
    throw error;
  } finally {
    for (const [, writeEnd] of pipes) native.descriptorClose(writeEnd);
  }
}

interface BlockableStream {
  readonly _handle?: { setBlocking?(blocking: boolean): void };
}

/**
 * In the process: nothing of its output waits in its own memory, where process.exit() would lose
 * it. It is the driver that has to read: see {@link ProcessOutput.drain}.
 */
export function writeOutputAtOnce(): void {
  for (const stream of [process.stdout, process.stderr]) {
    (stream as BlockableStream)._handle?.setBlocking?.(true);
  }
}
