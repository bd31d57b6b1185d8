import { ActorExistsError } from '../../common/errors.js';
import { ActorState, native } from '../../store/binding.js';
import type { Core } from '../core.js';
import { referenceOf, type ObjectRef } from '../objects/object-ref.js';
import { outlast } from '../objects/outlast.js';
import { findDeclaration, type AnyClass, type Declaration } from '../tasks/functions.js';
import { amountsOf, isNothing } from '../tasks/shapes.js';
import { readUint32, writeUint32 } from '../tasks/task-spec.js';
import { actorIdOf, type ActorAddress } from './actor-address.js';
import { ActorClient, type ActorMethod } from './actor-client.js';
import { ActorInfo } from './actor-info.js';
import { assertFree, claimName, findNamed, nameIdOf } from './actor-names.js';
import type { CheckedActorOptions } from './actor-options.js';
import { encodeConstructorArguments, type ActorSpec } from './actor-spec.js';
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
  let methods: Map<string, CallableMethod> | undefined;
  const handle = new Proxy(new ActorHandle(client.anchor.id), {
    get(target, key) {
      if (key === Symbol.dispose) return () => client.anchor[Symbol.dispose]();
      // `await handle` must give the handle, and look for no further method.
      if (typeof key === 'symbol' || key === 'then') return undefined;
      if (own.has(key)) return Reflect.get(target, key) as unknown;
      let method = methods?.get(key);
      if (method === undefined) {
        methods ??= new Map();
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

/** Makes an actor, which waits for a host, or takes the one that has its name. */
export function createActor(
  core: Core,
  declaration: Declaration<AnyClass>,
  options: CheckedActorOptions,
  args: readonly unknown[],
): ActorHandle {
  core.assertOpen();
  const { name } = options;
  if (name === undefined || !options.getIfExists) return make(core, declaration, options, args);
  return outlast(
    () => findActor(core, name) ?? make(core, declaration, options, args),
    (error) => error instanceof ActorExistsError,
  );
}

function make(
  core: Core,
  declaration: Declaration<AnyClass>,
  options: CheckedActorOptions,
  args: readonly unknown[],
): ActorHandle {
  const { demand, info, isDetached, isolation, maxRestarts, name, restartDelay } = options;
  if (name !== undefined) assertFree(core, name);
  const shape = isNothing(demand) ? null : core.shapes.of('actor', demand);
  core.declarations.publish(declaration);
  const declared = core.declarations.refTo(declaration);
  const encoded = encodeConstructorArguments(core, args);
  const address = core.createActor(maxRestarts, isDetached);
  const what = name === undefined ? info.className : `${info.className} '${name}'`;
  let anchor: ObjectRef;
  try {
    const holder = name === undefined ? null : claimName(core, name, { address, info });
    const spec: ActorSpec = {
      key: declaration.key,
      declaration: declared,
      what,
      args: encoded.args,
      concurrency: options.concurrency ?? null,
      resources: amountsOf(demand),
      name: holder,
    };
    anchor = putAnchor(core, address, spec, isDetached);
    holder?.[Symbol.dispose]();
  } catch (error) {
    core.endActor(address);
    throw error;
  } finally {
    declared[Symbol.dispose]();
    for (const ref of encoded.held) ref[Symbol.dispose]();
  }
  const nameId = name === undefined ? null : nameIdOf(core, name);
  core.actors.place({ ...address, isolation, shape, restartDelay, isDetached, what, nameId });
  const line = name === undefined ? new CallLine() : core.callLines.of(address);
  return handleFor(new ActorClient(core, address, declaration, info, line, anchor));
}

/**
 * Of a detached actor the driver holds it, too, from the start: whoever makes it may end right
 * after.
 */
function putAnchor(
  core: Core,
  address: ActorAddress,
  spec: ActorSpec,
  isDetached: boolean,
): ObjectRef {
  const { driver, peer } = core;
  const refClient =
    isDetached && driver !== undefined
      ? native.peerClient(peer.handle, driver.slot, driver.uid)
      : undefined;
  const id = actorIdOf(core.storeId, address);
  return core.values.putEncoded(core.codec.encode(spec), { id, refClient });
}

/** A handle to the living actor of that name. */
export function findActor(core: Core, name: string): ActorHandle | undefined {
  core.assertOpen();
  const found = findNamed(core, name);
  if (found === undefined) return undefined;
  const { address, info } = found;
  const { index, generation } = address;
  const state = native.peerActorState(core.peer.handle, index, generation);
  if (state === ActorState.ended) return undefined;
  const anchor = core.references.borrow(actorIdOf(core.storeId, address));
  return referenceOf(anchor).entry === undefined
    ? undefined
    : handleTo(core, address, info, anchor);
}

/** A handle to an actor that this thread has not made: it need not know its class. */
function handleTo(
  core: Core,
  address: ActorAddress,
  info: ActorInfo,
  anchor: ObjectRef,
): ActorHandle {
  const declaration = findDeclaration(info.key) ?? declaredElsewhere(info);
  const line = core.callLines.of(address);
  return handleFor(new ActorClient(core, address, declaration, info, line, anchor));
}

function declaredElsewhere({ key, className }: ActorInfo): Declaration {
  return { target: ActorHandle, module: '', name: className, key };
}

/** The client behind a handle; undefined for anything else. */
export function clientOf(value: unknown): ActorClient | undefined {
  return typeof value === 'object' && value !== null ? clients.get(value) : undefined;
}

/** The anchor that a handle holds, unless its actor had ended when the handle came here. */
export function anchorIn(handle: object): ObjectRef | undefined {
  const anchor = clients.get(handle)?.anchor;
  return anchor === undefined || referenceOf(anchor).entry === undefined ? undefined : anchor;
}

/** The tag, the row's index, its generation, what is known of the actor. */
export function encodeHandle(tag: number, handle: ActorHandle): Uint8Array {
  const client = clients.get(handle)!;
  client.assertUsable();
  const { address, core, info, line } = client;
  core.callLines.share(address, line);
  const about = info.encode();
  const bytes = new Uint8Array(9 + about.length);
  bytes[0] = tag;
  writeUint32(bytes, 1, address.index);
  writeUint32(bytes, 5, address.generation);
  bytes.set(about, 9);
  return bytes;
}

export function decodeHandle(core: Core, bytes: Uint8Array): ActorHandle {
  const address = { index: readUint32(bytes, 1), generation: readUint32(bytes, 5) };
  const anchor = core.references.borrow(actorIdOf(core.storeId, address));
  return handleTo(core, address, ActorInfo.decode(bytes.subarray(9)), anchor);
}
