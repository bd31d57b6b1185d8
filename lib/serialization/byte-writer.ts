import { constants } from 'node:buffer';
import { SerializationError } from '../common/errors.js';
import { Extension, type Tag } from './tags.js';

declare global {
  interface String {
    /** ES2024, present since Node 20. */
    isWellFormed(): boolean;
  }
}

const SCRATCH_BYTES = 16 * 1024;
const KEPT_SCRATCH_BYTES = 1024 * 1024;
const MAX_BYTES = Math.min(constants.MAX_LENGTH, 0xffff_ffff);
const SHORT_STRING = 48;
const EXACT_MEASURE_LENGTH = 64 * 1024;

const float64 = new Float64Array(1);
const float64Bytes = new Uint8Array(float64.buffer);
const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Writes MessagePack. It starts in the caller's bytes and moves by itself to memory of its own when
 * they are too small, so that a value is never walked twice. Not reentrant.
 */
export class ByteWriter {
  bytes: Buffer;
  start = 0;
  position = 0;
  #scratch: Buffer;
  #target: Uint8Array | undefined;
  #targetBytes: Buffer;

  constructor() {
    this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    this.#targetBytes = this.#scratch;
    this.bytes = this.#scratch;
  }

  /** True while everything written is where {@link beginIn} said. */
  get inTarget(): boolean {
    return this.bytes !== this.#scratch;
  }

  begin(): void {
    this.bytes = this.#scratch;
    this.start = 0;
    this.position = 0;
  }

  beginIn(target: Uint8Array, offset: number): void {
    if (target !== this.#target) {
      this.#target = target;
      this.#targetBytes = Buffer.from(target.buffer, target.byteOffset, target.byteLength);
    }
    this.bytes = this.#targetBytes;
    this.start = offset;
    this.position = offset;
  }

  /** Takes what was written; it stays valid whatever the writer does next. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(this.start, this.position);
    if (this.inTarget || this.position < this.#scratch.length / 2) return new Uint8Array(taken);
    this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    return taken;
  }

  /** Forgets a scratch that one large value has blown up. */
  trim(): void {
    if (this.#scratch.length <= KEPT_SCRATCH_BYTES) return;
    this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    this.bytes = this.#scratch;
  }

  ensure(count: number): void {
    if (this.position + count > this.bytes.length) this.#grow(count);
  }

  writeByte(byte: number): void {
    this.ensure(1);
    this.bytes[this.position++] = byte;
  }

  writeNumber(value: number): void {
    this.ensure(9);
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
      if (value >= 0) this.#writeUint(value);
      else this.#writeNegative(value);
      return;
    }
    if (value >>> 0 === value && value !== 0) {
      this.#writeUint(value);
      return;
    }
    this.bytes[this.position++] = 0xcb;
    this.writeRawFloat64(value);
  }

  /** Eight bytes, big-endian; the room must have been ensured. */
  writeRawFloat64(value: number): void {
    const bytes = this.bytes;
    const position = this.position;
    float64[0] = value;
    if (isLittleEndian) {
      for (let i = 0; i < 8; i++) bytes[position + i] = float64Bytes[7 - i]!;
    } else {
      bytes.set(float64Bytes, position);
    }
    this.position = position + 8;
  }

  writeString(value: string): void {
    const length = value.length;
    if (length > SHORT_STRING) {
      this.#writeLongString(value);
      return;
    }
    this.ensure(length + 2);
    const bytes = this.bytes;
    let position = this.position;
    if (length < 32) {
      bytes[position++] = 0xa0 | length;
    } else {
      bytes[position++] = 0xd9;
      bytes[position++] = length;
    }
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= 0x80) {
        this.#writeLongString(value);
        return;
      }
      bytes[position++] = unit;
    }
    this.position = position;
  }

  writeBigInt(value: bigint): void {
    const magnitude = value < 0n ? ~value : value;
    let hex = magnitude.toString(16);
    if (hex.length % 2 === 1) hex = `0${hex}`;
    if (hex.charAt(0) >= '8') hex = `00${hex}`;
    const content = Buffer.from(hex, 'hex');
    if (value < 0n) for (let i = 0; i < content.length; i++) content[i] = ~content[i]!;
    this.writeExtensionHeader(Extension.BigInt, content.length);
    this.writeRaw(content);
  }

  writeDate(time: number): void {
    this.ensure(10);
    this.bytes[this.position++] = 0xd7;
    this.bytes[this.position++] = Extension.Date;
    this.writeRawFloat64(time);
  }

  writeUndefined(): void {
    this.#writeMark(Extension.Undefined, 0);
  }

  /** Stands for an item that an array does not have. */
  writeHole(): void {
    this.#writeMark(Extension.Hole, 0);
  }

  /** An extension whose content is one unsigned 32-bit number. */
  writeIndex(type: number, index: number): void {
    this.ensure(6);
    this.bytes[this.position++] = 0xd6;
    this.bytes[this.position++] = type;
    this.#writeRawUint32(index);
  }

  writeArrayHeader(count: number): void {
    this.#writeHeader(count, 0x90, 0xdc);
  }

  writeMapHeader(count: number): void {
    this.#writeHeader(count, 0x80, 0xde);
  }

  /** Begins the array of `count` items that `tag` gives its meaning. */
  writeTagged(tag: (typeof Tag)[keyof typeof Tag], count: number): void {
    this.writeArrayHeader(count + 1);
    this.#writeMark(Extension.Tag, tag);
  }

  writeBinary(content: Uint8Array): void {
    this.ensure(5);
    this.bytes[this.position++] = 0xc6;
    this.#writeRawUint32(content.length);
    this.writeRaw(content);
  }

  writeExtensionHeader(type: number, length: number): void {
    this.ensure(6);
    if (length < 0x100) {
      this.bytes[this.position++] = 0xc7;
      this.bytes[this.position++] = length;
    } else {
      this.bytes[this.position++] = 0xc9;
      this.#writeRawUint32(length);
    }
    this.bytes[this.position++] = type;
  }

  writeRaw(content: Uint8Array): void {
    this.ensure(content.length);
    this.bytes.set(content, this.position);
    this.position += content.length;
  }

  #writeMark(type: number, data: number): void {
    this.ensure(3);
    this.bytes[this.position++] = 0xd4;
    this.bytes[this.position++] = type;
    this.bytes[this.position++] = data;
  }

  #writeLongString(value: string): void {
    if (!value.isWellFormed()) {
      const content = Buffer.from(value, 'utf16le');
      this.writeExtensionHeader(Extension.Utf16, content.length);
      this.writeRaw(content);
      return;
    }
    const most = value.length > EXACT_MEASURE_LENGTH ? Buffer.byteLength(value) : value.length * 3;
    this.ensure(most + 5);
    const header = most < 0x100 ? 2 : most < 0x10000 ? 3 : 5;
    const length = this.bytes.write(value, this.position + header, 'utf8');
    if (header === 2) {
      this.bytes[this.position++] = 0xd9;
      this.bytes[this.position++] = length;
    } else if (header === 3) {
      this.bytes[this.position++] = 0xda;
      this.#writeRawUint16(length);
    } else {
      this.bytes[this.position++] = 0xdb;
      this.#writeRawUint32(length);
    }
    this.position += length;
  }

  #writeUint(value: number): void {
    const bytes = this.bytes;
    if (value < 0x80) {
      bytes[this.position++] = value;
    } else if (value < 0x100) {
      bytes[this.position++] = 0xcc;
      bytes[this.position++] = value;
    } else if (value < 0x10000) {
      bytes[this.position++] = 0xcd;
      this.#writeRawUint16(value);
    } else {
      bytes[this.position++] = 0xce;
      this.#writeRawUint32(value);
    }
  }

  #writeNegative(value: number): void {
    const bytes = this.bytes;
    if (value >= -0x20) {
      bytes[this.position++] = value & 0xff;
    } else if (value >= -0x80) {
      bytes[this.position++] = 0xd0;
      bytes[this.position++] = value & 0xff;
    } else if (value >= -0x8000) {
      bytes[this.position++] = 0xd1;
      this.#writeRawUint16(value & 0xffff);
    } else {
      bytes[this.position++] = 0xd2;
      this.#writeRawUint32(value);
    }
  }

  #writeHeader(count: number, fixed: number, wide: number): void {
    this.ensure(5);
    if (count < 0x10) {
      this.bytes[this.position++] = fixed | count;
    } else if (count < 0x10000) {
      this.bytes[this.position++] = wide;
      this.#writeRawUint16(count);
    } else {
      this.bytes[this.position++] = wide + 1;
      this.#writeRawUint32(count);
    }
  }

  #writeRawUint16(value: number): void {
    this.bytes[this.position++] = value >>> 8;
    this.bytes[this.position++] = value & 0xff;
  }

  #writeRawUint32(value: number): void {
    const bytes = this.bytes;
    const position = this.position;
    bytes[position] = value >>> 24;
    bytes[position + 1] = (value >>> 16) & 0xff;
    bytes[position + 2] = (value >>> 8) & 0xff;
    bytes[position + 3] = value & 0xff;
    this.position = position + 4;
  }

  #grow(count: number): void {
    const used = this.position - this.start;
    const from = this.bytes;
    const needed = used + count;
    if (needed > MAX_BYTES) {
      throw new SerializationError(
        'value is too large: put its parts one by one and pass the refs',
      );
    }
    const to =
      this.inTarget && needed <= this.#scratch.length
        ? this.#scratch
        : Buffer.allocUnsafeSlow(Math.min(Math.max(2 * needed, SCRATCH_BYTES), MAX_BYTES));
    from.copy(to, 0, this.start, this.position);
    this.#scratch = to;
    this.bytes = to;
    this.start = 0;
    this.position = used;
  }
}
