import { isContainer } from '../../serialization/record.js';
import { answersTask, type InboxRecord } from '../../transport/peer.js';
import { RecordKind } from '../../transport/wire.js';
import type { Core } from '../core.js';
import { readId } from '../objects/ids.js';
import type { ObjectRef, Reference } from '../objects/object-ref.js';
import { lost, type Row } from '../objects/shared-objects.js';
import { Answer } from './answers.js';
import { preferErrorsOf } from './error-classes.js';

/** Results up to this size are worth a look whether they are primitives. */
const glanceBytes = 32;

/** Takes what answers bring to those who wait for it, and gives back what nobody waits for. */
export class Results {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** A task that has failed here does not count as finished, whatever its worker says later. */
  discardAnswer(record: InboxRecord): void {
    const isValue = record.flags === Answer.value || record.flags === Answer.stored;
    if (isValue && answersTask(record)) this.#core.peer.tally(-1, 0);
    this.discard(record);
  }

  /** What comes for a request that nobody waits for any more must not stay in the store. */
  discard({ sequence, flags, kind, item, start, end }: InboxRecord): void {
    if (flags !== Answer.stored) return;
    const isItem = kind === RecordKind.item;
    const isUnnamed = isItem && end > start;
    const id = isUnnamed
      ? readId(this.#core.peer.inbox, start)
      : this.#core.ids.of(isItem ? sequence + item : sequence);
    const row = this.#core.objects.addRef(id);
    if (row !== undefined) this.drop(row);
  }

  drop({ entry, generation }: Row): void {
    this.#core.objects.dropRef(entry, generation);
  }

  #decode(start: number, end: number): unknown {
    return this.#core.codec.decodeAt(this.#core.peer.inbox, start, end);
  }

  /** An error that cannot be read, for lack of its class, gives way to the one that says so. */
  decodeError(module: string, start: number, end: number): unknown {
    try {
      return preferErrorsOf(module, () => this.#decode(start, end));
    } catch (error) {
      return error;
    }
  }

  readonly settle = (
    reference: Reference,
    ref: ObjectRef,
    answer: number,
    start: number,
    end: number,
  ): void => {
    if (answer === Answer.stored) this.#settleStored(reference, ref);
    else this.#settleRecord(reference, start, end);
  };

  #settleRecord({ slot }: Reference, start: number, end: number): void {
    if (end - start <= glanceBytes && !isContainer(this.#core.peer.inbox, start)) {
      const value = this.#decode(start, end);
      if (typeof value !== 'object' || value === null) {
        slot.settle('value', value);
        return;
      }
    }
    slot.settle('record', this.#core.peer.inbox.slice(start, end));
  }

  /** The worker has counted a reference for this process; from here on it is counted here. */
  #settleStored(reference: Reference, ref: ObjectRef): void {
    if (reference.slot.state === 'failed' && reference.entry === undefined) {
      this.#core.objects.discard(reference.id);
      return;
    }
    if (reference.entry === undefined) {
      const row = this.#core.objects.addRef(reference.id);
      if (row === undefined) {
        reference.slot.settle('failed', lost(reference.id));
        return;
      }
      this.#core.references.count(ref, reference, row);
    }
    reference.slot.settle('stored');
  }
}
