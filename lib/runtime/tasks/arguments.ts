import type { InboxRecord } from '../../transport/peer.js';
import type { Core } from '../core.js';
import { readId } from '../objects/ids.js';
import {
  Flag,
  prefixBytes,
  readAttempt,
  readDependencies,
  readFlags,
  readKey,
  readUint32,
  type Terms,
} from './task-spec.js';

/** A task or call as its worker gets it. */
export interface ReceivedSpec {
  readonly key: number;
  readonly attempt: number;
  readonly terms: Terms | undefined;
  /** Private, or views on the store. */
  readonly args: unknown[];
}

/** Throws the error of a dependency that failed, and ObjectLostError for one that is gone. */
export function readSpec(core: Core, { start, end }: InboxRecord): ReceivedSpec {
  const { inbox } = core.peer;
  const flags = readFlags(inbox, start);
  const key = readKey(inbox, start);
  const attempt = readAttempt(inbox, start);
  let first = start + prefixBytes;
  let terms: Terms | undefined;
  if ((flags & Flag.terms) !== 0) {
    const length = readUint32(inbox, first);
    terms = core.codec.decodeAt(inbox, first + 4, first + 4 + length) as Terms;
    first += 4 + length;
  }
  const isPlain = (flags & Flag.dependencies) === 0;
  const args = isPlain ? readList(core, flags, first, end) : readResolved(core, flags, first, end);
  return { key, attempt, terms, args };
}

function readResolved(core: Core, flags: number, start: number, end: number): unknown[] {
  const { inbox } = core.peer;
  const first = start + 4;
  const after = first + readUint32(inbox, start);
  const args = readList(core, flags, first, after);
  if ((flags & Flag.storedDependencies) === 0) resolve(core, args, inbox, after, end);
  else {
    const dependencies = core.objects.read(readId(inbox, after)) as Uint8Array;
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

function readList(core: Core, flags: number, start: number, end: number): unknown[] {
  const { codec, objects, peer } = core;
  if ((flags & Flag.stored) === 0) return codec.decodeAt(peer.inbox, start, end) as unknown[];
  return objects.read(readId(peer.inbox, start)) as unknown[];
}
