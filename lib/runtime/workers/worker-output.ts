import { StringDecoder } from 'node:string_decoder';

/** What a worker writes to stdout and stderr, on its way to the driver's. */
export interface WorkerOutput {
  /** Writes what has arrived. It happens by itself whenever the event loop turns. */
  drain(): void;
  /** As {@link drain}, and the beginning of a line too: nobody waits for its end. */
  finish(): void;
  /** Whether the event loop stays up for it. */
  keepAlive(keep: boolean): void;
  /** Resolves when all of it has been written. */
  readonly ended: Promise<void>;
}

/** A longer line is written in parts. */
const maxLineLength = 64 * 1024;

/** Writes whole lines, each behind a prefix. */
export class Lines {
  readonly #prefix: string;
  readonly #target: NodeJS.WriteStream;
  readonly #decoder = new StringDecoder();
  #rest = '';

  constructor(prefix: string, target: NodeJS.WriteStream) {
    this.#prefix = prefix;
    this.#target = target;
  }

  write(chunk: string | Uint8Array): void {
    this.#rest += typeof chunk === 'string' ? chunk : this.#decoder.write(asBuffer(chunk));
    const end = this.#rest.lastIndexOf('\n');
    if (end >= 0) {
      this.#put(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end + 1);
    }
    if (this.#rest.length > maxLineLength) this.#putRest();
  }

  /** What has no end of line is a line too. */
  end(): void {
    this.#rest += this.#decoder.end();
    if (this.#rest !== '') this.#putRest();
  }

  #putRest(): void {
    this.#put(this.#rest);
    this.#rest = '';
  }

  #put(lines: string): void {
    forward(this.#target, `${this.#prefix}${lines.replaceAll('\n', `\n${this.#prefix}`)}\n`);
  }
}

const listenedTo = new WeakSet<NodeJS.WriteStream>();

/** Nobody may be reading any more: that ends a driver that writes itself, not one that forwards. */
function forward(target: NodeJS.WriteStream, text: string): void {
  if (!listenedTo.has(target)) {
    listenedTo.add(target);
    target.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && target.listenerCount('error') === 1) throw error;
    });
  }
  if (target.writable) target.write(text);
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** For stdout and stderr. */
export function linesOf(prefix: string): readonly [Lines, Lines] {
  return [new Lines(prefix, process.stdout), new Lines(prefix, process.stderr)];
}
