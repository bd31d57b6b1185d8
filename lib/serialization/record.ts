import { malformed } from './byte-reader.js';
import { readSegmentedHeader, type SegmentedHeader } from './segments.js';
import { RecordKind, ViewType } from './tags.js';
import {
  copyRange,
  elementSize,
  isOutOfBand,
  makeView,
  RAW_HEADER_BYTES,
  type BinaryValue,
} from './views.js';

/** False for a record at `start` that cannot hold objects, nor run user code when it is read. */
export function isContainer(bytes: Uint8Array, start: number): boolean {
  if (bytes[start] !== RecordKind.Inline) return true;
  const head = bytes[start + 1]!;
  return (head >= 0x80 && head < 0xa0) || (head >= 0xdc && head < 0xe0);
}

/** What reading a record has made of its very bytes, without a copy. */
export class SharedViews {
  readonly views: BinaryValue[] = [];
  /** Instances of registered classes with the views that were made for them. */
  readonly instances: { readonly instance: object; readonly views: readonly object[] }[] = [];
}

/** The binary data of one segmented record, made into values one by one. */
export class RecordViews {
  readonly header: SegmentedHeader;
  /** Undefined when everything is copied. */
  readonly shared: SharedViews | undefined;
  readonly #bytes: Uint8Array;
  /** Private copies of segments, by number. */
  readonly #copies: (ArrayBufferLike | undefined)[] = [];

  constructor(bytes: Uint8Array, shared: SharedViews | undefined) {
    const header = readSegmentedHeader(bytes);
    if (header === undefined) throw malformed('its tables of binary data contradict each other');
    this.header = header;
    this.#bytes = bytes;
    this.shared = shared;
  }

  view(number: number): BinaryValue {
    const row = this.header.views[number];
    const segment = row === undefined ? undefined : this.header.segments[row.segment];
    if (row === undefined || segment === undefined)
      throw malformed(`it has no view ${String(number)}`);
    const { type, offset, length } = row;
    const size = elementSize(type);
    if (offset % size !== 0 || length % size !== 0) throw malformed('a view splits an element');

    const start = this.#bytes.byteOffset + segment.offset + offset;
    const isShareable = !segment.shared && isOutOfBand(segment.length) && start % size === 0;
    if (this.shared !== undefined && isShareable) {
      const view = makeView(type, this.#bytes.buffer, start, length);
      this.shared.views.push(view);
      return view;
    }
    const buffer = (this.#copies[row.segment] ??= copyRange(
      this.#bytes,
      segment.offset,
      segment.length,
      segment.shared,
    ));
    return makeView(type, buffer, offset, length);
  }
}

/** The value of a raw record: one view on all its data. */
export function readRaw(bytes: Uint8Array, shared: SharedViews | undefined): BinaryValue {
  if (bytes.length < RAW_HEADER_BYTES) throw malformed('it ends inside its header');
  const header = new DataView(bytes.buffer, bytes.byteOffset, RAW_HEADER_BYTES);
  const type = header.getUint8(1);
  const length = Number(header.getBigUint64(8, true));
  const size = elementSize(type);
  if (length > bytes.length - RAW_HEADER_BYTES || length % size !== 0) {
    throw malformed('its length is not that of its data');
  }
  const start = bytes.byteOffset + RAW_HEADER_BYTES;
  const isSharedBuffer = type === ViewType.SharedArrayBuffer;
  if (shared !== undefined && !isSharedBuffer && isOutOfBand(length) && start % size === 0) {
    const view = makeView(type, bytes.buffer, start, length);
    shared.views.push(view);
    return view;
  }
  return makeView(type, copyRange(bytes, RAW_HEADER_BYTES, length, isSharedBuffer), 0, length);
}
