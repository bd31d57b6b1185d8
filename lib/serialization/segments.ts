import { ALIGNMENT, HAS_BACK_REFERENCES, RecordKind, ViewType } from './tags.js';
import { isOutOfBand, type View } from './views.js';

const HEADER_BYTES = 16;
const SEGMENT_ROW_BYTES = 16;
const VIEW_ROW_BYTES = 24;

/** A byte range of one source buffer that the record carries once, whatever shows it. */
interface Segment {
  readonly source: ArrayBufferLike;
  start: number;
  end: number;
  views: number;
}

/**
 * Where everything in a record with binary values goes. Views that overlap share a segment, so they
 * show the same bytes again after decoding.
 */
export class SegmentedLayout {
  readonly size: number;
  readonly outOfBand: boolean;
  readonly #views: readonly View[];
  readonly #segments: readonly Segment[];
  readonly #segmentOfView: readonly number[];
  readonly #offsets: readonly number[];
  readonly #encodedOffset: number;

  constructor(views: readonly View[], encodedBytes: number) {
    this.#views = views;
    const { segments, segmentOfView } = groupViews(views);
    this.#segments = segments;
    this.#segmentOfView = segmentOfView;
    this.#encodedOffset =
      HEADER_BYTES + segments.length * SEGMENT_ROW_BYTES + views.length * VIEW_ROW_BYTES;
    const offsets: number[] = [];
    let end = this.#encodedOffset + encodedBytes;
    let outOfBand = false;
    for (const segment of segments) {
      const length = segment.end - segment.start;
      if (isOutOfBand(length)) {
        outOfBand = true;
        end = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
      }
      offsets.push(end);
      end += length;
    }
    this.#offsets = offsets;
    this.size = end;
    this.outOfBand = outOfBand;
  }

  write(target: Uint8Array, offset: number, encoded: Uint8Array, backReferences: boolean): void {
    const view = new DataView(target.buffer, target.byteOffset + offset, this.size);
    view.setUint32(0, 0);
    view.setUint8(0, RecordKind.Segmented | (backReferences ? HAS_BACK_REFERENCES : 0));
    view.setUint32(4, this.#segments.length, true);
    view.setUint32(8, this.#views.length, true);
    view.setUint32(12, encoded.length, true);
    this.#writeTables(view);
    target.set(encoded, offset + this.#encodedOffset);
    let end = this.#encodedOffset + encoded.length;
    for (const [index, segment] of this.#segments.entries()) {
      const start = this.#offsets[index]!;
      const length = segment.end - segment.start;
      target.fill(0, offset + end, offset + start);
      target.set(new Uint8Array(segment.source, segment.start, length), offset + start);
      end = start + length;
    }
  }

  #writeTables(view: DataView): void {
    let row = HEADER_BYTES;
    for (const [index, segment] of this.#segments.entries()) {
      view.setBigUint64(row, BigInt(this.#offsets[index]!), true);
      view.setBigUint64(row + 8, BigInt(segment.end - segment.start), true);
      row += SEGMENT_ROW_BYTES;
    }
    for (const [index, { type, start, length }] of this.#views.entries()) {
      const number = this.#segmentOfView[index]!;
      const segment = this.#segments[number]!;
      view.setUint32(row, type, true);
      view.setUint32(row + 4, number, true);
      view.setBigUint64(row + 8, BigInt(start - segment.start), true);
      view.setBigUint64(row + 16, BigInt(length), true);
      row += VIEW_ROW_BYTES;
    }
  }
}

function groupViews(views: readonly View[]): { segments: Segment[]; segmentOfView: number[] } {
  const [only] = views;
  if (only !== undefined && views.length === 1) {
    const { source, start, length } = only;
    return { segments: [{ source, start, end: start + length, views: 1 }], segmentOfView: [0] };
  }
  const order = [...views.keys()].sort((a, b) => viewAt(views, a).start - viewAt(views, b).start);
  const segments: Segment[] = [];
  const segmentOfView = new Array<number>(views.length).fill(0);
  const lastOfSource = new Map<ArrayBufferLike, number>();
  for (const index of order) {
    const { source, start, length } = viewAt(views, index);
    const last = lastOfSource.get(source);
    const open = last === undefined ? undefined : segments[last];
    if (last !== undefined && open !== undefined && (start < open.end || start === open.start)) {
      open.end = Math.max(open.end, start + length);
      open.views += 1;
      segmentOfView[index] = last;
      continue;
    }
    segmentOfView[index] = segments.length;
    lastOfSource.set(source, segments.length);
    segments.push({ source, start, end: start + length, views: 1 });
  }
  // Views that share a segment must stay aligned to their elements.
  for (const segment of segments) if (segment.views > 1) segment.start -= segment.start % 8;
  return { segments, segmentOfView };
}

function viewAt(views: readonly View[], index: number): View {
  return views[index]!;
}

/** One row of the view table of a record, checked against its segment. */
export interface ViewRow {
  readonly type: number;
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
}

export interface SegmentRow {
  readonly offset: number;
  readonly length: number;
  /** True when a SharedArrayBuffer itself was among the values. */
  readonly shared: boolean;
}

export interface SegmentedHeader {
  readonly segments: readonly SegmentRow[];
  readonly views: readonly ViewRow[];
  readonly encodedStart: number;
  readonly encodedEnd: number;
}

/**
 * Reads the header and tables of the record in `bytes`. Undefined when they contradict each other
 * or the length of the record: every offset of the result is inside.
 */
export function readSegmentedHeader(bytes: Uint8Array): SegmentedHeader | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segmentCount = view.getUint32(4, true);
  const viewCount = view.getUint32(8, true);
  const viewTable = HEADER_BYTES + segmentCount * SEGMENT_ROW_BYTES;
  const encodedStart = viewTable + viewCount * VIEW_ROW_BYTES;
  const encodedEnd = encodedStart + view.getUint32(12, true);
  if (encodedEnd > bytes.length) return undefined;

  const lengths: number[] = [];
  const offsets: number[] = [];
  let end = encodedEnd;
  for (let row = HEADER_BYTES; row < viewTable; row += SEGMENT_ROW_BYTES) {
    const offset = Number(view.getBigUint64(row, true));
    const length = Number(view.getBigUint64(row + 8, true));
    if (offset < end || offset + length > bytes.length) return undefined;
    offsets.push(offset);
    lengths.push(length);
    end = offset + length;
  }

  const shared = new Set<number>();
  const views: ViewRow[] = [];
  for (let row = viewTable; row < encodedStart; row += VIEW_ROW_BYTES) {
    const type = view.getUint32(row, true);
    const segment = view.getUint32(row + 4, true);
    const offset = Number(view.getBigUint64(row + 8, true));
    const length = Number(view.getBigUint64(row + 16, true));
    const available = lengths[segment];
    if (available === undefined || offset + length > available) return undefined;
    if (type === ViewType.SharedArrayBuffer) shared.add(segment);
    const isWhole = offset === 0 && length === available;
    if (type <= ViewType.SharedArrayBuffer && !isWhole) return undefined;
    views.push({ type, segment, offset, length });
  }
  const segments = offsets.map((offset, index) => ({
    offset,
    length: lengths[index]!,
    shared: shared.has(index),
  }));
  return { segments, views, encodedStart, encodedEnd };
}
