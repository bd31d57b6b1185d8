import {
  FunctionNotFoundError,
  RuntimeShutdownError,
  WorkerCrashedError,
} from '../common/errors.js';
import { Codec, type Encoded } from '../serialization/codec.js';
import { native } from '../store/binding.js';
import { Peer, type InboxRecord, type PeerAddress, type PeerOwner } from '../transport/peer.js';
import { readMessage, writeMessage, type Message } from '../transport/message.js';
import { maxPayloadBytes, Op, RecordKind } from '../transport/wire.js';
import { actorDied, Answer, resolveErrorClass, taskError } from './answers.js';
import type { Declaration } from './functions.js';
import { idBytes, PeerIds, writeId } from './ids.js';
import { ObjectRef, Reference, referenceOf } from './object-ref.js';
import {
  dependenciesBytes,
  Flag,
  prefixBytes,
  writeDependencies,
  writePrefix,
  writeUint32,
  type Dependency,
} from './payload.js';
import { References } from './references.js';
import { Availability, lost, SharedObjects, type Row } from './shared-objects.js';
import { ValueSlot } from './value-slot.js';

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
  /** Lives until the answer: the ref itself, and those in the arguments. */
  readonly held: ObjectRef[];
  argumentsRow: Row | undefined;
}

/** What else a core is, in a worker. */
export interface Executor {
  /** A task or a call has arrived. */
  receive(record: InboxRecord): void;
  /** All records of an exchange have; true asks for another exchange. */
  received(): boolean;
  wantedTasks(): number;
}

/**
 * One thread's part of a runtime (Ray's core worker): owns the results of what it submits, counts
 * the refs it borrows, and answers for both. Driver and workers differ by their executor only.
 */
export class Core implements PeerOwner {
  readonly peer: Peer;
  readonly codec: Codec;
  readonly ids: PeerIds;
  readonly objects: SharedObjects;
  readonly references = new References(this);
  executor: Executor | undefined;
  onMessage: (message: Message, from: PeerAddress) => void = () => undefined;
  /** A request is about to leave for this destination, for the first time or anew. */
  onRequest: (destination: Destination) => void = () => undefined;

  readonly #store: number;
  readonly #staysUp: boolean;
  readonly #pending = new Map<number, Pending>();
  readonly #published = new Set<number>();
  /** 32 hex digits, unique across machines. */
  readonly storeId: string;
  #sequence = 0;
  #closed = false;
  #awaiting = 0;

  /** Takes over `store`. A core that `staysUp` keeps its event loop alive even when idle. */
  constructor(store: number, queue: number, staysUp: boolean) {
    this.#store = store;
    this.#staysUp = staysUp;
    this.storeId = native.storeHandle(store)[2];
    this.codec = new Codec({ references: this.references, resolveErrorClass });
    this.objects = new SharedObjects(store, this.codec);
    this.peer = new Peer(store, queue, this);
    this.ids = new PeerIds(this.storeId, this.peer.address.uid);
    if (staysUp) this.peer.keepAlive(true);
  }

  get store(): number {
    return this.#store;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** How many reads of this thread wait for a value. */
  get awaiting(): number {
    return this.#awaiting;
  }

  /** How many requests wait for an answer. */
  get pendingRequests(): number {
    return this.#pending.size;
  }

  // --- Requests ------------------------------------------------------------------------------

  /** Sends a task or a call once its arguments that are refs have values. */
  request(request: Request): ObjectRef {
    this.assertOpen();
    this.publish(request.declaration);
    const sequence = ++this.#sequence;
    const reference = new Reference(this, sequence);
    const ref = new ObjectRef(reference);
    const pending: Pending = {
      reference,
      what: request.what,
      destination: request.destination,
      retries: request.retries,
      held: [ref],
      argumentsRow: undefined,
    };
    this.#pending.set(sequence, pending);
    try {
      const mustWait = request.order?.last?.state === 'pending';
      if (mustWait || request.args.some(isRef)) this.#sendWhenReady(request, pending);
      else this.#send(request, pending);
    } catch (error) {
      this.#finish(pending);
      throw error;
    }
    if (this.#pending.size === 1 && !this.#staysUp) this.peer.keepAlive(true);
    this.onRequest(request.destination);
    return ref;
  }

  #send({ destination, declaration, args, flags }: Request, pending: Pending): void {
    const { peer } = this;
    const start = peer.reserve();
    const encoded = this.codec.encodeListInto(args, peer.outbox, start + prefixBytes);
    // A getter among the arguments may have sent records of its own over the bytes written here.
    const intact = peer.reserve() === start;
    if (typeof encoded === 'number' && intact && encoded <= maxPayloadBytes - prefixBytes) {
      this.#hold(this.codec.takeReferences(), pending);
      writePrefix(peer.outbox, start, declaration.key, flags);
      this.#commit(destination, pending, prefixBytes + encoded);
      return;
    }
    const whole = typeof encoded === 'number' ? this.codec.encode(args) : encoded;
    this.#storeArguments(whole, pending);
    const offset = peer.reserve();
    writePrefix(peer.outbox, offset, declaration.key, flags | Flag.stored);
    writeId(pending.argumentsRow!.id, peer.outbox, offset + prefixBytes);
    this.#commit(destination, pending, prefixBytes + idBytes);
  }

  #commit({ op, target, targetUid }: Destination, { reference }: Pending, length: number): void {
    // The flags tell an actor's host which generation is meant.
    this.peer.commit(op, target, targetUid, targetUid, reference.sequence!, length);
  }

  #storeArguments(encoded: Encoded, pending: Pending): void {
    this.#hold(encoded.references, pending);
    pending.argumentsRow = this.objects.put(encoded, { addRef: true });
  }

  /** Refs inside the arguments live until the answer, and others can look them up. */
  #hold(references: readonly object[], pending: Pending): void {
    for (const ref of references) {
      if (!(ref instanceof ObjectRef)) continue;
      this.share(ref);
      pending.held.push(ref);
    }
  }

  #sendWhenReady(request: Request, pending: Pending): void {
    const awaited: Awaited[] = [];
    const plain = request.args.map((argument, index) => {
      if (!isRef(argument)) return argument;
      this.#assertUsable(referenceOf(argument));
      awaited.push({ index, ref: argument, slot: referenceOf(argument).slot });
      pending.held.push(argument);
      return undefined;
    });
    const encoded = this.codec.encode(plain);
    this.#hold(encoded.references, pending);
    const { order } = request;
    const gates = awaited.map(({ slot }) => slot);
    if (order?.last !== undefined) gates.push(order.last);
    const left = new ValueSlot();
    if (order !== undefined) order.last = left;
    whenAllSettled(gates, () => {
      if (!this.#closed) this.#sendOrFail(request, pending, encoded, awaited);
      left.settle('value');
    });
  }

  #sendOrFail(
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
        this.share(ref);
        return { index, content: ref.id };
      });
    }
    const length = fixedBytes + argumentBytes + dependenciesBytes(dependencies);
    if (length > maxPayloadBytes) {
      const limit = Math.floor((maxPayloadBytes - fixedBytes - idBytes) / (idBytes + 8));
      this.#fail(pending, new RangeError(`A task takes at most ${limit} refs as arguments`));
      return;
    }
    const { outbox } = this.peer;
    const offset = this.peer.reserve();
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
        return { index, content: bytesOf(this.codec.encode(slot.value)) };
      default:
        return { index, content: ref.id };
    }
  }

  /** Lets workers find the declaration behind a key: an object says where to import it. */
  publish({ key, module, name }: Declaration): void {
    if (this.#published.has(key)) return;
    const id = this.#declarationId(key);
    if (this.objects.addRef(id) === undefined) {
      this.objects.put(this.codec.encode([module, name]), { id, addRef: true });
    }
    this.#published.add(key);
  }

  /** Where a declaration that another thread has published can be imported. */
  async lookUp(key: number): Promise<{ module: string; name: string }> {
    const reference = this.references.borrow(this.#declarationId(key));
    try {
      const [module, name] = (await this.read(referenceOf(reference))) as [string, string];
      return { module, name };
    } catch (cause) {
      throw new FunctionNotFoundError('The thread that declared the function has ended', { cause });
    } finally {
      reference[Symbol.dispose]();
    }
  }

  #declarationId(key: number): string {
    return `${this.storeId.slice(0, 12)}ffffffff${key.toString(16).padStart(12, '0')}`;
  }

  // --- Answers -------------------------------------------------------------------------------

  receive(record: InboxRecord): void {
    switch (record.kind) {
      case RecordKind.completion:
        this.#complete(record);
        return;
      case RecordKind.bounced:
        this.#bounced(record);
        return;
      case RecordKind.message: {
        const message = readMessage(this.peer.inbox, record.start, record.end);
        this.onMessage(message, { slot: record.sender, uid: record.senderUid });
        return;
      }
      default:
        this.executor?.receive(record);
    }
  }

  received(): boolean {
    return this.executor?.received() ?? false;
  }

  wantedTasks(): number {
    return this.executor?.wantedTasks() ?? 0;
  }

  #complete({ sequence, flags, start, end }: InboxRecord): void {
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
    return this.codec.decodeAt(this.peer.inbox, start, end);
  }

  #settleRecord({ slot }: Reference, start: number, end: number): void {
    if (end - start <= glanceBytes) {
      const value = this.#decode(start, end);
      if (typeof value !== 'object' || value === null) {
        slot.settle('value', value);
        return;
      }
    }
    slot.settle('record', this.peer.inbox.slice(start, end));
  }

  /** The worker has counted a reference for this process; from here on it is counted here. */
  #settleStored({ reference, held }: Pending): void {
    if (reference.entry === undefined) {
      const row = this.objects.addRef(reference.id);
      if (row === undefined) {
        reference.slot.settle('failed', lost(reference.id));
        return;
      }
      this.references.count(held[0]!, reference, row);
    }
    reference.slot.settle('stored');
  }

  #bounced(record: InboxRecord): void {
    const pending = this.#pending.get(record.sequence);
    if (pending === undefined) return;
    if (pending.destination.op === Op.call) {
      const why = 'its worker ended, or it had ended before';
      this.#fail(pending, actorDied(pending.what, why));
      return;
    }
    if (pending.retries === 0) {
      const message = `The worker that ran ${pending.what} died; no retries are left`;
      this.#fail(pending, new WorkerCrashedError(message));
      return;
    }
    pending.retries--;
    const offset = this.peer.reserve();
    this.peer.outbox.set(this.peer.inbox.subarray(record.start, record.end), offset);
    this.#commit(pending.destination, pending, record.end - record.start);
    this.onRequest(pending.destination);
  }

  #fail(pending: Pending, error: Error): void {
    pending.reference.slot.settle('failed', error);
    this.#finish(pending);
  }

  #finish({ reference, argumentsRow }: Pending): void {
    this.#pending.delete(reference.sequence!);
    if (argumentsRow !== undefined) {
      this.objects.dropRef(argumentsRow.entry, argumentsRow.generation);
    }
    if (reference.entry !== undefined && reference.slot.state !== 'stored') {
      this.#keepPromise(reference);
    }
    if (reference.disposed) this.references.drop(reference);
    if (this.#pending.size === 0 && !this.#staysUp) this.peer.keepAlive(false);
  }

  /** Every request waiting for a worker fails: none will come. */
  failPending(error: Error, op: Destination['op'], target: number): void {
    for (const pending of [...this.#pending.values()]) {
      const { destination } = pending;
      if (destination.op === op && destination.target === target) this.#fail(pending, error);
    }
  }

  // --- Values --------------------------------------------------------------------------------

  put(value: unknown): ObjectRef {
    this.assertOpen();
    const row = this.objects.sealAllocated(value) ?? this.#putNew(value);
    const reference = new Reference(this, undefined, row.id);
    const ref = new ObjectRef(reference);
    reference.slot.settle('stored');
    this.references.count(ref, reference, row);
    return ref;
  }

  #putNew(value: unknown): Row {
    const encoded = this.codec.encode(value);
    return this.objects.put(encoded, { addRef: true, contained: this.contained(encoded) });
  }

  /** The ids of the refs in a value, which live as long as the object that holds the value. */
  contained({ references }: Pick<Encoded, 'references'>): Uint8Array | undefined {
    const refs = references.filter(isRef);
    if (refs.length === 0) return undefined;
    const ids = new Uint8Array(refs.length * idBytes);
    refs.forEach((ref, index) => {
      this.share(ref);
      writeId(ref.id, ids, index * idBytes);
    });
    return ids;
  }

  /** Makes sure that others who are given the ref find its value, now or later, in the store. */
  share(ref: ObjectRef): void {
    const reference = referenceOf(ref);
    this.#assertUsable(reference);
    if (reference.entry !== undefined) return;
    const { slot, id } = reference;
    if (slot.state === 'pending') {
      this.references.count(ref, reference, this.objects.promise(id));
      return;
    }
    const isError = slot.state === 'failed';
    const row = this.objects.put(this.#encodedSlot(slot), { id, addRef: true, isError });
    this.references.count(ref, reference, row);
  }

  /** A shared ref has settled here: its value goes where it was promised. */
  #keepPromise({ slot, id }: Reference): void {
    const isError = slot.state === 'failed';
    try {
      this.objects.put(this.#encodedSlot(slot), { id, addRef: false, isError });
    } catch {
      // There is no room: who waits for it learns that it is lost.
      native.storeDelete(this.#store, id);
    }
  }

  #encodedSlot(slot: ValueSlot): Encoded {
    if (slot.state === 'record') return recordOf(slot.record);
    return this.codec.encode(slot.state === 'failed' ? slot.error : slot.value);
  }

  /** The value of a ref, as often as it is asked for. */
  read(reference: Reference): Promise<unknown> {
    if (reference.slot.state !== 'pending') return this.#readSettled(reference);
    return new Promise((resolve) => {
      this.#countAwaiting(1);
      reference.slot.onSettled(() => {
        this.#countAwaiting(-1);
        resolve(this.#readSettled(reference));
      });
    });
  }

  #countAwaiting(change: number): void {
    this.#awaiting += change;
    // A task that waits lends its slot: there may be room for another one.
    if (this.executor !== undefined && this.peer.isOpen) this.peer.schedule();
  }

  // Not async: that would cost a promise and a turn more for each value.
  #readSettled(reference: Reference): Promise<unknown> {
    try {
      this.#assertUsable(reference);
      const { slot } = reference;
      switch (slot.state) {
        case 'value':
          return Promise.resolve(slot.value);
        case 'record':
          return Promise.resolve(this.codec.decode(slot.record));
        case 'failed':
          return Promise.reject(slot.error);
        default:
          this.assertOpen();
          return Promise.resolve(this.objects.read(reference.id));
      }
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Whether a shared object can be read, must be waited for, or has gone. */
  settleShared(reference: Reference): void {
    switch (this.objects.availability(reference.id)) {
      case Availability.ready:
        reference.slot.settle('stored');
        return;
      case Availability.pending:
        return;
      default:
        reference.slot.settle('failed', lost(reference.id));
    }
  }

  dispose(reference: Reference): void {
    if (reference.disposed) return;
    reference.disposed = true;
    // A pending one is dropped when its answer has come.
    if (reference.slot.state !== 'pending' || reference.sequence === undefined) {
      this.references.drop(reference);
    }
  }

  // --- Actors --------------------------------------------------------------------------------

  createActor(): [index: number, generation: number] {
    return native.peerCreateActor(this.peer.handle);
  }

  /** From now on the actor's calls go to `host`. False when one of them has ended. */
  hostActor(index: number, generation: number, host: PeerAddress): boolean {
    return native.peerHostActor(this.peer.handle, index, generation, host.slot, host.uid);
  }

  /** Calls that wait for a host fail, and so do all to come. */
  endActor(index: number, generation: number): void {
    native.peerEndActor(this.peer.handle, index, generation);
  }

  // --- Messages and life -----------------------------------------------------------------------

  send(message: Message, to: PeerAddress): void {
    const offset = this.peer.reserve();
    const length = writeMessage(message, this.peer.outbox, offset);
    this.peer.commit(Op.message, to.slot, to.uid, 0, 0, length);
  }

  assertOpen(): void {
    if (!this.#closed) return;
    throw new RuntimeShutdownError('The runtime has shut down: call init() to start another one');
  }

  #assertUsable(reference: Reference): void {
    if (reference.core !== this) reference.core.assertOpen();
    if (!reference.disposed) return;
    throw new ReferenceError(`ObjectRef(${reference.id}) was disposed: keep it, or get it before`);
  }

  /** Fails what is pending, and all that is asked from now on. */
  refuse(): void {
    if (this.#closed) return;
    this.#closed = true;
    const error = new RuntimeShutdownError('The runtime was shut down before the task had ended');
    for (const pending of [...this.#pending.values()]) {
      pending.reference.slot.settle('failed', error);
    }
    this.#pending.clear();
  }

  /** Gives everything back. Idempotent. */
  close(): void {
    this.refuse();
    if (!this.peer.isOpen) return;
    this.references.close();
    this.objects.close();
    this.peer.close();
    native.storeClose(this.#store);
  }
}

/** Calls `listener` once all slots have settled: now, if they have. */
function whenAllSettled(slots: readonly ValueSlot[], listener: () => void): void {
  const pending = slots.filter((slot) => slot.state === 'pending');
  let left = pending.length;
  if (left === 0) listener();
  for (const slot of pending) {
    slot.onSettled(() => {
      if (--left === 0) listener();
    });
  }
}

function isRef(value: unknown): value is ObjectRef {
  return value instanceof ObjectRef;
}

function bytesOf(encoded: Encoded): Uint8Array {
  const bytes = new Uint8Array(encoded.size);
  encoded.write(bytes, 0);
  return bytes;
}

/** A record that has been written already. */
function recordOf(record: Uint8Array): Encoded {
  return {
    size: record.length,
    outOfBand: false,
    references: [],
    write: (target, offset) => target.set(record, offset),
  };
}
