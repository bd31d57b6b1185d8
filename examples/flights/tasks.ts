/**
 * What runs in the workers. A worker imports this module, so it imports no more than the work
 * needs.
 */
import { actor, remote } from 'mobula';
import {
  countDelays,
  flightsAt,
  rankWorst,
  Totals,
  type Columns,
  type Flight,
  type Grouping,
  type Part,
  type Summary,
} from './analysis.js';

/** Bytes of arrays that passed between threads or processes. */
export interface Traffic {
  /** Seen in place, as views on shared memory. */
  shared: number;
  /** Written into the store, or received as a private copy. */
  copied: number;
}

export interface Report {
  readonly part: Part;
  readonly received: Traffic;
}

export const count = remote(
  (
    grouping: Grouping,
    values: Columns['departure' | 'distance' | 'delay'],
    delays: Int16Array,
    from: number,
    to: number,
  ): Report => ({
    part: countDelays(grouping, values, delays, from, to),
    received: received([values, delays]),
  }),
);

export const rank = remote((delays: Int16Array, from: number, to: number): Report => ({
  part: rankWorst(delays, from, to),
  received: received([delays]),
}));

export const lookUp = remote(
  (
    departure: Uint32Array,
    delay: Int16Array,
    distance: Uint16Array,
    origin: Uint16Array,
    destination: Uint16Array,
    airports: readonly string[],
    rows: readonly number[],
  ): { flights: Flight[]; received: Traffic } => {
    const columns = { departure, delay, distance, origin, destination };
    return {
      flights: flightsAt(columns, airports, rows),
      received: received(Object.values(columns)),
    };
  },
);

class PartGatherer {
  readonly #totals = new Totals();
  readonly #traffic: Traffic = { shared: 0, copied: 0 };
  #gathered = 0;

  /** @returns how many parts have been gathered by now */
  add({ part, received: byTask }: Report): number {
    this.#totals.add(part);
    const arrays = 'ranks' in part ? [part.ranks] : [part.keys, part.counts];
    const byActor = received(arrays);
    this.#traffic.shared += byTask.shared + byActor.shared;
    this.#traffic.copied += byTask.copied + byActor.copied + bytesOf(arrays);
    return ++this.#gathered;
  }

  result(): { summary: Summary; traffic: Traffic } {
    return { summary: this.#totals.summarize(), traffic: this.#traffic };
  }
}

export const Gatherer = actor(PartGatherer);

export function bytesOf(arrays: readonly ArrayBufferView[]): number {
  return arrays.reduce((sum, array) => sum + array.byteLength, 0);
}

function received(arrays: readonly ArrayBufferView[]): Traffic {
  const isShared = (array: ArrayBufferView) => array.buffer instanceof SharedArrayBuffer;
  const shared = bytesOf(arrays.filter(isShared));
  return { shared, copied: bytesOf(arrays) - shared };
}
