import type { Core } from '../core.js';
import { readId } from '../objects/ids.js';
import { noTerms } from './running-task.js';
import {
  Flag,
  prefixBytes,
  readDependencies,
  readFlags,
  readUint32,
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
  let first = start + prefixBytes;
  let terms = noTerms;
  if ((flags & Flag.terms) !== 0) {
    const length = readUint32(payload, first);
    terms = core.codec.decodeAt(payload, first + 4, first + 4 + length) as Terms;
    first += 4 + length;
  }
  const isPlain = (flags & Flag.dependencies) === 0;
  const read = isPlain ? readList : readResolved;
  return { terms, args: read(core, flags, payload, first, end) };
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
  if ((flags & Flag.storedDependencies) === 0) resolve(core, args, payload, after, end);
  else {
    const dependencies = core.objects.read(readId(payload, after)) as Uint8Array;
    resolve(core, args, dependencies, 0, dependencies.length);
  }
  return args;
}

function resolve(
  core: Core,
  args: unknown[],
  source: Uint8Array,
  start: number,
  end: number,
): void {
  for (const dependency of readDependencies(source, start, end)) {
    const { index, id } = dependency;
    args[index] =
      id === undefined
        ? core.codec.decodeAt(source, dependency.start, dependency.end)
        : core.objects.read(id);
  }
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
