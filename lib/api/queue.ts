import { onAbort } from '../common/abort.js';
import { QueueEmptyError, QueueFullError, TaskError } from '../common/errors.js';
import { checkInteger, checkKeys, checkObject, invalidType } from '../common/validate.js';
import { requireContext } from '../runtime/context.js';
import type { ObjectRef } from '../runtime/objects/object-ref.js';
import { giveUp, pack, unpack, type Parcel } from '../runtime/objects/parcel.js';
import { registry } from '../runtime/objects/registered.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';
import { currentTask } from '../runtime/tasks/running-task.js';
import { native } from '../store/binding.js';
import { actor, type ActorHandle } from './actor.js';
import { BoundedQueue, type Patience } from './bounded-queue.js';
import { checkLimits, type Limits } from './limits.js';

/** What a queue holds. */
export interface QueueOptions {
  /** How many items it takes at most; default any number. */
  maxSize?: number;
}

/** How long to wait for room or for an item. */
export interface QueueWaitOptions {
  /** How long it waits; 0 polls. Default for ever. */
  timeout?: number | string;
  /** Rejects with its reason when aborted, unless the queue has served the call before. */
  signal?: AbortSignal;
}

/** A batch waits for as long as it takes. */
export type QueueBatchOptions = Pick<QueueWaitOptions, 'signal'>;

/** Whoever waits may be called back: under what number. */
interface Wait {
  /** Milliseconds. */
  readonly timeout: number;
  readonly ticket: string | undefined;
}

class QueueHolder {
  readonly #queue: BoundedQueue<Parcel>;
  /** Of those who may be called back, by their tickets. */
  readonly #waits = new Map<string, AbortController>();

  constructor(maxSize: number) {
    this.#queue = new BoundedQueue(maxSize);
  }

  async put(parcels: readonly Parcel[], wait: Wait): Promise<void> {
    await this.#served(wait, (patience) => this.#queue.put(parcels, patience));
  }

  async get(count: number, wait: Wait): Promise<Parcel[]> {
    const parcels = await this.#served(wait, (patience) => this.#queue.get(count, patience));
    // When the answer has been written: it holds them.
    setImmediate(giveUp, parcels);
    return parcels;
  }

  /** Fails the call that waits under this ticket; the answer to that says whether it was served. */
  callBack(ticket: string): void {
    this.#waits.get(ticket)?.abort(new QueueEmptyError('The call was called back'));
  }

  async #served<R>(
    { timeout, ticket }: Wait,
    serve: (patience: Patience) => Promise<R>,
  ): Promise<R> {
    const patience = patienceOfCaller(timeout);
    if (ticket === undefined) return serve(patience);
    const controller = new AbortController();
    this.#waits.set(ticket, controller);
    const signal = AbortSignal.any([patience.signal, controller.signal]);
    try {
      return await serve({ timeout, signal, isThere: patience.isThere });
    } finally {
      this.#waits.delete(ticket);
    }
  }

  size(): number {
    return this.#queue.size;
  }
}

/** Who has died may not have been missed yet: nothing must be handed to it. */
function patienceOfCaller(timeout: number): Patience {
  const { peer } = requireContext().core;
  const task = currentTask()!;
  const { sender, senderUid } = task.incoming;
  return {
    timeout,
    get signal() {
      return task.signal;
    },
    isThere: () => native.peerIsLive(peer.handle, sender, senderUid),
  };
}

const QueueActor = actor(QueueHolder, { maxConcurrency: Number.MAX_SAFE_INTEGER });

/** The handle that a queue is, or is to be. */
class HandleHolder {
  readonly handle: ActorHandle<QueueHolder>;

  constructor(handle: ActorHandle<QueueHolder>) {
    this.handle = handle;
  }
}

let handleOf: (queue: Queue) => ActorHandle<QueueHolder>;

/**
 * Items from any number of producers for any number of consumers, wherever they are: a queue can be
 * an argument, a result, and part of a value. Those who wait are served in the order in which they
 * came. Large items, and arrays of 1 KiB or more in them, are not copied on their way. An actor
 * keeps them; it lives as long as somebody has the queue.
 */
export class Queue<T = unknown> {
  readonly #handle: ActorHandle<QueueHolder>;

  constructor(options: QueueOptions = {}) {
    this.#handle =
      options instanceof HandleHolder ? options.handle : QueueActor.remote(checkOptions(options));
  }

  static {
    handleOf = (queue) => queue.#handle;
  }

  /** Waits for room; QueueFullError when there is none in time. */
  async put(item: T, options: QueueWaitOptions = {}): Promise<void> {
    await this.#put([item], checkLimits(options));
  }

  /** The oldest item; waits for one; QueueEmptyError when there is none in time. */
  async get(options: QueueWaitOptions = {}): Promise<T> {
    const [item] = await this.#get(1, checkLimits(options));
    return item!;
  }

  /**
   * Waits for room for all, and puts them one behind the other; QueueFullError when they can never
   * fit.
   */
  async putBatch(items: readonly T[], options: QueueBatchOptions = {}): Promise<void> {
    const given: unknown = items;
    if (!Array.isArray(given)) throw invalidType('items', 'an array', given);
    await this.#put(items, checkLimits(options, ['signal']));
  }

  /**
   * The `count` oldest items; waits until so many are there; QueueEmptyError when they can never
   * be.
   */
  async getBatch(count: number, options: QueueBatchOptions = {}): Promise<T[]> {
    checkInteger('count', count, 0);
    return this.#get(count, checkLimits(options, ['signal']));
  }

  /** How many items it holds. */
  async size(): Promise<number> {
    return answerOf(this.#handle.size());
  }

  async #put(items: readonly T[], limits: Limits): Promise<void> {
    assertNotImporting('Queue.put()');
    const { core } = requireContext();
    const parcels: Parcel[] = [];
    try {
      for (const item of items) parcels.push(pack(core, item));
      await this.#wait(limits, (wait) => this.#handle.put(parcels, wait));
    } finally {
      giveUp(parcels);
    }
  }

  async #get(count: number, limits: Limits): Promise<T[]> {
    const parcels = await this.#wait(limits, (wait) => this.#handle.get(count, wait));
    return (await unpack(requireContext().core, parcels)) as T[];
  }

  /** Nothing is lost: the queue says itself whether it has served a call that was aborted. */
  async #wait<R>(
    { timeout = Infinity, signal }: Limits,
    call: (wait: Wait) => ObjectRef<R>,
  ): Promise<R> {
    if (signal === undefined) return answerOf(call({ timeout, ticket: undefined }));
    signal.throwIfAborted();
    const ticket = freshTicket();
    const stopListening = onAbort(signal, () => {
      answerOf(this.#handle.callBack(ticket)).catch(() => undefined);
    });
    try {
      return await answerOf(call({ timeout, ticket }));
    } catch (error) {
      const isOurs = error instanceof QueueEmptyError || error instanceof QueueFullError;
      throw signal.aborted && isOurs ? signal.reason : error;
    } finally {
      stopListening();
    }
  }
}

let tickets = 0;

/** Unique in the runtime. */
function freshTicket(): string {
  return `${requireContext().core.peer.address.uid}-${++tickets}`;
}

/** The value of a call's ref, which is given up: the object behind it holds refs to the items. */
async function answerOf<R>(ref: ObjectRef<R>): Promise<R> {
  try {
    return await ref;
  } catch (error) {
    throw ownError(error);
  } finally {
    ref[Symbol.dispose]();
  }
}

/** What the queue says is not a failure of its actor. */
function ownError(error: unknown): unknown {
  const cause = error instanceof TaskError ? error.cause : undefined;
  return cause instanceof QueueFullError || cause instanceof QueueEmptyError ? cause : error;
}

function checkOptions(options: QueueOptions): number {
  assertNotImporting('new Queue()');
  checkObject('options', options);
  checkKeys('options', options, ['maxSize']);
  const { maxSize } = options;
  return maxSize === undefined ? Infinity : checkInteger('options.maxSize', maxSize, 1);
}

registry.add(Queue, {
  name: 'mobula.Queue',
  encode: handleOf,
  decode: (handle) => new Queue(new HandleHolder(handle) as QueueOptions),
});
