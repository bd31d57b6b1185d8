import { native } from '../../store/binding.js';
import type { Core } from '../core.js';
import { idBytes, readId } from '../objects/ids.js';
import { noTerms } from './running-task.js';
import {
  Flag,
  prefixBytes,
  readDependencies,
  readFlags,
  readUint32,
  type ReceivedDependency,
  type Terms,
} from './task-spec.js';

/** A task or call as its worker reads it. */
export interface ReceivedSpec {
  readonly terms: Terms;
  /** Private, or views on the store. */
  readonly args: unknown[];
}

/**
 * Reads the spec between two positions of `payload`. The module of its function must have been
 * imported, for the classes that it registers. Throws the error of a dependency that failed, and
 * ObjectLostError for one that is gone.
 */
export function readSpec(
  core: Core,
  payload: Uint8Array,
  start: number,
  end: number,
): ReceivedSpec {
  const flags = readFlags(payload, start);
  const first = afterTerms(flags, payload, start);
  const terms = (flags & Flag.terms) === 0 ? noTerms : readTerms(core, payload, start, first);
  const isPlain = (flags & Flag.dependencies) === 0;
  const read = isPlain ? readList : readResolved;
  return { terms, args: read(core, flags, payload, first, end) };
}

function afterTerms(flags: number, payload: Uint8Array, start: number): number {
  const first = start + prefixBytes;
  return (flags & Flag.terms) === 0 ? first : first + 4 + readUint32(payload, first);
}

function readTerms({ codec }: Core, payload: Uint8Array, start: number, end: number): Terms {
  return codec.decodeAt(payload, start + prefixBytes + 4, end) as Terms;
}

/** How many bytes of the store the arguments of the spec between two positions pin, once read. */
export function storedBytes(core: Core, payload: Uint8Array, start: number, end: number): number {
  const flags = readFlags(payload, start);
  if ((flags & (Flag.stored | Flag.dependencies)) === 0) return 0;
  const ids = storedIn(core, flags, payload, afterTerms(flags, payload, start), end);
  return ids.length === 0 ? 0 : native.storeBytesOf(core.store, ids);
}

/** The ids of the objects that hold arguments, 16 bytes each. */
function storedIn(
  core: Core,
  flags: number,
  payload: Uint8Array,
  start: number,
  end: number,
): Uint8Array {
  const isStored = (flags & Flag.stored) !== 0;
  if ((flags & Flag.dependencies) === 0) return payload.subarray(start, start + idBytes);
  const list = start + 4;
  const after = list + readUint32(payload, start);
  const ids = isStored ? [payload.subarray(list, list + idBytes)] : [];
  for (const dependency of dependenciesAt(core, flags, payload, after, end)) {
    const { source, start: first } = dependency;
    if (dependency.isStored) ids.push(source.subarray(first, first + idBytes));
  }
  return Buffer.concat(ids);
}

function dependenciesAt(
  { objects }: Core,
  flags: number,
  payload: Uint8Array,
  start: number,
  end: number,
): Iterable<ReceivedDependency> {
  if ((flags & Flag.storedDependencies) === 0) return readDependencies(payload, start, end);
  const stored = objects.read(readId(payload, start)) as Uint8Array;
  return readDependencies(stored, 0, stored.length);
}

function readResolved(
  core: Core,
  flags: number,
  payload: Uint8Array,
  start: number,
  end: number,
): unknown[] {
  const first = start + 4;
  const after = first + readUint32(payload, start);
  const args = readList(core, flags, payload, first, after);
  for (const dependency of dependenciesAt(core, flags, payload, after, end)) {
    args[dependency.index] = resolved(core, dependency);
  }
  return args;
}

function resolved({ codec, objects }: Core, dependency: ReceivedDependency): unknown {
  const { source, start, end, isStored } = dependency;
  return isStored ? objects.read(readId(source, start)) : codec.decodeAt(source, start, end);
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
