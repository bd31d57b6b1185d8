import type { PeerAddress } from '../../transport/peer.js';
import type { Core } from '../core.js';
import { readId } from '../objects/ids.js';
import { ObjectRef, Reference } from '../objects/object-ref.js';
import { Answer } from './answers.js';
import type { StreamReader } from './object-stream.js';
import type { ResultSink } from './request.js';

/** Settles one reference as an answer in the inbox says. */
export type Settle = (
  reference: Reference,
  ref: ObjectRef,
  answer: number,
  start: number,
  end: number,
) => void;

/** The refs of a task that returns several results: so many numbers in a row, from its own on. */
export class ResultRefs implements ResultSink {
  readonly refs: readonly ObjectRef[];
  readonly references: readonly Reference[];
  readonly #core: Core;
  readonly #settle: Settle;

  constructor(core: Core, first: Reference, firstRef: ObjectRef, count: number, settle: Settle) {
    this.#core = core;
    this.#settle = settle;
    const others = Array.from({ length: count - 1 }, (_, index) => {
      const reference = new Reference(core, first.sequence! + index + 1);
      reference.primary = first;
      reference.users = 1;
      return reference;
    });
    this.references = [first, ...others];
    this.refs = [firstRef, ...others.map((reference) => new ObjectRef(reference))];
  }

  item(index: number, answer: number, start: number, end: number): void {
    const reference = this.references[index];
    if (reference === undefined) return;
    this.#settle(reference, this.refs[index]!, answer, start, end);
  }

  failed(error: unknown): void {
    for (const { slot } of this.references) slot.settle('failed', error);
  }

  /** The owner of the request ends the use of the first. */
  ended(): void {
    for (const reference of this.references.slice(1)) {
      this.#core.values.keepPromise(reference);
      this.#core.values.endUse(reference);
    }
  }
}

/** Makes a ref of each item of a stream, under a number or, when it is in the store, an id. */
export class StreamSink implements ResultSink {
  readonly #core: Core;
  readonly #request: Reference;
  readonly #reader: StreamReader;
  readonly #what: string;
  readonly #nextSequence: () => number;
  readonly #settle: Settle;

  constructor(
    core: Core,
    request: Reference,
    reader: StreamReader,
    what: string,
    nextSequence: () => number,
    settle: Settle,
  ) {
    this.#core = core;
    this.#request = request;
    this.#what = what;
    this.#reader = reader;
    this.#nextSequence = nextSequence;
    this.#settle = settle;
  }

  heardFrom(producer: PeerAddress): void {
    this.#reader.heardFrom(producer);
  }

  item(index: number, answer: number, start: number, end: number): void {
    const isStored = answer === Answer.stored;
    const isNew = this.#reader.expects(index);
    if (!isNew && !isStored) return;
    const id = isStored ? readId(this.#core.peer.inbox, start) : undefined;
    const reference = this.#make(isStored ? undefined : this.#nextSequence(), id);
    const ref = new ObjectRef(reference);
    this.#settle(reference, ref, answer, start, end);
    if (isNew) this.#reader.push(ref);
    else ref[Symbol.dispose]();
  }

  /** It counts as made where the stream was. */
  #make(sequence: number | undefined, id?: string): Reference {
    const reference = new Reference(this.#core, sequence, id);
    const { callSites } = this.#core;
    callSites?.set(reference, callSites.of(this.#request));
    return reference;
  }

  failed(error: unknown): void {
    const reference = this.#make(this.#nextSequence());
    reference.slot.settle('failed', error);
    const ref = new ObjectRef(reference);
    this.#core.unobserved.add(ref, reference, this.#what);
    this.#reader.push(ref);
  }

  ended(): void {
    this.#reader.end();
  }
}
