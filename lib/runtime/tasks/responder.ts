import { ObjectFreedError } from '../../common/errors.js';
import type { Encoded } from '../../serialization/codec.js';
import { native } from '../../store/binding.js';
import type { InboxRecord } from '../../transport/peer.js';
import { maxPayloadBytes, Op } from '../../transport/wire.js';
import type { Core } from '../core.js';
import { forwardTo } from '../objects/forward.js';
import { idBytes, PeerIds, writeId } from '../objects/ids.js';
import type { ObjectRef } from '../objects/object-ref.js';
import type { RunningTask } from './running-task.js';
import { Answer, encodableError, shortened } from './answers.js';

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

/** Whether a result is on its way: now, or when it has found room. False when it never will be. */
export type Sent = boolean | Promise<boolean>;

/** The results that a task has before its answer. */
export class Delivery {
  readonly #task: RunningTask | undefined;
  #hasFailed = false;
  /** One of them is in the store. */
  hasStored = false;

  /** With a `task`, they are no longer wanted when it has ended. */
  constructor(task?: RunningTask) {
    this.#task = task;
  }

  /** One of them cannot be sent, and the reason is the answer. */
  fail(): void {
    this.#hasFailed = true;
  }

  /** What still waits for room need not be sent. */
  get isOver(): boolean {
    return this.#hasFailed || this.#task?.ended === true;
  }
}

/**
 * Answers tasks and calls: small values in the answer itself, others through the store, as soon as
 * there is room.
 */
export class Responder {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Answers with a value; with the reason instead, when it cannot be encoded or stored. */
  value(to: Incoming, value: unknown): void {
    void this.#send(to, value, whole);
  }

  /** Answers with what the code has returned: the results in it, when it was asked for several. */
  returned({ incoming, terms }: RunningTask, value: unknown): void {
    const { returns } = terms;
    if (returns === undefined) this.value(incoming, value);
    else if (Array.isArray(value) && value.length === returns) void this.#results(incoming, value);
    else this.thrown(incoming, notSoMany(returns, value));
  }

  /**
   * Several results and then the answer, unless the reason why one of them cannot be sent was the
   * answer.
   */
  async #results(to: Incoming, values: readonly unknown[]): Promise<void> {
    const delivery = new Delivery();
    const waiting: Promise<boolean>[] = [];
    for (const [index, value] of values.entries()) {
      const sent = this.#send(to, value, { op: Op.item, index, isNamed: true }, delivery);
      if (sent === false) return;
      if (sent !== true) waiting.push(sent);
    }
    if (waiting.length > 0) await Promise.all(waiting);
    if (delivery.isOver) return;
    if (delivery.hasStored) this.#inStore(to);
    else this.value(to, undefined);
  }

  /** All of its results have been sent, and some of them are in the store. */
  #inStore({ handle }: Incoming): void {
    const { peer } = this.#core;
    peer.reserve();
    peer.commit(Op.complete, handle, 0, Answer.stored, 0, 0);
  }

  /**
   * An item of a stream, before the answer. It goes at once: the next one may take long. When it
   * cannot be sent, the reason is the answer.
   */
  streamed(to: Incoming, index: number, value: unknown, delivery: Delivery): Sent {
    const sent = this.#send(to, value, { op: Op.item, index, isNamed: false }, delivery);
    this.#core.peer.flush();
    return sent;
  }

  #send(to: Incoming, value: unknown, place: Place, delivery?: Delivery): Sent {
    try {
      return this.#value(to, value, place, delivery);
    } catch (error) {
      delivery?.fail();
      this.failed(to, error);
      return false;
    }
  }

  #value(to: Incoming, value: unknown, place: Place, delivery: Delivery | undefined): Sent {
    const { codec, peer, values } = this.#core;
    const allocated = values.putAllocated(value);
    if (allocated !== undefined) {
      return this.#store(to, forwardTo(allocated), place, delivery, allocated);
    }
    const start = peer.reserve();
    const encoded = codec.encodeInto(value, peer.outbox, start);
    if (typeof encoded !== 'number') return this.#store(to, encoded, place, delivery);
    const references = codec.takeReferences();
    // A getter in the value may have sent records of its own over the bytes written here.
    const intact = peer.reserve() === start;
    if (!intact || references.length > 0 || encoded > maxPayloadBytes) {
      return this.#store(to, codec.encode(value), place, delivery);
    }
    peer.commit(place.op, to.handle, place.index, Answer.value, 0, encoded);
    return true;
  }

  /**
   * Through the store. `held` is disposed as soon as the object holds it, or never will. The code
   * that has made the value may dispose the refs in it before.
   */
  #store(
    to: Incoming,
    encoded: Encoded,
    place: Place,
    delivery: Delivery | undefined,
    held?: ObjectRef,
  ): Sent {
    const { room, values } = this.#core;
    const contained = values.contained(encoded);
    const endUse = values.use(encoded);
    let isSent = true;
    let settle: () => void = () => undefined;
    const end = () => {
      held?.[Symbol.dispose]();
      endUse();
      settle();
    };
    const isDone = room.whenever(encoded, {
      isWanted: () => delivery?.isOver !== true,
      store: (record) => {
        const id = this.#storeNow(to, record, contained, place);
        if (delivery !== undefined) delivery.hasStored = true;
        end();
        return id;
      },
      fail: (error) => {
        isSent = false;
        delivery?.fail();
        this.failed(to, error);
        end();
      },
      drop: end,
    });
    if (isDone) return isSent;
    this.#lend(to);
    return new Promise((resolve) => (settle = () => resolve(isSent)));
  }

  /** A task whose result waits needs no cpu. */
  #lend({ handle }: Incoming): void {
    const { peer } = this.#core;
    peer.reserve();
    peer.commit(Op.lend, handle, 0, 0, 0, 0);
  }

  /** The asker's process holds the object from the moment it is sealed. */
  #storeNow(
    to: Incoming,
    encoded: Encoded,
    contained: Uint8Array | undefined,
    { op, index, isNamed }: Place,
  ): string {
    const core = this.#core;
    const refClient = native.peerClient(core.peer.handle, to.sender, to.senderUid);
    if (refClient === undefined) return '';
    const named = new PeerIds(core.storeId, to.senderUid).of(to.sequence + index);
    const id = isNamed ? named : core.ids.freshItem();
    const options = { id, replace: isNamed, addRef: false, contained, refClient };
    try {
      // Of several results, those that an earlier attempt has made may be in use.
      if (op !== Op.item || !core.objects.contains(id)) core.objects.put(encoded, options);
    } catch (error) {
      // Who has freed it knows, and needs no more than an answer.
      if (!(error instanceof ObjectFreedError)) throw error;
    }
    const start = core.peer.reserve();
    if (!isNamed) writeId(id, core.peer.outbox, start);
    core.peer.commit(op, to.handle, index, Answer.stored, 0, isNamed ? 0 : idBytes);
    return id;
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
    const encoded = codec.encode(shortened(codec, encodableError(codec, error)));
    const start = peer.reserve();
    encoded.write(peer.outbox, start);
    peer.commit(Op.complete, to.handle, 0, answer, 0, encoded.size);
  }
}

function notSoMany(count: number, value: unknown): TypeError {
  const what = Array.isArray(value) ? `an array of ${value.length}` : typeof value;
  return new TypeError(
    `With returns: ${count} the function must return an array of ${count} values; it returned ${what}`,
  );
}
