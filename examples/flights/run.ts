/**
 * Runs the whole analysis in one mode: in this thread, or by the tasks and the actor of `tasks.ts`.
 */
import { isDeepStrictEqual } from 'node:util';
import { init, put, shutdown, type ObjectRef } from 'mobula';
import {
  countDelays,
  divide,
  flightsAt,
  groupingNames,
  groupings,
  rankWorst,
  Totals,
  type Flight,
  type Summary,
} from './analysis.js';
import type { Flights } from './columns.js';
import { UsageError } from './options.js';
import { bytesOf, count, Gatherer, lookUp, rank, type Report, type Traffic } from './tasks.js';

export interface Mode {
  /** 0: everything is computed in this thread. */
  readonly workers: number;
  readonly isolation: 'thread' | 'process';
}

export interface Findings {
  readonly summary: Summary;
  readonly worst: readonly Flight[];
}

export interface Run {
  readonly mode: Mode;
  readonly findings: Findings;
  /** Milliseconds from nothing, workers not yet started, to the findings. */
  readonly duration: number;
  readonly traffic: Traffic;
}

/** Many more than workers, so that they end together, and a killed worker loses little. */
const RANGES = 64;
export const PARTS = RANGES * (groupingNames.length + 1);

/** @param onProgress is told how many of the `PARTS` are gathered */
export async function run(
  flights: Flights,
  mode: Mode,
  memory: string | undefined,
  onProgress: (gathered: number) => void,
): Promise<Run> {
  const start = performance.now();
  const { traffic, ...findings } =
    mode.workers === 0
      ? analyseHere(flights, onProgress)
      : await analyseWithWorkers(flights, mode, memory, onProgress);
  return { mode, findings, duration: performance.now() - start, traffic };
}

/** The first of the runs that did not find what the others before it have found. */
export function findDeviating(runs: readonly Run[]): Run | undefined {
  return runs.find(({ findings }) => !isDeepStrictEqual(findings, runs[0]!.findings));
}

type Outcome = Findings & { readonly traffic: Traffic };

function analyseHere({ columns, airports }: Flights, onProgress: (gathered: number) => void) {
  const totals = new Totals();
  let gathered = 0;
  for (const { from, to } of divide(columns.delay.length, RANGES)) {
    for (const grouping of groupingNames) {
      const values = columns[groupings[grouping].column];
      totals.add(countDelays(grouping, values, columns.delay, from, to));
    }
    totals.add(rankWorst(columns.delay, from, to));
    onProgress((gathered += groupingNames.length + 1));
  }
  const summary = totals.summarize();
  const worst = flightsAt(columns, airports, summary.worst);
  return { summary, worst, traffic: { shared: 0, copied: 0 } } satisfies Outcome;
}

async function analyseWithWorkers(
  flights: Flights,
  { workers, isolation }: Mode,
  memory: string | undefined,
  onProgress: (gathered: number) => void,
): Promise<Outcome> {
  start({ workers, isolation }, memory);
  try {
    return await submit(flights, onProgress);
  } finally {
    await shutdown();
  }
}

function start(mode: Mode, memory: string | undefined): void {
  if (memory === undefined) {
    init(mode);
    return;
  }
  try {
    init({ ...mode, memory });
  } catch (cause) {
    throw new UsageError(`--memory ${memory}: ${(cause as Error).message}`, { cause });
  }
}

async function submit(
  { columns, airports }: Flights,
  onProgress: (gathered: number) => void,
): Promise<Outcome> {
  const departure = put(columns.departure);
  const delay = put(columns.delay);
  const distance = put(columns.distance);
  const origin = put(columns.origin);
  const destination = put(columns.destination);
  const refs = { departure, delay, distance };

  // Parts reach the actor through the driver: a task that told the actor itself would be counted twice
  // if its worker were killed after the call and the task run again.
  const gatherer = Gatherer.remote();
  const gather = async (report: ObjectRef<Report>) => onProgress(await gatherer.add(report));
  await Promise.all(
    divide(columns.delay.length, RANGES).flatMap(({ from, to }) => [
      ...groupingNames.map((grouping) =>
        gather(count.remote(grouping, refs[groupings[grouping].column], delay, from, to)),
      ),
      gather(rank.remote(delay, from, to)),
    ]),
  );

  const { summary, traffic } = await gatherer.result();
  const worst = await lookUp.remote(
    departure,
    delay,
    distance,
    origin,
    destination,
    airports,
    summary.worst,
  );
  return {
    summary,
    worst: worst.flights,
    traffic: {
      shared: traffic.shared + worst.received.shared,
      copied: bytesOf(Object.values(columns)) + traffic.copied + worst.received.copied,
    },
  };
}
