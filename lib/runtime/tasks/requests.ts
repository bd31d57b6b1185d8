import { WorkerCrashedError } from '../../common/errors.js';
import type { Encoded } from '../../serialization/codec.js';
import { endedPeer, type InboxRecord } from '../../transport/peer.js';
import { maxPayloadBytes, Op } from '../../transport/wire.js';
import { actorDied, Answer, taskError } from './answers.js';
import type { Core } from '../core.js';
import type { Declaration } from './functions.js';
import { idBytes, writeId } from '../objects/ids.js';
import { isRef, ObjectRef, Reference, referenceOf } from '../objects/object-ref.js';
import {
  dependenciesBytes,
  Flag,
  prefixBytes,
  writeDependencies,
  writePrefix,
  writeUint32,
  type Dependency,
} from './payload.js';
import { lost, type Row } from '../objects/shared-objects.js';
import { ValueSlot, whenAllSettled } from '../objects/value-slot.js';

/** Results up to this size are worth a look whether they are primitives. */
const glanceBytes = 32;

/** Where a request goes: a run queue, or an actor. */
export interface Destination {
  readonly op: typeof Op.submit | typeof Op.call;
  readonly target: number;
  readonly targetUid: number;
}

/** A task or a call that is about to be sent. */
export interface Request {
  readonly destination: Destination;
  readonly declaration: Declaration;
  /** For a user to recognise it by: a function's or actor's name. */
  readonly what: string;
  readonly args: readonly unknown[];
  readonly flags: number;
  /** How often it may be sent again after its worker died. */
  readonly retries: number;
  /** Requests that share an order leave in the order in which they were made. */
  readonly order?: Order;
}

/** `last` settles when the request that was made last has left. */
export interface Order {
  last: ValueSlot | undefined;
}

/** An argument that is a ref. */
interface Awaited {
  readonly index: number;
  readonly ref: ObjectRef;
  readonly slot: ValueSlot;
}

interface Pending {
  readonly reference: Reference;
  readonly what: string;
  readonly destination: Destination;
  retries: number;
  /** In use until the answer: the ref itself, and those in the arguments. */
  readonly ref: ObjectRef;
  used: ObjectRef[] | undefined;
  argumentsRow: Row | undefined;
}

/**
 * The tasks and calls that a core has sent or is about to send, from the arguments to the answer.
 * It owns their results.
 */
export class Requests {
  /** A request is about to leave for this destination, for the first time or anew. */
  onRequest: (destination: Destination) => void = () => undefined;
  readonly #core: Core;
  readonly #pending = new Map<number, Pending>();
  #sequence = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  /** How many wait for an answer. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Sends a task or a call once its arguments that are refs have values. */
  send(request: Request): ObjectRef {
    this.#core.assertOpen();
    this.#core.declarations.publish(request.declaration);
    const sequence = ++this.#sequence;
    const reference = new Reference(this.#core, sequence);
    const ref = new ObjectRef(reference);
    const pending: Pending = {
      reference,
      what: request.what,
      destination: request.destination,
      retries: request.retries,
      ref,
      used: undefined,
      argumentsRow: undefined,
    };
    reference.users = 1;
    this.#pending.set(sequence, pending);
    try {
      const mustWait = request.order?.last?.state === 'pending';
      if (mustWait || request.args.some(isRef)) this.#sendWhenReady(request, pending);
      else this.#send(request, pending);
    } catch (error) {
      this.#finish(pending);
      throw error;
    }
    if (this.#pending.size === 1) this.#core.setBusy(true);
    this.onRequest(request.destination);
    return ref;
  }

  #send({ destination, declaration, args, flags }: Request, pending: Pending): void {
    const { codec, peer } = this.#core;
    const start = peer.reserve();
    const encoded = codec.encodeListInto(args, peer.outbox, start + prefixBytes);
    // A getter among the arguments may have sent records of its own over the bytes written here.
    const intact = peer.reserve() === start;
    if (typeof encoded === 'number' && intact && encoded <= maxPayloadBytes - prefixBytes) {
      this.#shareNested(codec.takeReferences(), pending);
      writePrefix(peer.outbox, start, declaration.key, flags);
      this.#commit(destination, pending, prefixBytes + encoded);
      return;
    }
    const whole = typeof encoded === 'number' ? codec.encode(args) : encoded;
    this.#shareNested(whole.references, pending);
    this.#storeArguments(whole, pending);
    const offset = peer.reserve();
    writePrefix(peer.outbox, offset, declaration.key, flags | Flag.stored);
    writeId(pending.argumentsRow!.id, peer.outbox, offset + prefixBytes);
    this.#commit(destination, pending, prefixBytes + idBytes);
  }

  #commit({ op, target, targetUid }: Destination, { reference }: Pending, length: number): void {
    // The flags tell an actor's host which generation is meant.
    this.#core.peer.commit(op, target, targetUid, targetUid, reference.sequence!, length);
  }

  #storeArguments(encoded: Encoded, pending: Pending): void {
    pending.argumentsRow = this.#core.objects.put(encoded, { addRef: true });
  }

  /** The worker will look up the refs inside the arguments in the store. */
  #shareNested(references: readonly object[], pending: Pending): void {
    for (const ref of references) {
      if (!isRef(ref)) continue;
      this.#core.values.share(ref);
      use(ref, pending);
    }
  }

  #sendWhenReady(request: Request, pending: Pending): void {
    const awaited: Awaited[] = [];
    const plain = request.args.map((argument, index) => {
      if (!isRef(argument)) return argument;
      this.#core.values.assertUsable(referenceOf(argument));
      awaited.push({ index, ref: argument, slot: referenceOf(argument).slot });
      use(argument, pending);
      return undefined;
    });
    const encoded = this.#core.codec.encode(plain);
    this.#shareNested(encoded.references, pending);
    const { order } = request;
    const gates = awaited.map(({ slot }) => slot);
    if (order?.last !== undefined) gates.push(order.last);
    const left = new ValueSlot();
    if (order !== undefined) order.last = left;
    whenAllSettled(gates, () => {
      if (!this.#core.isClosed) this.#sendResolvedOrFail(request, pending, encoded, awaited);
      left.settle('value');
    });
  }

  #sendResolvedOrFail(
    request: Request,
    pending: Pending,
    encoded: Encoded,
    awaited: readonly Awaited[],
  ): void {
    const failed = awaited.find(({ slot }) => slot.state === 'failed');
    if (failed !== undefined) {
      this.#fail(pending, failed.slot.error);
      return;
    }
    try {
      this.#sendResolved(request, pending, encoded, awaited);
    } catch (error) {
      this.#fail(pending, error as Error);
    }
  }

  #sendResolved(
    { destination, declaration, flags }: Request,
    pending: Pending,
    encoded: Encoded,
    awaited: readonly Awaited[],
  ): void {
    let dependencies = awaited.map((one) => this.#dependencyOf(one));
    const fixedBytes = prefixBytes + 4;
    if (encoded.outOfBand || fixedBytes + encoded.size > maxPayloadBytes / 2) {
      this.#storeArguments(encoded, pending);
    }
    const stored = pending.argumentsRow;
    const argumentBytes = stored === undefined ? encoded.size : idBytes;
    if (fixedBytes + argumentBytes + dependenciesBytes(dependencies) > maxPayloadBytes) {
      dependencies = awaited.map(({ index, ref }) => {
        this.#core.values.shareInUse(ref);
        return { index, content: ref.id };
      });
    }
    const length = fixedBytes + argumentBytes + dependenciesBytes(dependencies);
    if (length > maxPayloadBytes) {
      const limit = Math.floor((maxPayloadBytes - fixedBytes - idBytes) / (idBytes + 8));
      this.#fail(pending, new RangeError(`A task takes at most ${limit} refs as arguments`));
      return;
    }
    const { outbox } = this.#core.peer;
    const offset = this.#core.peer.reserve();
    const storedFlag = stored === undefined ? 0 : Flag.stored;
    writePrefix(outbox, offset, declaration.key, flags | Flag.dependencies | storedFlag);
    writeUint32(outbox, offset + prefixBytes, argumentBytes);
    if (stored === undefined) encoded.write(outbox, offset + fixedBytes);
    else writeId(stored.id, outbox, offset + fixedBytes);
    writeDependencies(outbox, offset + fixedBytes + argumentBytes, dependencies);
    this.#commit(destination, pending, length);
  }

  #dependencyOf({ index, ref, slot }: Awaited): Dependency {
    switch (slot.state) {
      case 'record':
        return { index, content: slot.record };
      case 'value':
        return { index, content: bytesOf(this.#core.codec.encode(slot.value)) };
      default:
        return { index, content: ref.id };
    }
  }

  /** Takes the answer to a request. */
  complete({ sequence, flags, start, end }: InboxRecord): void {
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return;
    const { reference, what } = pending;
    switch (flags) {
      case Answer.value:
        this.#settleRecord(reference, start, end);
        break;
      case Answer.stored:
        this.#settleStored(pending);
        break;
      case Answer.thrown:
        reference.slot.settle('failed', taskError(what, this.#decode(start, end)));
        break;
      default:
        reference.slot.settle('failed', this.#decode(start, end));
    }
    this.#finish(pending);
  }

  #decode(start: number, end: number): unknown {
    return this.#core.codec.decodeAt(this.#core.peer.inbox, start, end);
  }

  #settleRecord({ slot }: Reference, start: number, end: number): void {
    if (end - start <= glanceBytes) {
      const value = this.#decode(start, end);
      if (typeof value !== 'object' || value === null) {
        slot.settle('value', value);
        return;
      }
    }
    slot.settle('record', this.#core.peer.inbox.slice(start, end));
  }

  /** The worker has counted a reference for this process; from here on it is counted here. */
  #settleStored({ reference, ref }: Pending): void {
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

  /** A request comes back: whoever should have run it is gone. */
  bounced(record: InboxRecord): void {
    const pending = this.#pending.get(record.sequence);
    if (pending === undefined) return;
    if (pending.destination.op === Op.call || pending.retries === 0) {
      this.#failCrashed(pending, endedPeer(record));
      return;
    }
    pending.retries--;
    const { inbox, outbox } = this.#core.peer;
    const offset = this.#core.peer.reserve();
    outbox.set(inbox.subarray(record.start, record.end), offset);
    this.#commit(pending.destination, pending, record.end - record.start);
    this.onRequest(pending.destination);
  }

  /** Waits a little for the reason, if a worker has ended. */
  #failCrashed(pending: Pending, ended: number | undefined): void {
    const fail = (reason?: string) => {
      if (this.#pending.get(pending.reference.sequence!) !== pending) return;
      this.#fail(pending, crashError(pending, reason));
    };
    if (ended === undefined) fail();
    else this.#core.ends.reasonOf(ended, fail);
  }

  #fail(pending: Pending, error: Error): void {
    pending.reference.slot.settle('failed', error);
    this.#finish(pending);
  }

  #finish({ reference, used, argumentsRow }: Pending): void {
    this.#pending.delete(reference.sequence!);
    if (argumentsRow !== undefined) {
      this.#core.objects.dropRef(argumentsRow.entry, argumentsRow.generation);
    }
    this.#core.values.keepPromise(reference);
    this.#core.values.endUse(reference);
    if (used !== undefined) for (const ref of used) this.#core.values.endUse(referenceOf(ref));
    if (this.#pending.size === 0) this.#core.setBusy(false);
  }

  /** Every request waiting for a worker fails: none will come. */
  fail(error: Error, op: Destination['op'], target: number): void {
    for (const pending of [...this.#pending.values()]) {
      const { destination } = pending;
      if (destination.op === op && destination.target === target) this.#fail(pending, error);
    }
  }

  /** Nothing will be answered any more. */
  close(error: Error): void {
    for (const { reference } of this.#pending.values()) reference.slot.settle('failed', error);
    this.#pending.clear();
  }
}

function crashError({ destination, what }: Pending, reason: string | undefined): Error {
  const why = reason === undefined ? '' : `: ${reason}`;
  if (destination.op !== Op.call) {
    return new WorkerCrashedError(`The worker that ran ${what} died${why}; no retries are left`);
  }
  return actorDied(what, why === '' ? 'it had ended before' : `its worker ended${why}`);
}

function use(ref: ObjectRef, pending: Pending): void {
  (pending.used ??= []).push(ref);
  referenceOf(ref).users++;
}

function bytesOf(encoded: Encoded): Uint8Array {
  const bytes = new Uint8Array(encoded.size);
  encoded.write(bytes, 0);
  return bytes;
}
