/** Measures a subject in this process. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Plan } from './plan.js';
import { median } from './statistics.js';
import type { Subject, Workload } from './workload.js';

const maxWindows = 1000;
const maxGrowth = 4;

type Measured = Pick<Workload, 'statistic' | 'minOperations' | 'maxOperations'>;

/** Milliseconds per operation, one value for each window. */
export async function measure(workload: Measured, subject: Subject, plan: Plan): Promise<number[]> {
  const count = await warmUp(workload, subject, plan);
  const values: number[] = [];
  const end = performance.now() + plan.windows * plan.windowMs;
  while (values.length < plan.windows || performance.now() < end) {
    values.push(await oneWindow(workload, subject, count));
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

async function oneWindow(
  { statistic }: Measured,
  subject: Subject,
  count: number,
): Promise<number> {
  if (statistic === 'mean') return (await timed(subject, count)) / count;
  const times: number[] = [];
  for (let i = 0; i < count; i++) times.push(await timed(subject, 1));
  return median(times);
}

async function timed(subject: Subject, count: number): Promise<number> {
  await subject.prepare?.(count);
  const start = performance.now();
  const running = subject.run(count);
  // Synchronous work is not charged for a turn of the microtask queue.
  if (running !== undefined) await running;
  return performance.now() - start;
}
