import type { Core } from '../core.js';
import { findDeclaration, type AnyClass, type Declaration } from '../tasks/functions.js';
import { readUint32, writeUint32 } from '../tasks/task-spec.js';
import { ActorClient, type ActorAddress, type ActorMethod } from './actor-client.js';
import { ActorInfo } from './actor-info.js';
import type { CheckedActorOptions } from './actor-options.js';
import { CallLine } from './call-lines.js';
import type { CallOptions } from './call-options.js';

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
  const methods = new Map<string, CallableMethod>();
  const handle = new Proxy(new ActorHandle(actorIdOf(client.core.storeId, client.address)), {
    get(target, key) {
      // `await handle` must give the handle, and look for no further method.
      if (typeof key === 'symbol' || key === 'then') return undefined;
      if (own.has(key)) return Reflect.get(target, key) as unknown;
      let method = methods.get(key);
      if (method === undefined) {
        method = callable(client, key);
        methods.set(key, method);
      }
      return method;
    },
  });
  clients.set(handle, client);
  return handle;
}

type Call = (...args: unknown[]) => ReturnType<ActorMethod['call']>;
type CallableMethod = Call & { readonly options: (options: CallOptions) => Call };

function callable(client: ActorClient, name: string): CallableMethod {
  const callWith = (options: CallOptions): Call => {
    const method = client.method(name, options);
    return (...args) => method.call(args);
  };
  return Object.assign(callWith({}), { options: callWith });
}

export function actorIdOf(storeId: string, { index, generation }: ActorAddress): string {
  const hex = (value: number) => value.toString(16).padStart(8, '0');
  return `${storeId.slice(0, 12)}ffff${hex(index)}${hex(generation)}`;
}

/** Makes an actor, which waits for a host; its constructor is the first of its calls. */
export function createActor(
  core: Core,
  declaration: Declaration<AnyClass>,
  { concurrency, info, name }: CheckedActorOptions,
  args: readonly unknown[],
): { handle: ActorHandle; address: ActorAddress } {
  core.assertOpen();
  const [index, generation] = core.createActor();
  const address = { index, generation };
  const line = name === undefined ? new CallLine() : core.callLines.of(address);
  const client = new ActorClient(core, address, declaration, info, line);
  client.construct(args, concurrency && { concurrency });
  return { handle: handleFor(client), address };
}

/** The tag, the row's index, its generation, what is known of the actor. */
export function encodeHandle(tag: number, handle: ActorHandle): Uint8Array {
  const { address, core, info, line } = clients.get(handle)!;
  core.callLines.share(address, line);
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
  return handleFor(new ActorClient(core, address, declaration, info, core.callLines.of(address)));
}

function declaredElsewhere({ key, className }: ActorInfo): Declaration {
  return { target: ActorHandle, module: '', name: className, key };
}
