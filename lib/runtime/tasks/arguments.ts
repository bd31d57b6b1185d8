import type { Core } from '../core.js';
import { readId } from '../objects/ids.js';
import { Flag, prefixBytes, readDependencies, readFlags, readUint32 } from './payload.js';

/**
 * The arguments of a task or call, private or as views on the store. The module of its function must
 * have been imported, for the classes that it registers. Throws the error of a dependency that
 * failed, and ObjectLostError for one that is gone.
 */
export function readArguments(
  core: Core,
  payload: Uint8Array,
  start: number,
  end: number,
): unknown[] {
  const flags = readFlags(payload, start);
  const first = start + prefixBytes;
  if ((flags & Flag.dependencies) === 0) return readList(core, flags, payload, first, end);
  const length = readUint32(payload, first);
  const dependencies = [...readDependencies(payload, first + 4 + length, end)];
  const values = dependencies.map(({ start: from, end: to, id }) =>
    id === undefined ? core.codec.decodeAt(payload, from, to) : core.objects.read(id),
  );
  const list = readList(core, flags, payload, first + 4, first + 4 + length);
  dependencies.forEach(({ index }, number) => {
    list[index] = values[number];
  });
  return list;
}

function readList(
  { codec, objects }: Core,
  flags: number,
  payload: Uint8Array,
  start: number,
  end: number,
): unknown[] {
  if ((flags & Flag.stored) === 0) return codec.decodeAt(payload, start, end) as unknown[];
  return objects.read(readId(payload, start)) as unknown[];
}
