/** What became of a row between two sides. */
import { median, pairedRatio, wantedConfidence, type Estimate } from '../harness/statistics.js';
import { isRate } from '../harness/workload.js';
import type { Row } from './rows.js';

export interface Change extends Row {
  readonly base: number;
  readonly head: number;
  /** How many times as fast as the base, whatever the unit. */
  readonly speed: Estimate;
}

export type Verdict = 'faster' | 'slower' | 'unchanged';

/** From the values of trials that the sides made in turns. */
export function changeOf(row: Row, base: readonly number[], head: readonly number[]): Change {
  const speed = isRate(row.unit) ? pairedRatio(head, base) : pairedRatio(base, head);
  return { ...row, base: median(base), head: median(head), speed };
}

/** A change is beyond the noise when the whole interval is, and can be trusted. */
export function verdictOf({ speed: { low, high, confidence } }: Pick<Change, 'speed'>): Verdict {
  if (confidence < wantedConfidence) return 'unchanged';
  if (low > 1) return 'faster';
  return high < 1 ? 'slower' : 'unchanged';
}
