/** Measures a subject in this process. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import type { Plan } from './plan.js';
import { median } from './statistics.js';
import type { Subject, Unit, Workload } from './workload.js';

const maxWindows = 1000;
const maxGrowth = 4;

type Measured = Pick<Workload, 'statistic' | 'minOperations' | 'maxOperations'>;

export interface Measurement {
  /** One for each window. */
  readonly values: readonly number[];
  /** Over all windows, where operations are timed one by one. */
  readonly percentiles?: Percentiles;
}

export interface Percentiles<Value = number> {
  readonly p50: Value;
  readonly p90: Value;
  readonly p99: Value;
  readonly p999: Value;
}

/** In milliseconds per operation. */
export async function measure(
  workload: Measured,
  subject: Subject,
  plan: Plan,
): Promise<Measurement> {
  const count = await warmUp(workload, subject, plan);
  if (workload.statistic === 'mean') {
    return { values: await windows(plan, async () => (await timed(subject, count)) / count) };
  }
  const histogram = createHistogram();
  const values = await windows(plan, () => medianOf(subject, count, histogram));
  return { values, percentiles: percentilesOf(histogram) };
}

export function inUnit({ values, percentiles }: Measurement, unit: Unit): Measurement {
  const from = (milliseconds: number) => unit.from(milliseconds);
  if (percentiles === undefined) return { values: values.map(from) };
  return { values: values.map(from), percentiles: mapPercentiles(percentiles, from) };
}

export function mapPercentiles<From, To>(
  { p50, p90, p99, p999 }: Percentiles<From>,
  to: (value: From) => To,
): Percentiles<To> {
  return { p50: to(p50), p90: to(p90), p99: to(p99), p999: to(p999) };
}

async function windows(plan: Plan, one: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  const end = performance.now() + plan.windows * plan.windowMs;
  while (values.length < plan.windows || performance.now() < end) {
    values.push(await one());
    if (values.length === maxWindows) break;
    // Finalizers and timers run between the windows, not in them.
    await turn();
  }
  return values;
}

/** Runs until it is hot, and until so many operations fill a window. */
async function warmUp(
  { minOperations = 1, maxOperations = Infinity }: Measured,
  subject: Subject,
  { warmUpMs, windowMs }: Plan,
): Promise<number> {
  const end = performance.now() + warmUpMs;
  for (let count = 1; ;) {
    const elapsed = await timed(subject, count);
    const isFull = elapsed >= windowMs / 2 || count === maxOperations;
    if (isFull && performance.now() >= end) return count;
    const wanted = Math.ceil((count * windowMs) / elapsed);
    // The first operations are slow and say little.
    count = Math.max(minOperations, Math.min(wanted, maxGrowth * count, maxOperations));
    await turn();
  }
}

/** Runs so many operations one by one. */
async function medianOf(
  subject: Subject,
  count: number,
  histogram: RecordableHistogram,
): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const time = await timed(subject, 1);
    times.push(time);
    histogram.record(Math.max(1, Math.round(time * 1e6)));
  }
  return median(times);
}

function percentilesOf(histogram: RecordableHistogram): Percentiles {
  const ranks = { p50: 50, p90: 90, p99: 99, p999: 99.9 };
  return mapPercentiles(ranks, (rank) => histogram.percentile(rank) / 1e6);
}

async function timed(subject: Subject, count: number): Promise<number> {
  await subject.prepare?.(count);
  const start = performance.now();
  const running = subject.run(count);
  // Synchronous work is not charged for a turn of the microtask queue.
  if (running !== undefined) await running;
  return performance.now() - start;
}
