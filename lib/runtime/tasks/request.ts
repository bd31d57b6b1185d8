import type { Op } from '../../transport/wire.js';
import type { ObjectRef, Reference } from '../objects/object-ref.js';
import type { Row } from '../objects/shared-objects.js';
import type { ValueSlot } from '../objects/value-slot.js';
import type { Declaration } from './functions.js';
import type { RetryPolicy } from './retry-policy.js';
import type { RunningTask } from './running-task.js';
import type { Terms } from './task-spec.js';

/** Where a request goes: to a shape with a priority, or to an actor of a generation. */
export interface Destination {
  readonly op: typeof Op.submit | typeof Op.call;
  readonly target: number;
  readonly detail: number;
  /** The run queue of a task: which kind of worker it asks for. */
  readonly queue?: number;
}

/** A task or a call that is about to be sent. */
export interface Request {
  readonly destination: Destination;
  readonly declaration: Declaration;
  /** For a user to recognise it by: a function's or actor's name. */
  readonly what: string;
  readonly args: readonly unknown[];
  readonly flags: number;
  readonly policy: RetryPolicy;
  readonly terms?: Terms | undefined;
  /** Requests that share an order leave in the order in which they were made. */
  readonly order?: Order;
}

/** `last` settles when the request that was made last has left. */
export interface Order {
  last: ValueSlot | undefined;
}

/** Takes the results of a request that has several. */
export interface ResultSink {
  /** The result of that index, as `answer` says, stands in the inbox. */
  item(index: number, answer: number, start: number, end: number): void;
  /** There will be no more. */
  ended(): void;
  failed(error: unknown): void;
}

/** A request from its arguments to its answer. */
export class PendingRequest {
  readonly reference: Reference;
  /** Kept until the answer, as those in {@link used}. */
  readonly ref: ObjectRef;
  readonly what: string;
  /** URL of the module that declared what runs. */
  readonly module: string;
  readonly destination: Destination;
  readonly policy: RetryPolicy;
  /** The task whose code made it. */
  readonly parent: RunningTask | undefined;
  retriesLeft: number;
  /** It has left, and is in a queue or with a worker. */
  isSent = false;
  sink: ResultSink | undefined;
  used: ObjectRef[] | undefined;
  argumentsRow: Row | undefined;
  dependenciesRow: Row | undefined;
  /** A copy of what was sent, for those that are sent again because of what they threw. */
  spec: Uint8Array | undefined;
  /** Ends the delay before it is sent again. */
  stopDelay: (() => void) | undefined;

  constructor(
    reference: Reference,
    ref: ObjectRef,
    { what, declaration, destination, policy }: Request,
    parent: RunningTask | undefined,
  ) {
    this.reference = reference;
    this.ref = ref;
    this.what = what;
    this.module = declaration.module;
    this.destination = destination;
    this.policy = policy;
    this.retriesLeft = policy.retries;
    this.parent = parent;
  }

  get sequence(): number {
    return this.reference.sequence!;
  }
}
