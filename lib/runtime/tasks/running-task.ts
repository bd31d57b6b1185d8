import { AsyncLocalStorage } from 'node:async_hooks';
import { types } from 'node:util';
import type { PeerAddress } from '../../transport/peer.js';
import type { Incoming } from './responder.js';
import type { AnyFunction } from './functions.js';
import type { Terms } from './task-spec.js';
import { isThenable } from './thenable.js';

export const noTerms: Terms = {};

/** What a call's code can know of its actor. */
export interface ActorPart {
  readonly actorId: string;
  /** What the actor holds for life. */
  readonly resources: Readonly<Record<string, number>>;
}

/**
 * A task or call whose code runs in this worker, from its start to its answer: the code may go on
 * after that, when it was cancelled or out of time and does not mind.
 */
export class RunningTask {
  readonly incoming: Incoming;
  readonly attempt: number;
  /** What the code got of the devices that are given to one task each: indices of gpus. */
  readonly gpus: readonly number[];
  /** Of a call. */
  readonly actor: ActorPart | undefined;
  /** Known once the module of its function has been imported. */
  terms = noTerms;
  /** Reads that its code waits for. While there are any its cpus are lent to other tasks. */
  waits = 0;
  ended = false;
  /** The store has room for its arguments. */
  hasRoom = false;
  /** Since when its arguments could not be read. */
  failingSince: number | undefined;
  /** When its code began, by the shared clock, where times are tracked. */
  startedAt: number | undefined;
  /** Runs when the task is asked to end early. */
  onCancelled: (() => void) | undefined;
  /** Ends the watch over its time-out. */
  stopClock: (() => void) | undefined;
  /** Takes its gpus from sight. */
  hideDevices: (() => void) | undefined;
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  constructor(
    incoming: Incoming,
    attempt: number,
    gpus: readonly number[] = [],
    actor?: ActorPart,
  ) {
    this.incoming = incoming;
    this.attempt = attempt;
    this.gpus = gpus;
    this.actor = actor;
  }

  get actorId(): string | undefined {
    return this.actor?.actorId;
  }

  isOf(owner: PeerAddress, sequence: number): boolean {
    return this.incoming.senderUid === owner.uid && this.incoming.sequence === sequence;
  }

  /** False when it had ended before: then it has been answered. */
  end(): boolean {
    if (this.ended) return false;
    this.ended = true;
    this.stopClock?.();
    this.hideDevices?.();
    return true;
  }

  /** Aborted when the task is cancelled or out of time. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Why it was asked to end early, if it was. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  abort(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.onCancelled?.();
  }
}

const asynchronous = new AsyncLocalStorage<RunningTask>();
let synchronous: RunningTask | undefined;

/** Calls `fn` as part of a task. What goes on after it has returned is no part of the task. */
export function runSynchronously<T>(task: RunningTask, fn: () => T): T {
  const outer = synchronous;
  synchronous = task;
  try {
    return fn();
  } finally {
    synchronous = outer;
  }
}

/** Calls `fn` as part of a task, together with all that it starts and that ends later. */
export function runAsynchronously<T>(task: RunningTask, fn: () => T): T {
  return runSynchronously(task, () => asynchronous.run(task, fn));
}

/** Functions that have returned a promise: what they do goes on after they have returned. */
const yielding = new WeakSet<AnyFunction>();

/**
 * Calls a user's function as part of a task. AsyncLocalStorage, which slows down all promises of a
 * thread on Node 20, is used for functions that are known to need it: all but the first call of one
 * that does not look it.
 */
export function callAs(task: RunningTask, fn: AnyFunction, call: () => unknown): unknown {
  if (types.isAsyncFunction(fn) || yielding.has(fn)) return runAsynchronously(task, call);
  const result = runSynchronously(task, call);
  if (isThenable(result)) yielding.add(fn);
  return result;
}

/** The task that the running code is part of, if that is known. */
export function currentTask(): RunningTask | undefined {
  return synchronous ?? asynchronous.getStore();
}
