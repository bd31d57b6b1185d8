import { types } from 'node:util';
import {
  checkInteger,
  checkObject,
  checkString,
  invalidType,
  outOfRange,
} from '../common/validate.js';
import type { ObjectInfo } from './object-info.js';

/** Names an anonymous or named store for other threads and processes; plain data. */
export interface StoreHandle {
  /** The process that has issued it. */
  readonly pid: number;
  /** That process's descriptor of the memory. */
  readonly fd: number;
  /** 32 hex digits. */
  readonly storeId: string;
}

/** Sizes are bytes, or strings such as `'512MB'` and `'4GiB'`. */
export interface StoreOptions {
  /** Strict limit on object bytes, pinned ones included. */
  memory: number | string;
  /** One more evicts as full memory does. Default 1,048,576. */
  maxObjects?: number;
  /** Attachable by unrelated processes of the same user; without it the memory is anonymous. */
  name?: string;
  /** Default `'clru'`: the least recently used objects make room. */
  eviction?: 'clru' | 'none';
  /** Bytes of free memory to commit ahead of use, in the background. Default 0. */
  prefault?: number | string;
  /**
   * Default true: views are mapped read-only, and so is in this process what a writer has sealed
   * (64 KiB or more). A stray write ends the process with a line on stderr that names the object.
   */
  guard?: boolean;
  /**
   * Called for every object that calls of this thread evict, through whichever instance, after the
   * call has done its work, until this instance is closed. What it throws becomes a process
   * warning.
   */
  onEvict?: (object: ObjectInfo) => void;
}

export const storeOptionNames = [
  'memory',
  'maxObjects',
  'name',
  'eviction',
  'prefault',
  'guard',
  'onEvict',
] as const satisfies readonly (keyof StoreOptions)[];

/** What an object is made with. */
export interface PutOptions {
  /** 32 lowercase hex digits; a fresh id without it. */
  id?: string;
  /** Bytes that go with the object, and are charged with it. Default none. */
  metadata?: Uint8Array;
}

/** How long to wait for an object. */
export interface WaitOptions {
  /** Milliseconds, or as `'5s'`; 0 polls. Default none. GetTimeoutError when it has passed. */
  timeout?: number | string;
  /** Rejects with its reason when aborted. */
  signal?: AbortSignal;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;
const storeIdPattern = /^[0-9a-f]{32}$/;

/** The bytes of any buffer or view; a TypeError for what is neither, or is detached. */
export function bytesOf(value: unknown): Uint8Array {
  if (ArrayBuffer.isView(value)) return bytesOfView(value);
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
    return new Uint8Array(value);
  }
  throw invalidType('bytes', 'an ArrayBuffer, a SharedArrayBuffer or a view on one', value);
}

/** Refuses what would pass for empty: a view of a detached buffer, or of one that has shrunk. */
function bytesOfView(view: ArrayBufferView): Uint8Array {
  try {
    const { buffer, byteOffset, byteLength } = view;
    // Throws unless the array lies within its buffer.
    if (byteLength === 0 && types.isTypedArray(view)) Int8Array.prototype.at.call(view, 0);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch {
    throw invalidType('bytes', 'a view that lies within its buffer', view);
  }
}

export function checkMetadata(value: unknown): Uint8Array | undefined {
  if (value === undefined) return undefined;
  if (!(value instanceof Uint8Array)) throw invalidType('options.metadata', 'a Uint8Array', value);
  return bytesOfView(value);
}

export function checkId(name: string, value: unknown): string {
  checkString(name, value);
  if (!storeIdPattern.test(value)) throw outOfRange(name, '32 lowercase hex digits', value);
  return value;
}

export function checkName(value: unknown): string {
  checkString('name', value);
  if (namePattern.test(value)) return value;
  throw outOfRange('name', 'at most 200 letters, digits, dots, dashes and underscores', value);
}

export function checkHandle(value: unknown): StoreHandle {
  checkObject('target', value);
  const { pid, fd, storeId } = value as Partial<StoreHandle>;
  checkInteger('target.pid', pid, 1, 2 ** 31 - 1);
  checkInteger('target.fd', fd, 0, 2 ** 31 - 1);
  checkId('target.storeId', storeId);
  return value as StoreHandle;
}
