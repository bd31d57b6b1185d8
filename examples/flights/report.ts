/** The findings as text for a terminal. */
import Table from 'cli-table3';
import {
  FIRST_BIN,
  LAST_BIN,
  MILES_PER_BAND,
  MINUTES_PER_BIN,
  type Bin,
  type Flight,
  type GroupDelays,
} from './analysis.js';
import type { Findings, Mode, Run } from './run.js';

const BAR_WIDTH = 36;
const WORST_SHOWN = 5;

const wholeNumber = new Intl.NumberFormat('en-US');
const count = (value: number): string => wholeNumber.format(value);
const minutes = (value: number): string => value.toFixed(1);
const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const bar = (value: number, max: number): string =>
  '█'.repeat(Math.max(0, Math.round((value / max) * BAR_WIDTH)));

export const hourLabel = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;
export const dayLabel = (day: number): string => timeLabel(day * 1440).slice(0, 10);
export const bandLabel = (band: number): string =>
  `${band * MILES_PER_BAND}-${(band + 1) * MILES_PER_BAND - 1}`;
export function binLabel({ from }: Bin): string {
  if (from === FIRST_BIN) return `< ${from + MINUTES_PER_BIN}`;
  if (from === LAST_BIN) return `>= ${from}`;
  return `${from} to ${from + MINUTES_PER_BIN - 1}`;
}
const timeLabel = (departure: number): string =>
  new Date(departure * 60_000).toISOString().slice(0, 16).replace('T', ' ');

export function modeLabel({ workers, isolation }: Mode): string {
  if (workers === 0) return 'in this thread';
  return `${workers} ${isolation}${workers === 1 ? '' : isolation === 'thread' ? 's' : 'es'}`;
}

export function inputText(path: string, flights: number, bytes: number, duration: number): string {
  return `${path}: ${count(flights)} flights, ${megabytes(bytes)} as columns, read in ${seconds(duration)}`;
}

export function findingsText({ summary, worst }: Findings): string {
  const { all, hours, days, distances, histogram } = summary;
  const worstDays = days.toSorted((a, b) => b.mean - a.mean).slice(0, WORST_SHOWN);
  const shown = worst.slice(0, WORST_SHOWN);
  return [
    `Minutes late on arrival, ${count(all.flights)} flights on ${count(days.length)} days: ` +
      `mean ${minutes(all.mean)}, 95th percentile ${all.p95}`,
    groupTable('departure', hours, hourLabel),
    groupTable('miles', distances, bandLabel),
    groupTable('worst days', worstDays, dayLabel),
    histogramTable(histogram),
    worstTable(`worst ${shown.length} of ${count(worst.length)}`, shown),
  ].join('\n\n');
}

export function runsText(runs: readonly Run[]): string {
  const [baseline] = runs;
  const rows = runs.map(({ mode, duration, traffic }) => [
    modeLabel(mode),
    seconds(duration),
    `${(baseline!.duration / duration).toFixed(2)} x`,
    megabytes(traffic.shared),
    megabytes(traffic.copied),
  ]);
  return [
    table(['computed', 'time', 'speed', 'shared', 'copied'], rows),
    'time: from starting the workers to the findings, which are equal in all modes',
    'shared: bytes of arrays that tasks and the actor received as views on shared memory',
    'copied: bytes of arrays written into the store (the columns once, results) or received as copies',
  ].join('\n');
}

function groupTable(
  title: string,
  groups: readonly GroupDelays[],
  label: (group: number) => string,
): string {
  const max = Math.max(...groups.map(({ p95 }) => p95));
  const rows = groups.map(({ group, flights, mean, p95 }) => [
    label(group),
    count(flights),
    minutes(mean),
    String(p95),
    bar(p95, max),
  ]);
  return table([title, 'flights', 'mean', '95 %', ''], rows, 4);
}

function histogramTable(bins: readonly Bin[]): string {
  const max = Math.max(...bins.map(({ flights }) => flights));
  const rows = bins.map((bin) => [binLabel(bin), count(bin.flights), bar(bin.flights, max)]);
  return table(['minutes late', 'flights', ''], rows, 2);
}

function worstTable(title: string, flights: readonly Flight[]): string {
  const rows = flights.map(({ departure, delay, distance, origin, destination }) => [
    `${origin}-${destination}`,
    timeLabel(departure),
    count(distance),
    count(delay),
  ]);
  return table([title, 'departure', 'miles', 'minutes late'], rows);
}

/**
 * The first column is aligned to the left, the others to the right, those from `bars` on to the
 * left again.
 */
function table(head: string[], rows: string[][], bars = head.length): string {
  const aligned = new Table({
    head,
    colAligns: head.map((_, index) => (index === 0 || index >= bars ? 'left' : 'right')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: {
      ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
      ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
      ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '' },
      ...{ right: '', 'right-mid': '', middle: '' },
    },
  });
  aligned.push(...rows);
  return aligned.toString().replace(/ +$/gm, '');
}
