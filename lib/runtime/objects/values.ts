import { ObjectFreedError, RuntimeShutdownError } from '../../common/errors.js';
import { native } from '../../store/binding.js';
import { OnDisk } from '../../store/view-cache.js';
import { recordOf, type Encoded } from '../../serialization/codec.js';
import { anchorIn } from '../actors/actor-handle.js';
import type { Core } from '../core.js';
import { idBytes, PeerIds, writeId } from './ids.js';
import { isRef, ObjectRef, Reference, referenceOf } from './object-ref.js';
import { Restores } from './restores.js';
import { Availability, freed, lost, type PutOptions, type Row } from './shared-objects.js';
import type { SlotListener, ValueSlot } from './value-slot.js';

type Resolve = (value: unknown) => void;
type Reject = (error: unknown) => void;

let resolveNew: Resolve | undefined;
let rejectNew: Reject | undefined;
/** One for all: a promise is made for nearly every task. */
const keepFunctions = (resolve: Resolve, reject: Reject) => {
  resolveNew = resolve;
  rejectNew = reject;
};

/** Somebody who waits for a ref's value. The ref lives until then. */
class Read implements SlotListener {
  readonly ref: ObjectRef;
  readonly promise: Promise<unknown>;
  readonly resolve: Resolve;
  readonly reject: Reject;
  endWait: () => void = nothing;
  /** Since when the value could not be read. */
  failingSince: number | undefined;
  readonly #values: Values;

  constructor(values: Values, ref: ObjectRef) {
    this.#values = values;
    this.ref = ref;
    this.promise = new Promise(keepFunctions);
    this.resolve = resolveNew!;
    this.reject = rejectNew!;
    // They keep the promise alive, and it the value.
    resolveNew = rejectNew = undefined;
  }

  slotSettled(): void {
    this.#values.deliver(this);
  }
}

/** The values that a core's refs name: where they are, and how others get at them. */
export class Values {
  readonly #core: Core;
  readonly #restores: Restores;

  constructor(core: Core) {
    this.#core = core;
    this.#restores = new Restores(core);
  }

  /** `pin` holds the object by a pin as long as the ref lives. */
  put(value: unknown, pin = false): ObjectRef {
    this.#core.assertOpen();
    return (
      this.putAllocated(value, pin) ?? this.putEncoded(this.#core.codec.encode(value), { pin })
    );
  }

  /** ObjectExistsError if there is an object of that `id`; without, it is fresh. */
  putEncoded(
    encoded: Encoded,
    given: Pick<PutOptions, 'id' | 'pin' | 'refClient'> = {},
  ): ObjectRef {
    const options = { ...given, addRef: true, contained: this.contained(encoded) };
    const store = () => this.#core.objects.put(encoded, options);
    return this.#refTo(this.#core.room.now(encoded.size, store), given.pin === true);
  }

  /** If `value` is exactly an allocated array not yet sealed, a ref to it: sealed, not copied. */
  putAllocated(value: unknown, pin = false): ObjectRef | undefined {
    const row = this.#core.objects.sealAllocated(value, pin);
    return row === undefined ? undefined : this.#refTo(row, pin);
  }

  #refTo(row: Row, pin: boolean): ObjectRef {
    const reference = new Reference(this.#core, undefined, row.id);
    reference.pinned = pin;
    const ref = new ObjectRef(reference);
    reference.slot.settle('stored');
    this.#core.references.count(ref, reference, row);
    return ref;
  }

  /** The ids of the refs in a value, which live as long as the object that holds the value. */
  contained({ references }: Pick<Encoded, 'references'>): Uint8Array | undefined {
    const ids: string[] = [];
    for (const value of references) {
      const ref = isRef(value) ? value : anchorIn(value);
      if (ref === undefined) continue;
      this.share(ref);
      ids.push(ref.id);
    }
    if (ids.length === 0) return undefined;
    const bytes = new Uint8Array(ids.length * idBytes);
    ids.forEach((id, index) => writeId(id, bytes, index * idBytes));
    return bytes;
  }

  /** Makes sure that others who are given the ref find its value, now or later, in the store. */
  share(ref: ObjectRef): void {
    this.assertUsable(referenceOf(ref));
    this.shareInUse(ref);
  }

  /** As {@link share}, for a ref that a request uses, disposed or not. */
  shareInUse(ref: ObjectRef): void {
    const reference = referenceOf(ref);
    this.#core.unobserved.observe(reference);
    if (reference.entry !== undefined) return;
    const { slot, id } = reference;
    if (slot.state === 'pending') {
      reference.promised = true;
      this.#core.references.count(ref, reference, this.#core.objects.promise(id));
      return;
    }
    const isError = slot.state === 'failed';
    const encoded = this.#encodedSlot(slot);
    const options = { id, addRef: true, isError };
    const row = this.#core.room.now(encoded.size, () => this.#core.objects.put(encoded, options));
    this.#core.references.count(ref, reference, row);
    this.#core.lineage.shared(reference);
  }

  /** If the ref was shared before it settled here, its value goes where it was promised. */
  keepPromise(reference: Reference): void {
    const { slot } = reference;
    if (!reference.promised || slot.state === 'stored') return;
    const { id } = reference;
    this.#core.lineage.shared(reference);
    const isError = slot.state === 'failed';
    this.#core.room.whenever(this.#encodedSlot(slot), {
      store: (encoded) => this.#core.objects.put(encoded, { id, addRef: false, isError }).id,
      fail: (error) => this.#breakPromise(id, error),
    });
  }

  /** Who waits for the value learns why it does not come; that it is lost, when even that fails. */
  #breakPromise(id: string, error: unknown): void {
    if (error instanceof ObjectFreedError) return;
    try {
      const encoded = this.#core.codec.encode(error);
      this.#core.objects.put(encoded, { id, addRef: false, isError: true });
    } catch {
      native.storeDelete(this.#core.store, id);
    }
  }

  #encodedSlot(slot: ValueSlot): Encoded {
    if (slot.state === 'record') return recordOf(slot.record);
    return this.#core.codec.encode(slot.state === 'failed' ? slot.error : slot.value);
  }

  /** The value of a ref, as often as it is asked for. The ref lives until then. */
  read(ref: ObjectRef): Promise<unknown> {
    this.#core.unobserved.observe(referenceOf(ref));
    const read = new Read(this, ref);
    this.#begin(read);
    return read.promise;
  }

  #begin(read: Read): void {
    const { slot } = referenceOf(read.ref);
    if (slot.state !== 'pending') {
      this.#deliverInRoom(read);
      return;
    }
    read.endWait = this.wait();
    slot.addListener(read);
  }

  deliver(read: Read): void {
    read.endWait();
    this.#deliverInRoom(read);
  }

  /** The code that runs waits until the returned function is called: its task lends its slot. */
  wait(): () => void {
    const { executor, peer } = this.#core;
    const task = peer.isOpen ? executor?.waitingTask() : undefined;
    if (executor === undefined || task === undefined) return nothing;
    executor.beginWait(task);
    return () => executor.endWait(task);
  }

  /** When memory is short, the finalizers of what the reader has dropped come first. */
  #deliverInRoom(read: Read): void {
    const reference = referenceOf(read.ref);
    try {
      this.assertUsable(reference);
    } catch (error) {
      read.reject(error);
      return;
    }
    // From here on it can be disposed.
    reference.users++;
    const { relief } = this.#core.room;
    if (relief === undefined) this.#deliver(read);
    else void relief.then(() => this.#deliver(read));
  }

  #deliver(read: Read): void {
    const reference = referenceOf(read.ref);
    if (reference.slot.state === 'pending') {
      this.#beginAgain(read);
      return;
    }
    let value: unknown;
    try {
      value = this.#readSettled(reference, (id) => this.#core.objects.readInMemory(id));
    } catch (error) {
      if (error instanceof OnDisk) this.#restore(read, error);
      else this.#recover(read, error);
      return;
    }
    this.endUse(reference);
    read.resolve(value);
  }

  /** The value, which was there, was lost: it is made again. */
  #beginAgain(read: Read): void {
    this.endUse(referenceOf(read.ref));
    this.#begin(read);
  }

  #reject(read: Read, error: unknown): void {
    this.endUse(referenceOf(read.ref));
    read.reject(error);
  }

  #restore(read: Read, { id }: OnDisk): void {
    this.#restores.bringBack(id).then(
      () => this.#deliver(read),
      (error: unknown) => this.#recover(read, error),
    );
  }

  /** Reads again, once what is lost has been made again, or there is room for what is on disk. */
  #recover(read: Read, error: unknown): void {
    if (this.#core.lost.recover(referenceOf(read.ref), error)) {
      this.#beginAgain(read);
      return;
    }
    read.failingSince ??= performance.now();
    const relief = this.#core.room.reliefFrom(error, read.failingSince);
    if (relief === undefined) this.#reject(read, error);
    else void relief.then(() => this.#deliver(read));
  }

  /**
   * The value of a settled ref; undefined when it is pending again, or has failed, for it was lost.
   */
  readOrRecover(reference: Reference): { readonly value: unknown } | undefined {
    try {
      return { value: this.readNow(reference) };
    } catch (error) {
      if (!this.#core.lost.recover(reference, error)) throw error;
      return undefined;
    }
  }

  /** The value of a settled ref. Throws what it failed with; once the runtime has ended, that. */
  readNow(reference: Reference): unknown {
    this.assertUsable(reference);
    const readStored = (id: string) => this.#core.objects.read(id);
    return this.#core.room.reading(() => this.#readSettled(reference, readStored));
  }

  #readSettled(reference: Reference, readStored: (id: string) => unknown): unknown {
    const { slot } = reference;
    if (!isOfShutdown(slot)) this.#core.assertOpen();
    switch (slot.state) {
      case 'value':
        return slot.value;
      case 'record':
        return this.#core.codec.decode(slot.record);
      case 'failed':
        throw slot.error;
      default:
        return readStored(reference.id);
    }
  }

  /** Whether a shared object can be read, must be waited for, or has gone. */
  settleShared(reference: Reference): void {
    switch (this.#core.objects.availability(reference.id)) {
      case Availability.ready:
        reference.slot.settle('stored');
        return;
      case Availability.pending:
        return;
      case Availability.freed:
        reference.slot.free(freed(reference.id));
        return;
      case Availability.lost:
        if (this.#core.lost.areRemade) this.#settleLost(reference);
        else reference.slot.settle('failed', lost(reference.id));
        return;
      default:
        reference.slot.settle('failed', lost(reference.id));
    }
  }

  /** It is made again when somebody wants it. */
  #settleLost({ id, slot }: Reference): void {
    if (!this.#core.lost.isAsked(id)) slot.settle('stored');
  }

  /** Gives the values up for all who have refs to them. */
  free(refs: readonly ObjectRef[]): void {
    this.#core.assertOpen();
    const references = refs.map(referenceOf);
    for (const reference of references) this.assertUsable(reference);
    for (const reference of references) this.#free(reference);
  }

  #free(reference: Reference): void {
    const { id, slot, entry, sequence } = reference;
    if (entry !== undefined) {
      this.#core.objects.free(id);
      this.#core.references.unpin(reference);
    }
    const isDue = slot.state === 'pending' && sequence === undefined;
    slot.free(freed(id));
    if (isDue) this.#tellOwner(id);
  }

  /** The owner knows of the value to come only by itself. */
  #tellOwner(id: string): void {
    const owner = this.#core.findPeer(PeerIds.issuerOf(id));
    if (owner !== undefined) this.#core.send({ type: 'freed', id }, owner);
  }

  /** A borrower has given up what this core owes. */
  freedByBorrower(id: string): void {
    const reference = this.#core.requests.referenceOf(PeerIds.sequenceOf(id));
    reference?.slot.free(freed(id));
  }

  dispose(reference: Reference): void {
    if (reference.disposed) return;
    reference.disposed = true;
    if (reference.users === 0) this.#core.references.drop(reference);
  }

  /** The refs in a value can be shared, disposed or not, until the returned function is called. */
  use({ references }: Pick<Encoded, 'references'>): () => void {
    const refs = references.map((value) => (isRef(value) ? value : anchorIn(value)));
    const used = refs.filter((ref) => ref !== undefined).map(referenceOf);
    for (const reference of used) reference.users++;
    return () => used.forEach((reference) => this.endUse(reference));
  }

  /** One request less uses the ref; the last one drops it, if it was disposed meanwhile. */
  endUse(reference: Reference): void {
    reference.users--;
    if (reference.disposed && reference.users === 0) this.#core.references.drop(reference);
  }

  /** Throws for a disposed ref, and for one of a runtime that has ended. */
  assertUsable(reference: Reference): void {
    if (reference.core !== this.#core) reference.core.assertOpen();
    if (!reference.disposed) {
      this.#noticeFreed(reference);
      return;
    }
    throw new ReferenceError(`ObjectRef(${reference.id}) was disposed: keep it, or get it before`);
  }

  /** A value at hand may have been given up by somebody else it was shared with. */
  #noticeFreed(reference: Reference): void {
    const { entry, slot } = reference;
    if (entry === undefined || (slot.state !== 'value' && slot.state !== 'record')) return;
    const { id } = reference;
    if (this.#core.objects.availability(id) === Availability.freed) slot.free(freed(id));
  }
}

/** It says more of the end of the runtime than can be said afterwards. */
function isOfShutdown(slot: ValueSlot): boolean {
  return slot.state === 'failed' && slot.error instanceof RuntimeShutdownError;
}

function nothing(): void {
  return;
}
