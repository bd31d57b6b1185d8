import type { Op } from '../../transport/wire.js';
import type { ObjectRef, Reference } from '../objects/object-ref.js';
import type { Row } from '../objects/shared-objects.js';
import type { ValueSlot } from '../objects/value-slot.js';
import type { Declaration } from './functions.js';
import { MemoryStops } from './memory-stops.js';
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

/** What all requests of a function, with the same options, have in common. */
export interface Route {
  readonly destination: Destination;
  readonly declaration: Declaration;
  /** For a user to recognise it by: a function's or actor's name. */
  readonly what: string;
  readonly policy: RetryPolicy;
  /** Where its unanswered requests are counted. */
  readonly load?: Load | undefined;
  /** Keeps the called actor alive: requests need it until they are answered. */
  readonly anchor?: ObjectRef | undefined;
}

/** How many of some requests are unanswered. */
export interface Load {
  pending: number;
}

/** A task or a call that is about to be sent. */
export interface Request {
  readonly route: Route;
  readonly args: readonly unknown[];
  readonly flags: number;
  readonly terms: Terms | undefined;
  /** Requests that share an order leave in the order in which they were made. */
  readonly order: Order | undefined;
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

/** What few requests have. */
interface Rare {
  sink?: ResultSink;
  used?: ObjectRef[];
  argumentsRow?: Row;
  dependenciesRow?: Row;
  spec?: Uint8Array;
  stopDelay?: (() => void) | undefined;
  giveUpPlace?: () => void;
  whenEnded?: () => void;
  memoryStops?: MemoryStops;
}

/** A request from its arguments to its answer. Many are alive at a time: it is kept small. */
export class PendingRequest {
  readonly reference: Reference;
  /** Kept until the answer, as those in {@link used}. */
  readonly ref: ObjectRef;
  readonly route: Route;
  /** The task whose code made it. */
  readonly parent: RunningTask | undefined;
  retriesLeft: number;
  /** It has left, and is in a queue or with a worker. */
  isSent = false;
  #rare: Rare | undefined;

  constructor(reference: Reference, ref: ObjectRef, route: Route, parent: RunningTask | undefined) {
    this.reference = reference;
    this.ref = ref;
    this.route = route;
    this.retriesLeft = route.policy.retries;
    this.parent = parent;
  }

  get sequence(): number {
    return this.reference.sequence!;
  }

  get what(): string {
    return this.route.what;
  }

  get rare(): Readonly<Rare> | undefined {
    return this.#rare;
  }

  get sink(): ResultSink | undefined {
    return this.#rare?.sink;
  }

  /** Of the workers that ran it. */
  get memoryStops(): MemoryStops {
    return (this.#makeRare().memoryStops ??= new MemoryStops());
  }

  /** Its results go there. */
  deliverTo(sink: ResultSink): void {
    this.#makeRare().sink = sink;
  }

  /** It needs the ref until its answer. */
  use(ref: ObjectRef): void {
    (this.#makeRare().used ??= []).push(ref);
  }

  /** Objects that hold its arguments, or what they depend on, until its answer. */
  set argumentsRow(row: Row) {
    this.#makeRare().argumentsRow = row;
  }

  set dependenciesRow(row: Row) {
    this.#makeRare().dependenciesRow = row;
  }

  /** A copy of what was sent, for those that are sent again because of what they threw. */
  set spec(spec: Uint8Array) {
    this.#makeRare().spec = spec;
  }

  /** Ends the delay before it is sent again. */
  set stopDelay(stop: (() => void) | undefined) {
    this.#makeRare().stopDelay = stop;
  }

  /**
   * Lets those behind it in its {@link Order} leave when those before it have, if it has not left.
   */
  set giveUpPlace(giveUp: () => void) {
    this.#makeRare().giveUpPlace = giveUp;
  }

  /** To be called when it has been answered, or never will be. */
  set whenEnded(listener: () => void) {
    this.#makeRare().whenEnded = listener;
  }

  #makeRare(): Rare {
    return (this.#rare ??= {});
  }
}
