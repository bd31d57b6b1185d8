import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { linesOf, type WorkerOutput } from './worker-output.js';

/** A piece of what the thread has written to stdout (0) or stderr (1). */
type Piece = readonly [stream: 0 | 1, chunk: string | Uint8Array];

/**
 * The output of a thread, through a port: Node's own way loses what the thread has written in its
 * last turn when it ends by process.exit().
 */
export class ThreadOutput implements WorkerOutput {
  /** For the thread: {@link sendOutput}. */
  readonly port: MessagePort;
  readonly ended: Promise<void>;
  readonly #received: MessagePort;
  readonly #lines: ReturnType<typeof linesOf>;
  #resolve!: () => void;

  constructor(prefix: string) {
    this.#lines = linesOf(prefix);
    this.ended = new Promise((resolve) => (this.#resolve = resolve));
    const { port1, port2 } = new MessageChannel();
    this.port = port2;
    this.#received = port1;
    port1.on('message', (piece: Piece) => this.#write(piece));
    port1.unref();
  }

  #write([stream, chunk]: Piece): void {
    this.#lines[stream].write(chunk);
  }

  drain(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#received) as { message: Piece } | undefined;
      if (received === undefined) return;
      this.#write(received.message);
    }
  }

  keepAlive(keep: boolean): void {
    if (keep) this.#received.ref();
    else this.#received.unref();
  }

  /** Why the thread ends: a process says so itself. */
  writeError(text: string): void {
    this.drain();
    this.#lines[1].write(`${text}\n`);
  }

  finish(): void {
    this.drain();
    for (const lines of this.#lines) lines.end();
  }

  /** The thread has ended. */
  end(): void {
    this.finish();
    this.#received.close();
    this.#resolve();
  }
}

interface Chunk {
  readonly chunk: string | Uint8Array;
  readonly encoding: BufferEncoding | 'buffer';
}

/** In the thread: what it writes to stdout and stderr goes to its driver at once. */
export function sendOutput(port: MessagePort): void {
  for (const [stream, target] of [process.stdout, process.stderr].entries()) {
    target._writev = (chunks: Chunk[], done) => {
      for (const chunk of chunks) port.postMessage([stream, contentOf(chunk)]);
      done();
    };
  }
}

/** Of a view only its own bytes travel, not all of the buffer that it may share with others. */
function contentOf({ chunk, encoding }: Chunk): string | Uint8Array {
  if (typeof chunk !== 'string') return Uint8Array.from(chunk);
  return encoding === 'utf8'
    ? chunk
    : Uint8Array.from(Buffer.from(chunk, encoding as BufferEncoding));
}
