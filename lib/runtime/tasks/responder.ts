import { ObjectFreedError } from '../../common/errors.js';
import type { Encoded } from '../../serialization/codec.js';
import { native } from '../../store/binding.js';
import type { InboxRecord } from '../../transport/peer.js';
import { maxPayloadBytes, Op } from '../../transport/wire.js';
import type { Core } from '../core.js';
import { forwardTo } from '../objects/forward.js';
import { idBytes, PeerIds, writeId } from '../objects/ids.js';
import { Answer, encodableError } from './answers.js';

/** What a task or call that has arrived needs to be answered. */
export interface Incoming {
  readonly handle: number;
  readonly sender: number;
  readonly senderUid: number;
  readonly sequence: number;
}

export function incomingOf({ handle, sender, senderUid, sequence }: InboxRecord): Incoming {
  return { handle, sender, senderUid, sequence };
}

/** Which of an asker's results a value is. */
interface Place {
  readonly op: typeof Op.complete | typeof Op.item;
  readonly index: number;
  /** Its id follows from the asker's number; that of a stream's item is news. */
  readonly isNamed: boolean;
}

const whole: Place = { op: Op.complete, index: 0, isNamed: true };

/** Answers tasks and calls: small values in the answer itself, others through the store. */
export class Responder {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Answers with a value; with the reason instead, when it cannot be encoded or stored. */
  value(to: Incoming, value: unknown): void {
    this.#answer(to, value, whole);
  }

  /**
   * One of several results, before the answer. False when the reason why it cannot be sent was the
   * answer.
   */
  result(to: Incoming, index: number, value: unknown): boolean {
    return this.#answer(to, value, { op: Op.item, index, isNamed: true });
  }

  /** As {@link result}, for an item of a stream. */
  streamed(to: Incoming, index: number, value: unknown): boolean {
    return this.#answer(to, value, { op: Op.item, index, isNamed: false });
  }

  #answer(to: Incoming, value: unknown, place: Place): boolean {
    try {
      this.#value(to, value, place);
      return true;
    } catch (error) {
      this.failed(to, error);
      return false;
    }
  }

  #value(to: Incoming, value: unknown, place: Place): void {
    const { codec, peer, values } = this.#core;
    const allocated = values.putAllocated(value);
    if (allocated !== undefined) {
      this.#store(to, forwardTo(allocated), place);
      allocated[Symbol.dispose]();
      return;
    }
    const start = peer.reserve();
    const encoded = codec.encodeInto(value, peer.outbox, start);
    if (typeof encoded !== 'number') {
      this.#store(to, encoded, place);
      return;
    }
    const references = codec.takeReferences();
    // A getter in the value may have sent records of its own over the bytes written here.
    const intact = peer.reserve() === start;
    if (!intact || references.length > 0 || encoded > maxPayloadBytes) {
      this.#store(to, codec.encode(value), place);
      return;
    }
    peer.commit(place.op, to.handle, place.index, Answer.value, 0, encoded);
  }

  /** The asker's process holds the object from the moment it is sealed. */
  #store(to: Incoming, encoded: Encoded, { op, index, isNamed }: Place): void {
    const core = this.#core;
    const refClient = native.peerClient(core.peer.handle, to.sender, to.senderUid);
    if (refClient === undefined) return;
    const contained = core.values.contained(encoded);
    const id = isNamed
      ? new PeerIds(core.storeId, to.senderUid).of(to.sequence + index)
      : undefined;
    const named = id === undefined ? {} : { id, replace: true };
    let storedId = '';
    try {
      storedId = core.objects.put(encoded, { ...named, addRef: false, contained, refClient }).id;
    } catch (error) {
      // Who has freed it knows, and needs no more than an answer.
      if (!(error instanceof ObjectFreedError)) throw error;
    }
    const start = core.peer.reserve();
    if (!isNamed) writeId(storedId, core.peer.outbox, start);
    core.peer.commit(op, to.handle, index, Answer.stored, 0, isNamed ? 0 : idBytes);
  }

  /** Answers with what the user's code threw. */
  thrown(to: Incoming, error: unknown): void {
    this.#error(to, Answer.thrown, error);
  }

  /** Answers with the reason why there is no value. */
  failed(to: Incoming, error: unknown): void {
    this.#error(to, Answer.failed, error);
  }

  #error(to: Incoming, answer: number, error: unknown): void {
    const { codec, peer } = this.#core;
    const encoded = codec.encode(this.#shortened(encodableError(codec, error)));
    const start = peer.reserve();
    encoded.write(peer.outbox, start);
    peer.commit(Op.complete, to.handle, 0, answer, 0, encoded.size);
  }

  /** Errors travel in the answer: what makes one too large for that is left behind. */
  #shortened(error: unknown): unknown {
    const encoded = this.#core.codec.encode(error);
    if (!encoded.outOfBand && encoded.size <= maxPayloadBytes) return error;
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const short = new Error(message.slice(0, 1000));
    short.name = name;
    return short;
  }
}
