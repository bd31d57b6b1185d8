/**
 * A task or a call as it travels (Ray's task spec): which function, on what terms, its arguments.
 *
 *   0  u32  key, low       the declaration's hash
 *   4  u16  key, high
 *   6  u8   flags          see below
 *   7  u8   attempt        how often it was sent before; 255 stands for more, too
 *   8  ...  the terms      with Flag.terms: u32 length, then a record of Terms
 *      ...  the arguments  a record (serialization/FORMAT.md), or the id of an object that holds it
 *
 * With dependencies, a u32 with the length of the arguments comes before them, and after them
 * comes for each dependency: u32 argument index, u32 length, then a record or an id. When they do
 * not fit, the id of an object whose value is these bytes follows instead.
 */

import { idBytes, writeId } from '../objects/ids.js';

export const Flag = {
  /** The arguments are an object in the store. */
  stored: 1,
  dependencies: 2,
  /** Calls only: makes the actor. */
  construct: 4,
  terms: 8,
  storedDependencies: 16,
} as const;

/** How many calls of an actor may overlap. */
export interface Concurrency {
  /** Of those that name no group. */
  readonly max: number;
  /** Of each group, by its name. */
  readonly groups: Readonly<Record<string, number>>;
}

/** What a task is told beside its arguments; only what differs from the usual. */
export interface Terms {
  /** What messages call it. */
  readonly name?: string;
  /** Milliseconds from the call to its end. */
  readonly timeout?: number;
  /** The result is an array of so many results. */
  readonly returns?: number;
  /** The function is a generator: how many unread items it may be ahead. */
  readonly backpressure?: number;
  /** What it holds while it runs, unless that is one cpu. */
  readonly resources?: Readonly<Record<string, number>>;
  /** Calls only: the group of the actor within which it is counted. */
  readonly concurrencyGroup?: string;
  /** Constructions only, unless the actor's calls do not overlap and have no groups. */
  readonly concurrency?: Concurrency;
  /** By the shared clock, where times are tracked. */
  readonly submittedAt?: number;
  /** W3C trace context of the submitter. */
  readonly trace?: Readonly<Record<string, string>>;
  /** Values of the AsyncLocalStorages that the function's module exports, by export name. */
  readonly locals?: readonly (readonly [name: string, value: unknown])[];
}

export const prefixBytes = 8;
const dependencyHeaderBytes = 8;
/** Set in a dependency's length when it is the id of an object. */
const storedBit = 0x8000_0000;

export function writePrefix(target: Uint8Array, offset: number, key: number, flags: number): void {
  const high = Math.floor(key / 0x1_0000_0000);
  writeUint32(target, offset, key - high * 0x1_0000_0000);
  target[offset + 4] = high & 0xff;
  target[offset + 5] = high >>> 8;
  target[offset + 6] = flags;
  target[offset + 7] = 0;
}

export function readAttempt(source: Uint8Array, offset: number): number {
  return source[offset + 7]!;
}

export function countAttempt(spec: Uint8Array, offset: number): void {
  if (spec[offset + 7]! < 255) spec[offset + 7]!++;
}

export function readKey(source: Uint8Array, offset: number): number {
  const high = source[offset + 4]! | (source[offset + 5]! << 8);
  return readUint32(source, offset) + high * 0x1_0000_0000;
}

export function readFlags(source: Uint8Array, offset: number): number {
  return source[offset + 6]!;
}

export function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value;
  target[offset + 1] = value >>> 8;
  target[offset + 2] = value >>> 16;
  target[offset + 3] = value >>> 24;
}

export function readUint32(source: Uint8Array, offset: number): number {
  return (
    (source[offset]! |
      (source[offset + 1]! << 8) |
      (source[offset + 2]! << 16) |
      (source[offset + 3]! << 24)) >>>
    0
  );
}

/** The resolved value of an argument that was a ref: a record at hand, or an object's id. */
export interface Dependency {
  readonly index: number;
  readonly content: Uint8Array | string;
}

export function dependenciesBytes(dependencies: readonly Dependency[]): number {
  let bytes = 0;
  for (const { content } of dependencies) {
    bytes += dependencyHeaderBytes + (typeof content === 'string' ? idBytes : content.length);
  }
  return bytes;
}

export function writeDependencies(
  target: Uint8Array,
  offset: number,
  dependencies: readonly Dependency[],
): void {
  for (const { index, content } of dependencies) {
    const stored = typeof content === 'string';
    const length = stored ? idBytes : content.length;
    writeUint32(target, offset, index);
    writeUint32(target, offset + 4, stored ? length + storedBit : length);
    offset += dependencyHeaderBytes;
    if (stored) writeId(content, target, offset);
    else target.set(content, offset);
    offset += length;
  }
}

/** A record between two positions of `source`; if it is stored, the id of an object. */
export interface ReceivedDependency {
  readonly index: number;
  readonly source: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly isStored: boolean;
}

export function* readDependencies(
  source: Uint8Array,
  offset: number,
  end: number,
): Generator<ReceivedDependency> {
  while (offset < end) {
    const index = readUint32(source, offset);
    const word = readUint32(source, offset + 4);
    const isStored = word >= storedBit;
    const start = offset + dependencyHeaderBytes;
    offset = start + (isStored ? word - storedBit : word);
    yield { index, source, start, end: offset, isStored };
  }
}
