import type { ReferenceCodec } from '../../serialization/hooks.js';
import { ActorHandle, decodeHandle, encodeHandle } from '../actors/actor-handle.js';
import type { Core } from '../core.js';
import { idBytes, readId, writeId } from './ids.js';
import { ObjectRef, Reference, referenceOf } from './object-ref.js';
import type { Row } from './shared-objects.js';

/** The id follows, and, where call sites are tracked, the one of the ref. */
const refTag = 1;
const handleTag = 2;
const noBytes = new Uint8Array(0);

/**
 * For ever: V8 finalizes nothing more in a thread once a registry was collected while it had
 * callbacks due.
 */
const collected = new FinalizationRegistry<Reference>((reference) =>
  reference.core.references.drop(reference),
);

/**
 * How refs leave and reach this thread, and the counting of those that have a row in the object
 * table. The causes that add to the count of a row: a put, a promise (share), a stored result, a
 * borrowed ref. The causes that take from it: dispose, collection of the ObjectRef, the end of the
 * core.
 */
export class References implements ReferenceCodec {
  readonly #core: Core;
  /** Refs to values to come, with their watches. */
  readonly #watched = new Map<Reference, number>();

  constructor(core: Core) {
    this.#core = core;
  }

  isReference(value: object): boolean {
    return value instanceof ObjectRef || value instanceof ActorHandle;
  }

  encode(value: object): Uint8Array {
    if (!(value instanceof ObjectRef)) return encodeHandle(handleTag, value as ActorHandle);
    const site = this.#core.callSites?.of(referenceOf(value));
    const siteBytes = site === undefined ? noBytes : Buffer.from(site);
    const bytes = new Uint8Array(1 + idBytes + siteBytes.length);
    bytes[0] = refTag;
    writeId(value.id, bytes, 1);
    bytes.set(siteBytes, 1 + idBytes);
    return bytes;
  }

  decode(bytes: Uint8Array): object {
    if (bytes[0] === handleTag) return decodeHandle(this.#core, bytes);
    const ref = this.borrow(readId(bytes, 1));
    this.#core.callSites?.set(referenceOf(ref), textOf(bytes.subarray(1 + idBytes)));
    return ref;
  }

  /** A ref to an object that somebody else owns and holds at this moment. */
  borrow(id: string): ObjectRef {
    const reference = new Reference(this.#core, undefined, id);
    const ref = new ObjectRef(reference);
    const row = this.#core.objects.addRef(id);
    if (row !== undefined) this.count(ref, reference, row);
    this.#core.values.settleShared(reference);
    if (reference.slot.state === 'pending') this.watch(reference);
    return ref;
  }

  /** From now on `ref` stands for a count that has been made on `row`. */
  count(ref: ObjectRef, reference: Reference, { entry, generation }: Row): void {
    reference.entry = entry;
    reference.generation = generation;
    collected.register(ref, reference, reference);
  }

  /** Ends the hold of a ref that was put with a pin. */
  unpin(reference: Reference): void {
    if (!reference.pinned) return;
    reference.pinned = false;
    this.#core.objects.unpin(reference.entry!, reference.generation);
  }

  drop(reference: Reference): void {
    if (reference.entry === undefined || this.#core.isClosed) return;
    this.unpin(reference);
    this.#core.objects.dropRef(reference.entry, reference.generation);
    reference.entry = undefined;
    collected.unregister(reference);
    this.#core.lineage.dropped(reference.id);
  }

  /** Settles a pending slot when the object comes. */
  watch(reference: Reference): void {
    const watch = this.#core.changes.watch(reference.id, () => this.look(reference));
    this.#watched.set(reference, watch);
    // It may have been sealed before the watch began.
    this.look(reference);
  }

  isWatched(reference: Reference): boolean {
    return this.#watched.has(reference);
  }

  /** Looks again at the objects that this thread waits for. */
  settleWatched(): void {
    for (const reference of [...this.#watched.keys()]) this.look(reference);
  }

  /** Whether the object has come meanwhile. */
  look(reference: Reference): void {
    this.#core.values.settleShared(reference);
    const watch = this.#watched.get(reference);
    if (reference.slot.state === 'pending' || watch === undefined) return;
    this.#watched.delete(reference);
    this.#core.changes.unwatch(watch);
  }

  /** What has not come will not come any more. */
  fail(error: Error): void {
    for (const { slot } of this.#watched.keys()) slot.settle('failed', error);
  }

  close(): void {
    this.#watched.clear();
  }
}

/** Undefined when there is none. */
function textOf(bytes: Uint8Array): string | undefined {
  return bytes.length === 0 ? undefined : new TextDecoder().decode(bytes);
}
