import { types } from 'node:util';
import { SerializationError } from '../common/errors.js';
import { ALIGNMENT, OUT_OF_BAND_BYTES, RecordKind, ViewType } from './tags.js';

export type ViewTypeCode = (typeof ViewType)[keyof typeof ViewType];
export type BinaryValue = ArrayBufferView | ArrayBufferLike;

/** What one binary value shows: a byte range of the buffer behind it. */
export interface View {
  readonly type: ViewTypeCode;
  readonly source: ArrayBufferLike;
  readonly start: number;
  readonly length: number;
}

interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): ArrayBufferView;
}

const typedArrayNames = (Object.keys(ViewType) as (keyof typeof ViewType)[]).filter(
  (name) => ViewType[name] >= ViewType.Int8Array,
);
const typeOfArrayName = new Map<string, ViewTypeCode>(
  typedArrayNames.map((name) => [name, ViewType[name]]),
);
const arrayOfType = new Map<number, TypedArrayConstructor>();
for (const name of typedArrayNames) {
  const constructor = (globalThis as unknown as Record<string, TypedArrayConstructor | undefined>)[
    name
  ];
  if (constructor !== undefined) arrayOfType.set(ViewType[name], constructor);
}

/**
 * Whether `value` makes typed arrays of elements of its own: neither Buffer nor a user's subclass.
 */
export function isTypedArrayConstructor(value: unknown): boolean {
  return [...arrayOfType.values()].some((constructor) => constructor === value);
}

/** Says what a typed array is even when its class is a subclass; undefined for a DataView. */
const arrayNameGetter = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
);

/** Undefined when `value` has no contents: its buffer is detached, or has shrunk away from it. */
export function viewOf(value: BinaryValue): View | undefined {
  if (!ArrayBuffer.isView(value)) {
    const type = types.isSharedArrayBuffer(value)
      ? ViewType.SharedArrayBuffer
      : ViewType.ArrayBuffer;
    if (value.byteLength === 0 && isDetached(value)) return undefined;
    return { type, source: value, start: 0, length: value.byteLength };
  }
  if (!hasContents(value)) return undefined;
  const name = arrayNameGetter?.get?.call(value) as string | undefined;
  const type = Buffer.isBuffer(value)
    ? ViewType.Buffer
    : name === undefined
      ? ViewType.DataView
      : typeOfArrayName.get(name);
  if (type === undefined) throw new SerializationError(`${name} has no place in the value format`);
  return { type, source: value.buffer, start: value.byteOffset, length: value.byteLength };
}

function hasContents(value: ArrayBufferView): boolean {
  try {
    return value.byteLength > 0 || !isDetached(value.buffer);
  } catch {
    return false; // Only a DataView throws.
  }
}

function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/**
 * Makes the value of `type` on bytes that it need not copy. A whole ArrayBuffer or
 * SharedArrayBuffer comes back as itself when `buffer` is exactly its contents; otherwise as the
 * Uint8Array on them, because no buffer can be a part of another.
 */
export function makeView(
  type: number,
  buffer: ArrayBufferLike,
  byteOffset: number,
  byteLength: number,
): BinaryValue {
  switch (type) {
    case ViewType.ArrayBuffer:
    case ViewType.SharedArrayBuffer:
      return byteOffset === 0 && byteLength === buffer.byteLength
        ? buffer
        : new Uint8Array(buffer, byteOffset, byteLength);
    case ViewType.DataView:
      return new DataView(buffer, byteOffset, byteLength);
    case ViewType.Buffer:
      return Buffer.from(buffer, byteOffset, byteLength);
    default: {
      const constructor = typedArrayConstructor(type);
      return new constructor(buffer, byteOffset, byteLength / constructor.BYTES_PER_ELEMENT);
    }
  }
}

/** Bytes per element of a view of `type`; throws SerializationError on a type this Node lacks. */
export function elementSize(type: number): number {
  return type < ViewType.Int8Array ? 1 : typedArrayConstructor(type).BYTES_PER_ELEMENT;
}

function typedArrayConstructor(type: number): TypedArrayConstructor {
  const constructor = arrayOfType.get(type);
  if (constructor !== undefined) return constructor;
  throw new SerializationError(`the value holds a view of type ${type}, which this Node lacks`);
}

/** A copy of `length` bytes that nothing else shares, as a buffer of exactly these bytes. */
export function copyRange(
  bytes: Uint8Array,
  offset: number,
  length: number,
  shared: boolean,
): ArrayBufferLike {
  const buffer = shared ? new SharedArrayBuffer(length) : new ArrayBuffer(length);
  new Uint8Array(buffer).set(bytes.subarray(offset, offset + length));
  return buffer;
}

/** Bytes in front of the data of a raw record. */
export const RAW_HEADER_BYTES = ALIGNMENT;

/** Writes the header of a raw record: the data of the view follow at {@link RAW_HEADER_BYTES}. */
export function writeRawHeader(
  target: Uint8Array,
  offset: number,
  type: ViewTypeCode,
  byteLength: number,
): void {
  target.fill(0, offset, offset + RAW_HEADER_BYTES);
  target[offset] = RecordKind.Raw;
  target[offset + 1] = type;
  new DataView(target.buffer, target.byteOffset + offset).setBigUint64(8, BigInt(byteLength), true);
}

export function isOutOfBand(length: number): boolean {
  return length >= OUT_OF_BAND_BYTES;
}
