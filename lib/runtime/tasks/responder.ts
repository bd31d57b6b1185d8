import { ObjectFreedError } from '../../common/errors.js';
import type { Encoded } from '../../serialization/codec.js';
import { native } from '../../store/binding.js';
import type { InboxRecord } from '../../transport/peer.js';
import { maxPayloadBytes, Op } from '../../transport/wire.js';
import { Answer, encodableError } from './answers.js';
import type { Core } from '../core.js';
import { PeerIds } from '../objects/ids.js';

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

/** Answers tasks and calls: small values in the answer itself, others through the store. */
export class Responder {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Answers with a value; with the reason instead, when it cannot be encoded or stored. */
  value(to: Incoming, value: unknown): void {
    try {
      this.#value(to, value);
    } catch (error) {
      this.failed(to, error);
    }
  }

  #value(to: Incoming, value: unknown): void {
    const { codec, peer } = this.#core;
    const start = peer.reserve();
    const encoded = codec.encodeInto(value, peer.outbox, start);
    if (typeof encoded !== 'number') {
      this.#store(to, encoded);
      return;
    }
    const references = codec.takeReferences();
    // A getter in the value may have sent records of its own over the bytes written here.
    const intact = peer.reserve() === start;
    if (!intact || references.length > 0 || encoded > maxPayloadBytes) {
      this.#store(to, codec.encode(value));
      return;
    }
    peer.commit(Op.complete, to.handle, 0, Answer.value, 0, encoded);
  }

  /** The asker's process holds the object from the moment it is sealed. */
  #store(to: Incoming, encoded: Encoded): void {
    const core = this.#core;
    const refClient = native.peerClient(core.peer.handle, to.sender, to.senderUid);
    const contained = core.values.contained(encoded);
    const id = new PeerIds(core.storeId, to.senderUid).of(to.sequence);
    try {
      if (refClient !== undefined) {
        core.objects.put(encoded, { id, replace: true, addRef: false, contained, refClient });
      }
    } catch (error) {
      // Who has freed it knows, and needs no more than an answer.
      if (!(error instanceof ObjectFreedError)) throw error;
    }
    core.peer.reserve();
    core.peer.commit(Op.complete, to.handle, 0, Answer.stored, 0, 0);
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
