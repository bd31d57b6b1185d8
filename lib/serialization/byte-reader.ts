import { SerializationError } from '../common/errors.js';

const CACHED_STRING_BYTES = 32;
const CACHE_SLOTS = 2048;
const EMPTY = Buffer.alloc(0);

const float64 = new Float64Array(1);
const float64Bytes = new Uint8Array(float64.buffer);
const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const float32 = new Float32Array(1);
const float32Bits = new Uint32Array(float32.buffer);

/** Keys and other short ASCII strings met lately, so that equal ones are one string. */
const cache = new Array<string | undefined>(CACHE_SLOTS).fill(undefined);

/** Says that the bytes are not a value that Mobula wrote. */
export function malformed(what: string): SerializationError {
  return new SerializationError(`malformed value: ${what}`);
}

/** Reads the scalars of MessagePack between two positions, never a byte outside. */
export class ByteReader {
  bytes: Buffer = EMPTY;
  position = 0;
  end = 0;

  begin(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** Lets go of the bytes, so that the memory behind them can be given back. */
  clear(): void {
    this.bytes = EMPTY;
    this.position = 0;
    this.end = 0;
  }

  need(count: number): void {
    if (count > this.end - this.position) throw malformed('it ends too early');
  }

  readUint8(): number {
    this.need(1);
    return this.bytes[this.position++]!;
  }

  readUint16(): number {
    this.need(2);
    const bytes = this.bytes;
    const high = bytes[this.position++]!;
    return (high << 8) | bytes[this.position++]!;
  }

  readUint32(): number {
    this.need(4);
    const value = this.bytes.readUInt32BE(this.position);
    this.position += 4;
    return value;
  }

  readFloat32(): number {
    float32Bits[0] = this.readUint32();
    return float32[0]!;
  }

  readFloat64(): number {
    this.need(8);
    const bytes = this.bytes;
    const position = this.position;
    for (let i = 0; i < 8; i++) {
      float64Bytes[isLittleEndian ? 7 - i : i] = bytes[position + i]!;
    }
    this.position = position + 8;
    return float64[0]!;
  }

  /** A 64-bit integer of another writer: a number where that is exact. */
  readInt64(signed: boolean): number | bigint {
    this.need(8);
    const { bytes, position } = this;
    const value = signed ? bytes.readBigInt64BE(position) : bytes.readBigUInt64BE(position);
    this.position = position + 8;
    const asNumber = Number(value);
    return Number.isSafeInteger(asNumber) ? asNumber : value;
  }

  skip(length: number): void {
    this.need(length);
    this.position += length;
  }

  readBytes(length: number): Buffer {
    this.need(length);
    const start = this.position;
    this.position = start + length;
    return this.bytes.subarray(start, start + length);
  }

  readString(length: number): string {
    this.need(length);
    const start = this.position;
    this.position = start + length;
    if (length > CACHED_STRING_BYTES) return this.bytes.toString('utf8', start, start + length);
    if (length === 0) return '';
    return this.#readCached(start, length);
  }

  readUtf16(length: number): string {
    return this.readBytes(length).toString('utf16le');
  }

  readBigInt(length: number): bigint {
    if (length === 0) return 0n;
    const content = this.readBytes(length);
    const isNegative = content[0]! >= 0x80;
    if (!isNegative) return BigInt(`0x${content.toString('hex')}`);
    const inverted = Buffer.from(content.map((byte) => ~byte));
    return ~BigInt(`0x${inverted.toString('hex')}`);
  }

  #readCached(start: number, length: number): string {
    const bytes = this.bytes;
    const first = bytes[start]!;
    const last = bytes[start + length - 1]!;
    const middle = bytes[start + (length >> 1)]!;
    const slot = (first * 31 + middle * 17 + last * 7 + length * 3) % CACHE_SLOTS;
    const known = cache[slot];
    if (known?.length === length && this.#equals(known, start, length)) return known;
    const value = bytes.toString('utf8', start, start + length);
    if (value.length === length) cache[slot] = value;
    return value;
  }

  #equals(value: string, start: number, length: number): boolean {
    const bytes = this.bytes;
    for (let i = 0; i < length; i++) {
      if (value.charCodeAt(i) !== bytes[start + i]) return false;
    }
    return true;
  }
}
