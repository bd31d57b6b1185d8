import type { Encoded } from '../../serialization/codec.js';
import { maxPayloadBytes, Op, TaskFlag } from '../../transport/wire.js';
import { anchorIn } from '../actors/actor-handle.js';
import type { Core } from '../core.js';
import { idBytes, writeId } from '../objects/ids.js';
import { isRef, referenceOf, type ObjectRef } from '../objects/object-ref.js';
import type { Row } from '../objects/shared-objects.js';
import { ValueSlot, whenAllSettled } from '../objects/value-slot.js';
import type { PendingRequest, Request } from './request.js';
import type { RetryPolicy } from './retry-policy.js';
import {
  dependenciesBytes,
  Flag,
  prefixBytes,
  writeDependencies,
  writePrefix,
  writeUint32,
  type Dependency,
} from './task-spec.js';

/** An argument that is a ref. */
interface Awaited {
  readonly index: number;
  readonly ref: ObjectRef;
  readonly slot: ValueSlot;
}

/** What a {@link SpecSender} tells the owner of the requests. */
export interface SpecOwner {
  /** False once the request has been answered or cancelled. */
  isPending(pending: PendingRequest): boolean;
  fail(pending: PendingRequest, error: unknown): void;
}

const noBytes = new Uint8Array(0);
const none: readonly never[] = [];
/** Terms leave this much room for arguments. */
const maxTermsBytes = maxPayloadBytes / 2;

/**
 * Encodes requests into the outbox: at once, or when the refs among the arguments have values. What
 * is too large for a record goes through the store.
 */
export class SpecSender {
  readonly #core: Core;
  readonly #owner: SpecOwner;

  constructor(core: Core, owner: SpecOwner) {
    this.#core = core;
    this.#owner = owner;
  }

  /** Throws for arguments that cannot be sent. */
  send(request: Request, pending: PendingRequest): void {
    const allocated = this.#core.objects.hasAllocations ? this.#sealArguments(request.args) : none;
    if (allocated.length === 0) this.#sendOrWait(request, pending);
    else this.#sendAllocated(request, pending, allocated);
  }

  /** Arrays that are arguments and lie in the store already are passed as refs. */
  #sealArguments(args: readonly unknown[]): readonly (readonly [number, ObjectRef])[] {
    const sealed: [number, ObjectRef][] = [];
    args.forEach((argument, index) => {
      const ref = this.#core.values.putAllocated(argument);
      if (ref !== undefined) sealed.push([index, ref]);
    });
    return sealed;
  }

  #sendAllocated(
    request: Request,
    pending: PendingRequest,
    allocated: readonly (readonly [number, ObjectRef])[],
  ): void {
    const args = [...request.args];
    for (const [index, ref] of allocated) args[index] = ref;
    this.#sendOrWait({ ...request, args }, pending);
    for (const [, ref] of allocated) ref[Symbol.dispose]();
  }

  #sendOrWait(request: Request, pending: PendingRequest): void {
    const mustWait = request.order?.last?.state === 'pending';
    if (mustWait || request.args.some(isRef)) this.#sendWhenReady(request, pending);
    else this.#send(request, pending);
  }

  /** Sends again what has been sent before, from a copy. */
  resend(pending: PendingRequest, op: number, spec: Uint8Array): void {
    const { outbox } = this.#core.peer;
    const offset = this.#core.peer.reserve();
    outbox.set(spec, offset);
    this.#commit(pending, op, offset, spec.length);
  }

  #send(request: Request, pending: PendingRequest): void {
    const { route, args, flags, terms } = request;
    const { codec, peer } = this.#core;
    const { declaration, destination } = route;
    const encodedTerms = this.#encodeTerms(terms, pending);
    const start = peer.reserve();
    const first = start + prefixBytes + sectionBytes(encodedTerms);
    const encoded = codec.encodeArgumentsInto(args, beforeArguments(request), peer.outbox, first);
    // A getter among the arguments may have sent records of its own over the bytes written here.
    const intact = peer.reserve() === start;
    if (typeof encoded === 'number' && intact && first - start + encoded <= maxPayloadBytes) {
      this.#shareNested(codec.takeReferences(), pending);
      this.#writeHead(start, declaration.key, flags, encodedTerms);
      this.#commit(pending, destination.op, start, first - start + encoded);
      return;
    }
    const whole =
      typeof encoded === 'number' ? codec.encodeArguments(args, beforeArguments(request)) : encoded;
    this.#shareNested(whole.references, pending);
    const argumentsRow = (pending.argumentsRow = this.#put(whole));
    const offset = peer.reserve();
    const at = this.#writeHead(offset, declaration.key, flags | Flag.stored, encodedTerms);
    writeId(argumentsRow.id, peer.outbox, at);
    this.#commit(pending, destination.op, offset, at + idBytes - offset);
  }

  #encodeTerms(terms: Request['terms'], pending: PendingRequest): Uint8Array {
    if (terms === undefined) return noBytes;
    const encoded = this.#core.codec.encode(terms);
    this.#shareNested(encoded.references, pending);
    if (encoded.size <= maxTermsBytes && !encoded.outOfBand) return bytesOf(encoded);
    throw new RangeError(
      `The values of the AsyncLocalStorages that travel with ${pending.what} take ` +
        `${encoded.size} bytes: at most ${maxTermsBytes} can`,
    );
  }

  /** Returns where the arguments begin. */
  #writeHead(offset: number, key: number, flags: number, terms: Uint8Array): number {
    const { outbox } = this.#core.peer;
    const first = offset + prefixBytes;
    if (terms.length === 0) {
      writePrefix(outbox, offset, key, flags);
      return first;
    }
    writePrefix(outbox, offset, key, flags | Flag.terms);
    writeUint32(outbox, first, terms.length);
    outbox.set(terms, first + 4);
    return first + 4 + terms.length;
  }

  #commit(pending: PendingRequest, op: number, offset: number, length: number): void {
    const { destination, policy } = pending.route;
    const { peer } = this.#core;
    if (policy.retryErrors !== false) {
      pending.spec = peer.outbox.slice(offset, offset + length);
    }
    const { target, detail } = destination;
    const flags = op === Op.call ? timesOf(policy) : this.#taskFlags(policy);
    peer.commit(op, target, detail, flags, pending.sequence, length);
    pending.isSent = true;
  }

  #taskFlags({ retries }: RetryPolicy): number {
    if (retries === 0) return 0;
    return this.#core.lineage.isKept
      ? TaskFlag.mayRunAgain | TaskFlag.wantedBack
      : TaskFlag.mayRunAgain;
  }

  #put(encoded: Encoded): Row {
    const put = () => this.#core.objects.put(encoded, { addRef: true });
    return this.#core.room.now(encoded.size, put);
  }

  /** The worker will look up the refs inside the arguments in the store. */
  #shareNested(references: readonly object[], pending: PendingRequest): void {
    for (const value of references) {
      const ref = isRef(value) ? value : anchorIn(value);
      if (ref === undefined) continue;
      this.#core.values.share(ref);
      use(ref, pending);
    }
  }

  #sendWhenReady(request: Request, pending: PendingRequest): void {
    const awaited: Awaited[] = [];
    const plain = request.args.map((argument, index) => {
      if (!isRef(argument)) return argument;
      this.#core.values.assertUsable(referenceOf(argument));
      this.#core.lost.notice(referenceOf(argument));
      awaited.push({ index, ref: argument, slot: referenceOf(argument).slot });
      use(argument, pending);
      return undefined;
    });
    const terms = this.#encodeTerms(request.terms, pending);
    const encoded = this.#core.codec.encodeArguments(plain, beforeArguments(request));
    this.#shareNested(encoded.references, pending);
    const { order } = request;
    const gates = awaited.map(({ slot }) => slot);
    const before = order?.last === undefined ? none : [order.last];
    gates.push(...before);
    const left = new ValueSlot();
    if (order !== undefined) {
      order.last = left;
      pending.giveUpPlace = () => whenAllSettled(before, () => left.settle('value'));
    }
    whenAllSettled(gates, () => {
      if (this.#owner.isPending(pending)) {
        this.#sendResolvedOrFail(request, pending, terms, encoded, awaited);
      }
      left.settle('value');
    });
  }

  #sendResolvedOrFail(
    request: Request,
    pending: PendingRequest,
    terms: Uint8Array,
    encoded: Encoded,
    awaited: readonly Awaited[],
  ): void {
    const failed = awaited.find(({ slot }) => slot.state === 'failed');
    if (failed !== undefined) {
      this.#owner.fail(pending, failed.slot.error);
      return;
    }
    try {
      this.#sendResolved(request, pending, terms, encoded, awaited);
    } catch (error) {
      this.#owner.fail(pending, error);
    }
  }

  #sendResolved(
    { route, flags }: Request,
    pending: PendingRequest,
    terms: Uint8Array,
    encoded: Encoded,
    awaited: readonly Awaited[],
  ): void {
    const dependencies = awaited.map((one) => this.#dependencyOf(one));
    const fixedBytes = prefixBytes + sectionBytes(terms) + 4;
    const argumentsLimit = (maxPayloadBytes - fixedBytes) / 2;
    if (encoded.outOfBand || encoded.size > argumentsLimit) {
      pending.argumentsRow = this.#put(encoded);
    }
    const argumentBytes = pending.rare?.argumentsRow === undefined ? encoded.size : idBytes;
    const dependencyBytes = dependenciesBytes(dependencies);
    if (fixedBytes + argumentBytes + dependencyBytes > maxPayloadBytes) {
      const bytes = new Uint8Array(dependencyBytes);
      writeDependencies(bytes, 0, dependencies);
      pending.dependenciesRow = this.#put(this.#core.codec.encode(bytes));
    }
    const { argumentsRow, dependenciesRow } = pending.rare ?? {};
    const { outbox } = this.#core.peer;
    const offset = this.#core.peer.reserve();
    const stored = argumentsRow === undefined ? 0 : Flag.stored;
    const storedToo = dependenciesRow === undefined ? 0 : Flag.storedDependencies;
    const allFlags = flags | Flag.dependencies | stored | storedToo;
    let at = this.#writeHead(offset, route.declaration.key, allFlags, terms);
    writeUint32(outbox, at, argumentBytes);
    at += 4;
    if (argumentsRow === undefined) encoded.write(outbox, at);
    else writeId(argumentsRow.id, outbox, at);
    at += argumentBytes;
    if (dependenciesRow === undefined) {
      writeDependencies(outbox, at, dependencies);
      at += dependencyBytes;
    } else {
      writeId(dependenciesRow.id, outbox, at);
      at += idBytes;
    }
    this.#commit(pending, route.destination.op, offset, at - offset);
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
}

/** How often a call runs again is a matter of its actor's row, not of this thread. */
function timesOf({ retries }: RetryPolicy): number {
  return retries === Infinity ? -1 : retries;
}

/** The arguments of a call stand behind the method's name. */
function beforeArguments({ route, flags }: Request): number {
  return route.destination.op === Op.call && (flags & Flag.construct) === 0 ? 1 : 0;
}

function sectionBytes(bytes: Uint8Array): number {
  return bytes.length === 0 ? 0 : 4 + bytes.length;
}

/** The request needs the ref until it is answered. */
export function use(ref: ObjectRef, pending: PendingRequest): void {
  pending.use(ref);
  const reference = referenceOf(ref);
  reference.users++;
  reference.core.unobserved.observe(reference);
}

function bytesOf(encoded: Encoded): Uint8Array {
  const bytes = new Uint8Array(encoded.size);
  encoded.write(bytes, 0);
  return bytes;
}
