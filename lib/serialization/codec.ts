import { types } from 'node:util';
import { malformed } from './byte-reader.js';
import type { CodecHooks } from './hooks.js';
import { readRaw, RecordViews, SharedViews } from './record.js';
import { Registry } from './registry.js';
import { SegmentedLayout } from './segments.js';
import { HAS_BACK_REFERENCES, RecordKind } from './tags.js';
import { ValueReader } from './value-reader.js';
import { ValueWriter } from './value-writer.js';
import { isOutOfBand, RAW_HEADER_BYTES, type View, viewOf, writeRawHeader } from './views.js';

/**
 * A value that has been walked and waits to be written. Its binary data are not copied before
 * {@link Encoded.write}: the arrays must stay as they are until then.
 */
export interface Encoded {
  /** Bytes that {@link write} fills. */
  readonly size: number;
  /** True when some array is laid out of band: then the record belongs in the store. */
  readonly outOfBand: boolean;
  /** Every reference at any depth, in the order met, each once. */
  readonly references: readonly object[];
  /** Fills `size` bytes of `target` from `offset`; 64-byte aligned there when out of band. */
  write(target: Uint8Array, offset: number): void;
}

/** A record that has been written already. */
export function recordOf(record: Uint8Array): Encoded {
  return {
    size: record.length,
    outOfBand: false,
    references: [],
    write: (target, offset) => target.set(record, offset),
  };
}

/** The same, whatever becomes of the arrays in the value. */
export function copyOf(encoded: Encoded): Encoded {
  const record = new Uint8Array(encoded.size);
  encoded.write(record, 0);
  return { ...recordOf(record), outOfBand: encoded.outOfBand, references: encoded.references };
}

const NO_BYTES = Buffer.alloc(0);
const NO_REFERENCES: readonly never[] = [];

/**
 * Turns values into records (FORMAT.md) and back with the fidelity of structured clone. For one
 * thread. User code (getters, serializers) runs while a value is encoded or decoded and may use the
 * codec itself. What a getter throws is thrown unchanged; all else that fails is a
 * SerializationError, whatever the bytes.
 */
export class Codec {
  readonly #hooks: CodecHooks;
  readonly #registry: Registry;
  // Taken while in use: user code that comes back in meanwhile gets one of its own.
  #writer: ValueWriter | undefined;
  #reader: ValueReader | undefined;
  #references: readonly object[] = NO_REFERENCES;
  #source: Uint8Array = NO_BYTES;
  #sourceBytes: Buffer = NO_BYTES;

  constructor(hooks: CodecHooks = {}, registry = new Registry()) {
    this.#hooks = hooks;
    this.#registry = registry;
  }

  /** Gives the references in the value that was last written in place, once. */
  takeReferences(): readonly object[] {
    const references = this.#references;
    this.#references = NO_REFERENCES;
    return references;
  }

  encode(value: unknown): Encoded {
    const raw = this.#rawView(value);
    if (raw !== undefined) return new RawRecord(raw);
    return this.#encode((writer) => writer.write(value));
  }

  /**
   * As {@link encode}, for a list of the runtime's own in which the arguments of a call stand from
   * index `before` on: errors name them by their number. It saves the look at keys other than the
   * items, which arrays of users may have.
   */
  encodeArguments(items: readonly unknown[], before: number): Encoded {
    return this.#encode((writer) => writer.writeArguments(items, before));
  }

  #encode(write: (writer: ValueWriter) => void): Encoded {
    const writer = this.#takeWriter();
    try {
      writer.out.begin();
      writer.out.writeByte(RecordKind.Inline);
      write(writer);
      return finish(writer);
    } finally {
      this.#giveWriter(writer);
    }
  }

  /**
   * Writes a value straight into `target` and returns the bytes written. A value that does not fit,
   * or has data out of band, comes back encoded instead; the bytes from `offset` on are undefined
   * then. Fastest when `target` is the same object every time; the codec keeps hold of it.
   */
  encodeInto(value: unknown, target: Uint8Array, offset: number): number | Encoded {
    const raw = this.#rawView(value);
    if (raw !== undefined) return new RawRecord(raw);
    const writer = this.#takeWriter();
    try {
      beginInline(writer, target, offset);
      writer.write(value);
      return this.#finishInto(writer, target, offset);
    } finally {
      this.#giveWriter(writer);
    }
  }

  /** As {@link encodeInto}, for what {@link encodeArguments} encodes. */
  encodeArgumentsInto(
    items: readonly unknown[],
    before: number,
    target: Uint8Array,
    offset: number,
  ): number | Encoded {
    const writer = this.#takeWriter();
    try {
      beginInline(writer, target, offset);
      writer.writeArguments(items, before);
      return this.#finishInto(writer, target, offset);
    } finally {
      this.#giveWriter(writer);
    }
  }

  /**
   * The value of the record that fills `bytes`. Arrays of 1 KiB or more come back as views on these
   * very bytes, which must stay as they are; `shared` takes them.
   */
  decode(bytes: Uint8Array, shared = new SharedViews()): unknown {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#decode(buffer, 0, buffer.length, shared);
  }

  /**
   * The value of the record between two positions, sharing nothing with the bytes. Fastest when
   * `bytes` is the same object every time; the codec keeps hold of it.
   */
  decodeAt(bytes: Uint8Array, start: number, end: number): unknown {
    if (bytes !== this.#source) {
      this.#source = bytes;
      this.#sourceBytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#decode(this.#sourceBytes, start, end, undefined);
  }

  /** A whole value that is one large array skips the encoding. */
  #rawView(value: unknown): View | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    if (!ArrayBuffer.isView(value) && !isAnyArrayBuffer(value)) return undefined;
    const view = viewOf(value);
    if (view === undefined || !isOutOfBand(view.length)) return undefined;
    return this.#registry.of(value) === undefined ? view : undefined;
  }

  #finishInto(writer: ValueWriter, target: Uint8Array, offset: number): number | Encoded {
    const { out } = writer;
    if (out.inTarget && writer.views.length === 0) {
      out.bytes[offset] = firstByte(RecordKind.Inline, writer.backReferences);
      this.#references = writer.references;
      return out.position - offset;
    }
    const encoded = finish(writer);
    if (encoded.outOfBand || offset + encoded.size > target.length) return encoded;
    encoded.write(target, offset);
    this.#references = encoded.references;
    return encoded.size;
  }

  #decode(bytes: Buffer, start: number, end: number, shared: SharedViews | undefined): unknown {
    if (!(start < end && end <= bytes.length)) throw malformed('it is empty');
    const first = bytes[start]!;
    if (first === RecordKind.Raw) return readRaw(bytes.subarray(start, end), shared);
    const backReferences = (first & HAS_BACK_REFERENCES) !== 0;
    const kind = first & ~HAS_BACK_REFERENCES;
    const reader = this.#reader ?? new ValueReader(this.#hooks, this.#registry);
    this.#reader = undefined;
    try {
      if (kind === RecordKind.Inline) {
        return reader.read(bytes, start + 1, end, undefined, backReferences);
      }
      if (kind !== RecordKind.Segmented) throw malformed('its first byte names no kind of record');
      const views = new RecordViews(bytes.subarray(start, end), shared);
      const { encodedStart, encodedEnd } = views.header;
      return reader.read(bytes, start + encodedStart, start + encodedEnd, views, backReferences);
    } finally {
      this.#reader = reader;
    }
  }

  #takeWriter(): ValueWriter {
    const writer = this.#writer ?? new ValueWriter(this.#hooks, this.#registry);
    this.#writer = undefined;
    return writer;
  }

  #giveWriter(writer: ValueWriter): void {
    writer.clear();
    this.#writer = writer;
  }
}

function firstByte(kind: number, backReferences: boolean): number {
  return backReferences ? kind | HAS_BACK_REFERENCES : kind;
}

function beginInline(writer: ValueWriter, target: Uint8Array, offset: number): void {
  writer.out.beginIn(target, offset);
  writer.out.writeByte(RecordKind.Inline);
}

function isAnyArrayBuffer(value: object): value is ArrayBufferLike {
  const seemsSo = value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;
  return seemsSo && types.isAnyArrayBuffer(value);
}

function finish(writer: ValueWriter): Encoded {
  const { backReferences, references, views } = writer;
  const record = writer.out.take();
  if (views.length > 0)
    return new SegmentedRecord(record.subarray(1), views, references, backReferences);
  record[0] = firstByte(RecordKind.Inline, backReferences);
  return new InlineRecord(record, references);
}

class InlineRecord implements Encoded {
  readonly outOfBand = false;
  readonly references: readonly object[];
  readonly #record: Uint8Array;

  constructor(record: Uint8Array, references: readonly object[]) {
    this.#record = record;
    this.references = references;
  }

  get size(): number {
    return this.#record.length;
  }

  write(target: Uint8Array, offset: number): void {
    target.set(this.#record, offset);
  }
}

class SegmentedRecord implements Encoded {
  readonly references: readonly object[];
  readonly #layout: SegmentedLayout;
  readonly #encoded: Uint8Array;
  readonly #backReferences: boolean;

  constructor(
    encoded: Uint8Array,
    views: readonly View[],
    references: readonly object[],
    backReferences: boolean,
  ) {
    this.references = references;
    this.#layout = new SegmentedLayout(views, encoded.length);
    this.#encoded = encoded;
    this.#backReferences = backReferences;
  }

  get size(): number {
    return this.#layout.size;
  }

  get outOfBand(): boolean {
    return this.#layout.outOfBand;
  }

  write(target: Uint8Array, offset: number): void {
    this.#layout.write(target, offset, this.#encoded, this.#backReferences);
  }
}

class RawRecord implements Encoded {
  readonly outOfBand = true;
  readonly references = NO_REFERENCES;
  readonly #view: View;

  constructor(view: View) {
    this.#view = view;
  }

  get size(): number {
    return RAW_HEADER_BYTES + this.#view.length;
  }

  write(target: Uint8Array, offset: number): void {
    const { type, source, start, length } = this.#view;
    writeRawHeader(target, offset, type, length);
    target.set(new Uint8Array(source, start, length), offset + RAW_HEADER_BYTES);
  }
}
