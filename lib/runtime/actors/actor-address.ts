import { systemId } from '../objects/ids.js';

/** Names an actor: its row in the actor table, and which of the row's actors it is. */
export interface ActorAddress {
  readonly index: number;
  readonly generation: number;
}

/**
 * 32 hex digits: the id of the actor's anchor, too. The index is last, for ids that differ there
 * are found fastest.
 */
export function actorIdOf(storeId: string, { index, generation }: ActorAddress): string {
  return systemId(storeId, `${hex(generation)}${hex(index)}`);
}

/** As a key in tables of this process. */
export function keyOf({ index, generation }: ActorAddress): number {
  return index * 0x1_0000_0000 + generation;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
