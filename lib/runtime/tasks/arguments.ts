import type { InboxRecord } from '../../transport/peer.js';
import type { Core } from '../core.js';
import { readId } from '../objects/ids.js';
import { Flag, prefixBytes, readDependencies, readFlags, readUint32 } from './payload.js';

/**
 * The arguments of a task or call, private or as views on the store. Throws the error of a
 * dependency that failed, and ObjectLostError for one that is gone.
 */
export function readArguments(core: Core, { start, end }: InboxRecord): unknown[] {
  const { inbox } = core.peer;
  const flags = readFlags(inbox, start);
  const first = start + prefixBytes;
  if ((flags & Flag.dependencies) === 0) return readList(core, flags, first, end);
  const length = readUint32(inbox, first);
  const dependencies = [...readDependencies(inbox, first + 4 + length, end)];
  const values = dependencies.map(({ start: from, end: to, id }) =>
    id === undefined ? core.codec.decodeAt(inbox, from, to) : core.objects.read(id),
  );
  const list = readList(core, flags, first + 4, first + 4 + length);
  dependencies.forEach(({ index }, number) => {
    list[index] = values[number];
  });
  return list;
}

function readList(core: Core, flags: number, start: number, end: number): unknown[] {
  const { codec, objects, peer } = core;
  if ((flags & Flag.stored) === 0) return codec.decodeAt(peer.inbox, start, end) as unknown[];
  return objects.read(readId(peer.inbox, start)) as unknown[];
}
