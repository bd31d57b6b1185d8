import { PendingCallsLimitError } from '../../common/errors.js';
import { Op } from '../../transport/wire.js';
import type { Core } from '../core.js';
import type { ObjectRef } from '../objects/object-ref.js';
import type { Declaration } from '../tasks/functions.js';
import type { ObjectStream } from '../tasks/object-stream.js';
import type { Destination, Route } from '../tasks/request.js';
import { noRetries } from '../tasks/retry-policy.js';
import { Flag, type Terms } from '../tasks/task-spec.js';
import type { ActorInfo } from './actor-info.js';
import type { CallLine } from './call-lines.js';
import { checkCallOptions, type CallOptions, type CheckedCallOptions } from './call-options.js';

/** Names an actor: its row in the actor table, and which of the row's actors it is. */
export interface ActorAddress {
  readonly index: number;
  readonly generation: number;
}

/** What a handle knows and does: sends calls to its actor. */
export class ActorClient {
  readonly core: Core;
  readonly address: ActorAddress;
  readonly declaration: Declaration;
  readonly info: ActorInfo;
  readonly line: CallLine;
  readonly #destination: Destination;

  constructor(
    core: Core,
    address: ActorAddress,
    declaration: Declaration,
    info: ActorInfo,
    line: CallLine,
  ) {
    this.core = core;
    this.address = address;
    this.declaration = declaration;
    this.info = info;
    this.line = line;
    this.#destination = { op: Op.call, target: address.index, detail: address.generation };
  }

  construct(args: readonly unknown[], terms: Terms | undefined): ObjectRef {
    const route = this.route(this.info.className);
    const { line: order } = this;
    return this.core.requests.send({ route, args, flags: Flag.construct, terms, order });
  }

  route(what: string): Route {
    const { declaration } = this;
    return { destination: this.#destination, declaration, what, policy: noRetries };
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
    const { core, info } = this.#client;
    core.assertOpen();
    throw new PendingCallsLimitError(
      `${this.#route.what} was not called: ${info.maxPendingCalls} calls of this actor are ` +
        'unanswered, as many as its maxPendingCalls allows. Await some of them first',
    );
  }
}
