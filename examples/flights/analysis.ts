/**
 * What is computed: pure functions over whole columns and a range of rows `[from, to)`.
 *
 * Everything is a whole number until `summarize`, so the findings do not depend on how the rows
 * were divided, in which order the parts were gathered, or where they were computed.
 */

/** One array per column, all of one length: row `i` of each is flight `i`. */
export interface Columns {
  /** Minutes since 1970-01-01 00:00, local time of the origin; less than `DEPARTURE_LIMIT`. */
  readonly departure: Uint32Array;
  /** Minutes late on arrival; negative is early. */
  readonly delay: Int16Array;
  /** Miles. */
  readonly distance: Uint16Array;
  /** Index into the list of airports. */
  readonly origin: Uint16Array;
  /** Index into the list of airports. */
  readonly destination: Uint16Array;
}

export interface Flight {
  readonly departure: number;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

const MINUTES_PER_HOUR = 60;
const HOURS_PER_DAY = 24;
const MINUTES_PER_DAY = HOURS_PER_DAY * MINUTES_PER_HOUR;
/** Groups are numbered in 16 bits, days too: the last one is in June 2149. */
const GROUP_LIMIT = 2 ** 16;
export const DEPARTURE_LIMIT = GROUP_LIMIT * MINUTES_PER_DAY;
export const MILES_PER_BAND = 500;
export const MINUTES_PER_BIN = 15;
/** Everything earlier or later is counted in the first or in the last bin of the histogram. */
export const [FIRST_BIN, LAST_BIN] = [-60, 180];
export const WORST = 1000;

/** How flights are grouped: by what column, and to what group a value of it belongs. */
export const groupings = {
  hour: {
    column: 'departure',
    groupOf: (minutes: number) => Math.floor(minutes / MINUTES_PER_HOUR) % HOURS_PER_DAY,
  },
  day: { column: 'departure', groupOf: (minutes: number) => Math.floor(minutes / MINUTES_PER_DAY) },
  distance: { column: 'distance', groupOf: (miles: number) => Math.floor(miles / MILES_PER_BAND) },
  all: { column: 'delay', groupOf: () => 0 },
} as const satisfies Record<string, { column: keyof Columns; groupOf: (value: number) => number }>;

export type Grouping = keyof typeof groupings;
export const groupingNames = Object.keys(groupings) as Grouping[];

/**
 * An exact histogram of delays for every group: `counts[i]` flights of group `groupOfKey(keys[i])`
 * were `delayOfKey(keys[i])` minutes late. Keys are unique and ascend, by group and then by delay.
 */
export interface DelayCounts {
  readonly grouping: Grouping;
  readonly keys: Uint32Array;
  readonly counts: Uint32Array;
}

/** The worst flights of a range, worst first; see `rankOf`. */
export interface WorstRanks {
  readonly ranks: Float64Array;
}

export type Part = DelayCounts | WorstRanks;

const DELAYS = 2 ** 16;
const keyOf = (group: number, delay: number): number => group * DELAYS + delay + DELAYS / 2;
const groupOfKey = (key: number): number => Math.floor(key / DELAYS);
const delayOfKey = (key: number): number => (key % DELAYS) - DELAYS / 2;

/**
 * Orders flights from the worst to the best, equal delays by their row: a smaller rank is a worse
 * flight.
 */
const rankOf = (row: number, delay: number): number => row - delay * 2 ** 32;
const rowOfRank = (rank: number): number => rank - 2 ** 32 * Math.floor(rank / 2 ** 32);

export function countDelays(
  grouping: Grouping,
  values: Columns['departure' | 'distance' | 'delay'],
  delays: Int16Array,
  from: number,
  to: number,
): DelayCounts {
  const { groupOf } = groupings[grouping];
  const keys = new Uint32Array(to - from);
  for (let row = from; row < to; row++) {
    keys[row - from] = keyOf(groupOf(values[row]!), delays[row]!);
  }
  return { grouping, ...runLengths(keys.sort()) };
}

export function rankWorst(delays: Int16Array, from: number, to: number): WorstRanks {
  const ranks = new Float64Array(to - from);
  for (let row = from; row < to; row++) ranks[row - from] = rankOf(row, delays[row]!);
  return { ranks: ranks.sort().slice(0, WORST) };
}

export function flightsAt(
  columns: Columns,
  airports: readonly string[],
  rows: readonly number[],
): Flight[] {
  return rows.map((row) => ({
    departure: columns.departure[row]!,
    delay: columns.delay[row]!,
    distance: columns.distance[row]!,
    origin: airports[columns.origin[row]!]!,
    destination: airports[columns.destination[row]!]!,
  }));
}

function runLengths(sorted: Uint32Array): { keys: Uint32Array; counts: Uint32Array } {
  const keys = new Uint32Array(sorted.length);
  const counts = new Uint32Array(sorted.length);
  let runs = 0;
  for (const key of sorted) {
    if (runs === 0 || keys[runs - 1] !== key) keys[runs++] = key;
    counts[runs - 1]!++;
  }
  return { keys: keys.slice(0, runs), counts: counts.slice(0, runs) };
}

/** Delays of one group of flights. */
export interface GroupDelays {
  /** Hour of the day, day since 1970-01-01, or number of the distance band. */
  readonly group: number;
  readonly flights: number;
  readonly mean: number;
  /** Nearest rank: the least delay that at least 95 of 100 flights do not exceed. */
  readonly p95: number;
}

export interface Bin {
  /** The delay at which the bin starts. */
  readonly from: number;
  readonly flights: number;
}

export interface Summary {
  readonly all: GroupDelays;
  readonly hours: readonly GroupDelays[];
  readonly days: readonly GroupDelays[];
  readonly distances: readonly GroupDelays[];
  readonly histogram: readonly Bin[];
  /** Rows of the worst flights, the worst first. */
  readonly worst: readonly number[];
}

/**
 * Adds up the parts of an analysis. Every part of every range must be added exactly once, in any
 * order.
 */
export class Totals {
  readonly #counts = Object.fromEntries(
    groupingNames.map((grouping) => [grouping, new Map<number, number>()]),
  ) as Record<Grouping, Map<number, number>>;
  #ranks = new Float64Array();

  add(part: Part): void {
    if ('ranks' in part) this.#addRanks(part);
    else this.#addCounts(part);
  }

  summarize(): Summary {
    const [all] = summarizeGroups(this.#counts.all);
    if (all === undefined) throw new RangeError('No flights were added');
    return {
      all,
      hours: summarizeGroups(this.#counts.hour),
      days: summarizeGroups(this.#counts.day),
      distances: summarizeGroups(this.#counts.distance),
      histogram: summarizeBins(this.#counts.all),
      worst: Array.from(this.#ranks, rowOfRank),
    };
  }

  #addCounts({ grouping, keys, counts }: DelayCounts): void {
    const totals = this.#counts[grouping];
    keys.forEach((key, index) => totals.set(key, (totals.get(key) ?? 0) + counts[index]!));
  }

  #addRanks({ ranks }: WorstRanks): void {
    const merged = new Float64Array(this.#ranks.length + ranks.length);
    merged.set(this.#ranks);
    merged.set(ranks, this.#ranks.length);
    this.#ranks = merged.sort().slice(0, WORST);
  }
}

function summarizeGroups(totals: ReadonlyMap<number, number>): GroupDelays[] {
  const keys = Uint32Array.from(totals.keys()).sort();
  const groups: GroupDelays[] = [];
  for (let start = 0, end = 0; start < keys.length; start = end) {
    const group = groupOfKey(keys[start]!);
    while (end < keys.length && groupOfKey(keys[end]!) === group) end++;
    const cells = Array.from(keys.subarray(start, end), (key) => ({
      delay: delayOfKey(key),
      flights: totals.get(key)!,
    }));
    groups.push({ group, ...summarizeCells(cells) });
  }
  return groups;
}

function summarizeCells(cells: readonly { delay: number; flights: number }[]) {
  const flights = cells.reduce((sum, cell) => sum + cell.flights, 0);
  const minutes = cells.reduce((sum, cell) => sum + cell.delay * cell.flights, 0);
  const rank = Math.ceil((flights * 95) / 100);
  let passed = 0;
  const last = cells.find((cell) => (passed += cell.flights) >= rank)!;
  return { flights, mean: minutes / flights, p95: last.delay };
}

function summarizeBins(totals: ReadonlyMap<number, number>): Bin[] {
  const bins = new Map<number, number>();
  for (let from = FIRST_BIN; from <= LAST_BIN; from += MINUTES_PER_BIN) bins.set(from, 0);
  for (const [key, flights] of totals) {
    const start = Math.floor(delayOfKey(key) / MINUTES_PER_BIN) * MINUTES_PER_BIN;
    const from = Math.min(Math.max(start, FIRST_BIN), LAST_BIN);
    bins.set(from, bins.get(from)! + flights);
  }
  return Array.from(bins, ([from, flights]) => ({ from, flights }));
}

/** Divides `rows` into `count` ranges, as equal as can be. */
export function divide(rows: number, count: number): { from: number; to: number }[] {
  const bound = (index: number): number => Math.floor((rows * index) / count);
  return Array.from({ length: count }, (_, index) => ({
    from: bound(index),
    to: bound(index + 1),
  }));
}
