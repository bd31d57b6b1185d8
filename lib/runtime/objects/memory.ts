import type { Core } from '../core.js';
import type { CallSites } from './call-sites.js';
import { isSystemId, PeerIds } from './ids.js';
import { liveRefs } from './live-refs.js';
import { referenceOf, type Reference } from './object-ref.js';

/** An object that somebody has a ref to. */
export interface ObjectMemory {
  /** 32 hex digits: that of its refs. */
  id: string;
  /** Bytes; 0 for what is pending or has failed. */
  size: number;
  /**
   * In the store: `'pending'` (its task has not ended), `'created'` (being written), `'sealed'`,
   * `'spilled'`, `'lost'`, `'freed'`. Otherwise in the memory of this thread: `'pending'`,
   * `'local'` or `'failed'`.
   */
  state: 'pending' | 'created' | 'sealed' | 'spilled' | 'lost' | 'freed' | 'local' | 'failed';
  /** The thread whose task or `put` it is: `peer-` and a number. */
  owner: string;
  /** Processes that have a ref to it. */
  refs: number;
  /** Processes that hold it by a pin or a view. */
  pins: number;
  /** Milliseconds. */
  age: number;
  /**
   * With `trackCallSites`, of refs that this thread has: the line of code outside of Mobula that
   * made the ref, here or where it came from: `file:line:column`, or `function (file:line:column)`.
   */
  callSite?: string;
}

const states = ['pending', 'created', 'sealed', 'lost', 'freed', 'spilled'] as const;

/** All objects of the store that refs stand for, and those of this thread that are elsewhere. */
export function listMemory(core: Core): ObjectMemory[] {
  const references = liveRefs()
    .map(referenceOf)
    .filter(({ core: owner, disposed }) => owner === core && !disposed);
  const local = references.filter(({ entry }) => entry === undefined);
  const now = Date.now();
  const rows = [...storedMemory(core), ...local.map((reference) => localRow(core, reference, now))];
  if (core.callSites !== undefined) addCallSites(rows, references, core.callSites);
  return rows;
}

/** Those of the store. */
export function storedMemory(core: Core): ObjectMemory[] {
  const now = Date.now();
  return core.objects
    .listReferred()
    .filter(([id]) => !isSystemId(id))
    .map(([id, size, state, refs, pins, createdAt]): ObjectMemory => {
      const age = Math.max(0, now - createdAt);
      return { id, size, state: states[state]!, owner: ownerOf(id), refs, pins, age };
    });
}

function addCallSites(
  rows: readonly ObjectMemory[],
  references: readonly Reference[],
  callSites: CallSites,
): void {
  const sites = new Map(references.map((reference) => [reference.id, callSites.of(reference)]));
  for (const row of rows) {
    const callSite = sites.get(row.id);
    if (callSite !== undefined) row.callSite = callSite;
  }
}

function localRow(core: Core, reference: Reference, now: number): ObjectMemory {
  const { id, slot, madeAt } = reference;
  const age = Math.max(0, now - core.startedAt - madeAt);
  const row = { id, size: 0, owner: ownerOf(id), refs: 1, pins: 0, age };
  switch (slot.state) {
    case 'record':
      return { ...row, state: 'local', size: slot.record.length };
    case 'value':
      return { ...row, state: 'local', size: core.codec.encode(slot.value).size };
    case 'failed':
      return { ...row, state: 'failed' };
    default:
      return { ...row, state: 'pending' };
  }
}

function ownerOf(id: string): string {
  return `peer-${PeerIds.issuerOf(id)}`;
}
