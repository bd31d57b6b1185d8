import { PendingCallsLimitError } from '../../common/errors.js';
import { Op } from '../../transport/wire.js';
import type { Core } from '../core.js';
import { referenceOf, type ObjectRef } from '../objects/object-ref.js';
import { whenAllSettled } from '../objects/value-slot.js';
import type { Declaration } from '../tasks/functions.js';
import type { ObjectStream } from '../tasks/object-stream.js';
import type { Destination, Route } from '../tasks/request.js';
import { noRetries } from '../tasks/retry-policy.js';
import { currentTask } from '../tasks/running-task.js';
import type { ActorAddress } from './actor-address.js';
import type { ActorInfo } from './actor-info.js';
import type { CallLine } from './call-lines.js';
import { checkCallOptions, type CallOptions, type CheckedCallOptions } from './call-options.js';

/** What a handle knows and does: sends calls to its actor, which lives as long as its anchor. */
export class ActorClient {
  readonly core: Core;
  readonly address: ActorAddress;
  readonly declaration: Declaration;
  readonly info: ActorInfo;
  readonly line: CallLine;
  readonly anchor: ObjectRef;
  readonly #destination: Destination;

  constructor(
    core: Core,
    address: ActorAddress,
    declaration: Declaration,
    info: ActorInfo,
    line: CallLine,
    anchor: ObjectRef,
  ) {
    this.anchor = anchor;
    this.core = core;
    this.address = address;
    this.declaration = declaration;
    this.info = info;
    this.line = line;
    this.#destination = { op: Op.call, target: address.index, detail: address.generation };
  }

  route(what: string): Route {
    const { anchor, declaration } = this;
    return { destination: this.#destination, declaration, what, policy: noRetries, anchor };
  }

  /** Throws for a handle that was disposed. */
  assertUsable(): void {
    const { core, disposed } = referenceOf(this.anchor);
    core.assertOpen();
    if (!disposed) return;
    throw new ReferenceError(
      `ActorHandle(${this.anchor.id}) of ${this.info.className} was disposed: keep it`,
    );
  }

  /** Once the calls that this thread has made so far are on their way. */
  async stop(): Promise<void> {
    this.assertUsable();
    const { last } = this.line;
    if (last !== undefined) await new Promise<void>((left) => whenAllSettled([last], left));
    const ended = this.core.actors.stop(this.address);
    // An actor that waited for its own end would never come to it.
    if (currentTask()?.actorId !== this.anchor.id) await ended;
  }

  async kill(restart: boolean): Promise<void> {
    this.assertUsable();
    await this.core.actors.kill(this.address, restart);
  }

  /** Calls of that method, which is not looked for before they arrive. */
  method(name: string, options: CallOptions): ActorMethod {
    return new ActorMethod(this, name, checkCallOptions(this.info, name, options));
  }
}

/**
 * Sends the calls of a method that are made on the same terms. Calls that this thread makes of an
 * actor leave in the order in which they were made: one whose arguments are not there yet holds up
 * those after it.
 */
export class ActorMethod {
  readonly #client: ActorClient;
  readonly #name: string;
  readonly #route: Route;
  readonly #options: CheckedCallOptions;

  constructor(client: ActorClient, name: string, options: CheckedCallOptions) {
    this.#client = client;
    this.#name = name;
    this.#options = options;
    const { info, line } = client;
    this.#route = {
      ...client.route(`${info.className}.${name}`),
      policy: options.policy,
      load: info.maxPendingCalls === Infinity ? undefined : line,
    };
  }

  /** Throws PendingCallsLimitError when too many calls are unanswered. */
  call(args: readonly unknown[]): ObjectRef | readonly ObjectRef[] | ObjectStream {
    const { core, info, line } = this.#client;
    this.#client.assertUsable();
    if (line.pending >= info.maxPendingCalls) this.#refuse();
    const { backpressure, returns, terms } = this.#options;
    const request = {
      route: this.#route,
      args: [this.#name, ...args],
      flags: 0,
      terms,
      order: line,
    };
    if (backpressure !== undefined) return core.requests.openStream(request, backpressure);
    if (returns > 1) return core.requests.sendForMany(request, returns);
    return core.requests.send(request);
  }

  #refuse(): never {
    const { info } = this.#client;
    throw new PendingCallsLimitError(
      `${this.#route.what} was not called: ${info.maxPendingCalls} calls of this actor are ` +
        'unanswered, as many as its maxPendingCalls allows. Await some of them first',
    );
  }
}
