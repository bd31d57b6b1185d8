/**
 * The numbers of the value format. FORMAT.md gives their meaning. They are read by other processes
 * and other languages: never change one, only add.
 */

/** First byte of a record, without {@link HAS_BACK_REFERENCES}. */
export const RecordKind = { Inline: 0x01, Segmented: 0x02, Raw: 0x03, Forward: 0x04 } as const;

/** Set in the first byte of a record whose objects must be numbered while it is read. */
export const HAS_BACK_REFERENCES = 0x80;

/** Types of the MessagePack extensions. */
export const Extension = {
  Undefined: 0x00,
  Tag: 0x01,
  BigInt: 0x02,
  Date: 0x03,
  Utf16: 0x04,
  BackReference: 0x05,
  View: 0x06,
  Hole: 0x07,
} as const;

/** Data byte of {@link Extension.Tag}: what the array that begins with it stands for. */
export const Tag = {
  Map: 0x01,
  Set: 0x02,
  RegExp: 0x03,
  Boxed: 0x04,
  SparseArray: 0x05,
  Error: 0x06,
  DomException: 0x07,
  Registered: 0x08,
  Reference: 0x09,
  Arrow: 0x0a,
} as const;

/** What a view on binary data is. */
export const ViewType = {
  ArrayBuffer: 0x00,
  SharedArrayBuffer: 0x01,
  DataView: 0x02,
  Buffer: 0x03,
  Int8Array: 0x10,
  Uint8Array: 0x11,
  Uint8ClampedArray: 0x12,
  Int16Array: 0x13,
  Uint16Array: 0x14,
  Int32Array: 0x15,
  Uint32Array: 0x16,
  Float32Array: 0x17,
  Float64Array: 0x18,
  BigInt64Array: 0x19,
  BigUint64Array: 0x1a,
  Float16Array: 0x1b,
} as const;

/** Alignment, in bytes from the start of a record, of every segment laid out of band. */
export const ALIGNMENT = 64;

/** Segments of at least this many bytes are laid out of band and can be read without a copy. */
export const OUT_OF_BAND_BYTES = 1024;

/** Containers may be nested this deep at least; deeper ones depend on the stack of the thread. */
export const SAFE_DEPTH = 500;
