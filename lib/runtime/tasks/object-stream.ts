import type { PeerAddress } from '../../transport/peer.js';
import type { CancelOptions } from './requests.js';
import type { ObjectRef } from '../objects/object-ref.js';

/** How a stream's reader speaks to its producer, by way of its core. */
export interface StreamControl {
  /** So many items have been taken since the beginning. */
  taken(count: number, producer: PeerAddress): void;
  /** Nobody reads on. */
  left(): void;
  /** False when the task had ended. */
  cancel(options: CancelOptions): boolean;
  /** The reading code waits for an item, until the returned function is called. */
  wait(): () => void;
}

/**
 * The reading end of a stream: items that have come and were not taken yet, or readers that wait
 * for them. An item that comes again, because its task was run again, is passed over.
 */
export class StreamReader {
  readonly #control: StreamControl;
  readonly #ahead: number;
  readonly #unread: ObjectRef[] = [];
  readonly #readers: ((result: IteratorResult<ObjectRef>) => void)[] = [];
  #producer: PeerAddress | undefined;
  #received = 0;
  #taken = 0;
  #reported = 0;
  #hasEnded = false;
  #wasLeft = false;

  /** The producer may be `ahead` items ahead of what was taken. */
  constructor(control: StreamControl, ahead: number) {
    this.#control = control;
    this.#ahead = ahead;
  }

  /** Whether the item of this index is one that has not come before. */
  expects(index: number): boolean {
    return index === this.#received && !this.#hasEnded;
  }

  /** A producer that starts over must learn what has been taken already. */
  heardFrom(producer: PeerAddress): void {
    const known = this.#producer;
    this.#producer = producer;
    if (known === undefined || (known.slot === producer.slot && known.uid === producer.uid)) return;
    this.#reported = this.#taken;
    if (this.#taken > 0) this.#control.taken(this.#taken, producer);
  }

  push(ref: ObjectRef): void {
    this.#received++;
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#unread.push(ref);
      return;
    }
    this.#count();
    reader({ done: false, value: ref });
  }

  end(): void {
    this.#hasEnded = true;
    for (const reader of this.#readers.splice(0)) reader(finished());
  }

  next(): Promise<IteratorResult<ObjectRef>> {
    const ref = this.#unread.shift();
    if (ref !== undefined) {
      this.#count();
      return Promise.resolve({ done: false, value: ref });
    }
    if (this.#hasEnded) return Promise.resolve(finished());
    const endWait = this.#control.wait();
    return new Promise((resolve) => {
      this.#readers.push((result) => {
        endWait();
        resolve(result);
      });
    });
  }

  cancel(options: CancelOptions): boolean {
    return this.#control.cancel(options);
  }

  /** Ends the stream for good and drops what was not taken. */
  leave(): void {
    if (this.#wasLeft) return;
    this.#wasLeft = true;
    const hadEnded = this.#hasEnded;
    this.end();
    for (const ref of this.#unread.splice(0)) ref[Symbol.dispose]();
    if (!hadEnded) this.#control.left();
  }

  #count(): void {
    this.#taken++;
    const due = Math.max(1, this.#ahead >>> 1);
    if (this.#producer === undefined || this.#taken - this.#reported < due) return;
    this.#reported = this.#taken;
    this.#control.taken(this.#taken, this.#producer);
  }
}

function finished(): IteratorReturnResult<undefined> {
  return { done: true, value: undefined };
}

/** For ever, as the registry of collected refs is. */
const collected = new FinalizationRegistry<StreamReader>((reader) => reader.leave());

/**
 * The values that a remote generator yields, each a ref, in their order; to be iterated once. When
 * the generator throws, the last ref fails. Leaving the loop early ends the generator; so does
 * dropping the stream. By hand rather than by a generator: that would await each ref. (TypeScript
 * takes it from the second `for await` on that the loop does, too, and gives the refs in it the type
 * of their values. `await ref` has the right type in all of them.)
 */
export class ObjectStream<T = unknown> implements AsyncIterableIterator<ObjectRef<T>, undefined> {
  /** What an error calls it that says it cannot travel. */
  readonly [Symbol.toStringTag] = 'ObjectStream';
  readonly #reader: StreamReader;

  /** @internal */
  constructor(reader: StreamReader) {
    this.#reader = reader;
    collected.register(this, reader);
  }

  /** @internal */
  static readerOf(stream: ObjectStream): StreamReader {
    return stream.#reader;
  }

  /** The next item's ref, as soon as it is there. */
  next(): Promise<IteratorResult<ObjectRef<T>, undefined>> {
    return this.#reader.next() as Promise<IteratorResult<ObjectRef<T>, undefined>>;
  }

  /** Ends the generator, whose `finally` blocks run, and drops what was not read. */
  return(): Promise<IteratorReturnResult<undefined>> {
    this.#reader.leave();
    return Promise.resolve(finished());
  }

  /** The stream itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** As {@link return}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
