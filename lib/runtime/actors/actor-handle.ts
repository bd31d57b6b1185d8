import { Op } from '../../transport/wire.js';
import type { Core } from '../core.js';
import { findDeclaration, type AnyClass, type Declaration } from '../tasks/functions.js';
import type { ObjectRef } from '../objects/object-ref.js';
import { Flag, readUint32, writeUint32 } from '../tasks/task-spec.js';
import type { Order } from '../tasks/request.js';
import { noRetries } from '../tasks/retry-policy.js';
import { ActorInfo } from './actor-info.js';
import type { CheckedActorOptions } from './actor-options.js';

/** Names an actor: its row in the actor table, and which of the row's actors it is. */
export interface ActorAddress {
  readonly index: number;
  readonly generation: number;
}

/**
 * Sends the calls of one handle, in the order in which they were made: a call whose arguments are
 * not there yet holds up those after it.
 */
class ActorClient {
  readonly core: Core;
  readonly address: ActorAddress;
  readonly declaration: Declaration;
  readonly info: ActorInfo;
  readonly #order: Order = { last: undefined };

  constructor(core: Core, address: ActorAddress, declaration: Declaration, info: ActorInfo) {
    this.core = core;
    this.address = address;
    this.declaration = declaration;
    this.info = info;
  }

  construct(args: readonly unknown[]): ObjectRef {
    return this.#request(this.declaration.name, args, Flag.construct);
  }

  call(method: string, args: readonly unknown[]): ObjectRef {
    return this.#request(`${this.declaration.name}.${method}`, [method, ...args], 0);
  }

  #request(what: string, args: readonly unknown[], flags: number): ObjectRef {
    const { index, generation } = this.address;
    const destination = { op: Op.call, target: index, detail: generation };
    const { declaration } = this;
    const route = { destination, declaration, what, policy: noRetries };
    return this.core.requests.send({ route, args, flags, terms: undefined, order: this.#order });
  }
}

const clients = new WeakMap<object, ActorClient>();

/** Names a remote actor. Every property that is not its own is a method of the actor. */
export class ActorHandle {
  readonly actorId: string;

  /** @internal */
  constructor(actorId: string) {
    this.actorId = actorId;
  }

  toString(): string {
    return `ActorHandle(${this.actorId})`;
  }
}

/** Names that a handle keeps for itself; an actor's methods may not have them. */
export const reservedMethods = ['then', 'options', 'actorId'] as const;

const own = new Set<string>(['constructor', 'actorId', 'toString', 'toJSON', 'valueOf']);

function handleFor(client: ActorClient): ActorHandle {
  const methods = new Map<string, (...args: unknown[]) => ObjectRef>();
  const handle = new Proxy(new ActorHandle(actorIdOf(client.core.storeId, client.address)), {
    get(target, key) {
      // `await handle` must give the handle, and look for no further method.
      if (typeof key === 'symbol' || key === 'then') return undefined;
      if (own.has(key)) return Reflect.get(target, key) as unknown;
      let method = methods.get(key);
      if (method === undefined) {
        method = (...args) => client.call(key, args);
        methods.set(key, method);
      }
      return method;
    },
  });
  clients.set(handle, client);
  return handle;
}

export function actorIdOf(storeId: string, { index, generation }: ActorAddress): string {
  const hex = (value: number) => value.toString(16).padStart(8, '0');
  return `${storeId.slice(0, 12)}ffff${hex(index)}${hex(generation)}`;
}

/** Makes an actor, which waits for a host; its constructor is the first of its calls. */
export function createActor(
  core: Core,
  declaration: Declaration<AnyClass>,
  { info }: CheckedActorOptions,
  args: readonly unknown[],
): { handle: ActorHandle; address: ActorAddress } {
  core.assertOpen();
  const [index, generation] = core.createActor();
  const client = new ActorClient(core, { index, generation }, declaration, info);
  client.construct(args);
  return { handle: handleFor(client), address: client.address };
}

/** The tag, the row's index, its generation, what is known of the actor. */
export function encodeHandle(tag: number, handle: ActorHandle): Uint8Array {
  const { address, info } = clients.get(handle)!;
  const about = info.encode();
  const bytes = new Uint8Array(9 + about.length);
  bytes[0] = tag;
  writeUint32(bytes, 1, address.index);
  writeUint32(bytes, 5, address.generation);
  bytes.set(about, 9);
  return bytes;
}

/** A handle to an actor that somebody else made; this thread need not know its class. */
export function decodeHandle(core: Core, bytes: Uint8Array): ActorHandle {
  const address = { index: readUint32(bytes, 1), generation: readUint32(bytes, 5) };
  const info = ActorInfo.decode(bytes.subarray(9));
  const declaration = findDeclaration(info.key) ?? declaredElsewhere(info);
  return handleFor(new ActorClient(core, address, declaration, info));
}

function declaredElsewhere({ key, className }: ActorInfo): Declaration {
  return { target: ActorHandle, module: '', name: className, key };
}
