import { createHash } from 'node:crypto';
import { ActorExistsError, ObjectExistsError, ObjectLostError } from '../../common/errors.js';
import { ActorState, Availability, native } from '../../store/binding.js';
import type { Core } from '../core.js';
import { systemId } from '../objects/ids.js';
import type { ObjectRef } from '../objects/object-ref.js';
import type { ActorAddress } from './actor-address.js';
import { ActorInfo } from './actor-info.js';

/** Whose name it is. */
export interface NamedActor {
  readonly address: ActorAddress;
  readonly info: ActorInfo;
}

type Entry = [name: string, index: number, generation: number, info: Uint8Array];

/** The object that stands for a name: there is one as long as an actor has it. */
export function nameIdOf({ storeId }: Core, name: string): string {
  const hash = createHash('sha256').update(name).digest('hex');
  return systemId(storeId, `f0${hash.slice(0, 14)}`);
}

export function findNamed(core: Core, name: string): NamedActor | undefined {
  const [stored, index, generation, info] = readEntry(core, nameIdOf(core, name)) ?? [];
  if (stored !== name) return undefined;
  return { address: { index: index!, generation: generation! }, info: ActorInfo.decode(info!) };
}

/** The actor has ended: its name is free, unless another one has it already. */
export function giveUpName(core: Core, nameId: string, { index, generation }: ActorAddress): void {
  const [, ownerIndex, ownerGeneration] = readEntry(core, nameId) ?? [];
  if (ownerIndex !== index || ownerGeneration !== generation) return;
  native.storeDelete(core.store, nameId);
}

function readEntry(core: Core, id: string): Entry | undefined {
  if (core.objects.availability(id) !== Availability.ready) return undefined;
  try {
    return core.objects.read(id) as Entry;
  } catch (error) {
    if (error instanceof ObjectLostError) return undefined;
    throw error;
  }
}

/** Throws ActorExistsError unless the name is free; it is the actor's as long as the ref lives. */
export function claimName(core: Core, name: string, { address, info }: NamedActor): ObjectRef {
  const entry: Entry = [name, address.index, address.generation, info.encode()];
  const id = nameIdOf(core, name);
  try {
    return core.values.putEncoded(core.codec.encode(entry), { id });
  } catch (cause) {
    if (!(cause instanceof ObjectExistsError)) throw cause;
    throw isTaken(name, cause);
  }
}

/**
 * Throws ActorExistsError if an actor has the name. That of an actor that has ended is free, even
 * if its driver has not come to see to that.
 */
export function assertFree(core: Core, name: string): void {
  const found = findNamed(core, name);
  if (found === undefined) return;
  const { index, generation } = found.address;
  const state = native.peerActorState(core.peer.handle, index, generation);
  if (state !== ActorState.ended) throw isTaken(name);
  giveUpName(core, nameIdOf(core, name), found.address);
}

function isTaken(name: string, cause?: unknown): ActorExistsError {
  const message = `An actor named '${name}' exists: getActor() and getIfExists find it`;
  return new ActorExistsError(message, { cause });
}
