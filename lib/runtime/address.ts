/**
 * Where processes that want to join a runtime find it. A named runtime keeps two names of the
 * system's (native.nameClaim) that vanish with its process, however it ends: one that only one
 * runtime can have, and one that says where it is.
 */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { MobulaError } from '../common/errors.js';
import { native } from '../store/binding.js';
import type { StoreHandle } from '../store/store-options.js';
import type { PeerAddress } from '../transport/peer.js';
import type { WorkerIsolation } from './context.js';

/** A runtime, to a process that joins it. */
export interface Place {
  readonly store: StoreHandle;
  readonly driver: PeerAddress;
  /** What a task worker is unless the task says otherwise. */
  readonly isolation: WorkerIsolation;
}

const scheme = 'mobula:';
const placePattern = /^(\d+)\/(\d+)\/([0-9a-f]{32})\/(\d+)\/(\d+)\/(thread|process)$/;
const namePattern = /^[\w.-]{1,200}$/;

function textOf({ store, driver, isolation }: Place): string {
  const { pid, fd, storeId } = store;
  return [pid, fd, storeId, driver.slot, driver.uid, isolation].join('/');
}

function placeOf(text: string): Place | undefined {
  const match = placePattern.exec(text);
  if (match === null) return undefined;
  const [, pid, fd, storeId, slot, uid, isolation] = match;
  return {
    store: { pid: Number(pid), fd: Number(fd), storeId: storeId! },
    driver: { slot: Number(slot), uid: Number(uid) },
    isolation: isolation as WorkerIsolation,
  };
}

/** With what a runtime can be joined: its name, or where it is. */
export function addressOf(place: Place, name: string | undefined): string {
  return scheme + (name ?? textOf(place));
}

/** The name in an address, if it has one. */
export function nameIn(address: string): string | undefined {
  const rest = address.slice(scheme.length);
  return namePattern.test(rest) ? rest : undefined;
}

export function isAddress(text: string): boolean {
  if (!text.startsWith(scheme)) return false;
  return nameIn(text) !== undefined || placeOf(text.slice(scheme.length)) !== undefined;
}

export function isName(text: string): boolean {
  return namePattern.test(text);
}

/** Of one user, and of a fixed length: the system's names are short. */
function systemName(name: string): string {
  const identity = `${userInfo().uid}\n${name}`;
  return `mobula/${createHash('sha256').update(identity).digest('hex').slice(0, 24)}`;
}

/** Claims a name for a runtime; returns how to give it up. */
export function claimName(name: string, place: Place): () => void {
  const own = systemName(name);
  const claim = native.nameClaim(own);
  if (claim === undefined) {
    throw new MobulaError(
      'MOBULA_NAME_IN_USE',
      `A runtime named '${name}' runs already: join it with init({ address: '${scheme}${name}' }), ` +
        'or choose another name',
    );
  }
  const where = native.nameClaim(`${own}/${textOf(place)}`);
  return () => {
    native.descriptorClose(claim);
    if (where !== undefined) native.descriptorClose(where);
  };
}

/** Finds the runtime of an address; undefined when there is none of that name. */
export function findPlace(address: string): Place | undefined {
  const name = nameIn(address);
  if (name === undefined) return placeOf(address.slice(scheme.length));
  const prefix = ` @${systemName(name)}/`;
  for (const line of readFileSync('/proc/net/unix', 'utf8').split('\n')) {
    const start = line.indexOf(prefix);
    if (start >= 0) return placeOf(line.slice(start + prefix.length));
  }
  return undefined;
}
