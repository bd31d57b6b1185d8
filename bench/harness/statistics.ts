/** A median and the interval in which the true one lies with probability `confidence`. */
export interface Estimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
}

export const wantedConfidence = 0.95;

/** Of at least one value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The narrowest interval between order statistics of at least 95 %, which assumes nothing about the
 * distribution; from lowest to highest when there are too few values for that.
 */
export function estimate(values: readonly number[]): Estimate {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  let rank = 0;
  while (2 * (rank + 1) < n && confidenceAt(rank + 1, n) >= wantedConfidence) rank++;
  return {
    median: median(sorted),
    low: sorted[rank]!,
    high: sorted[n - 1 - rank]!,
    confidence: confidenceAt(rank, n),
  };
}

/** How the values of one contender relate to those that another had in the same trials. */
export function pairedRatio(values: readonly number[], others: readonly number[]): Estimate {
  if (values.length !== others.length) throw new RangeError('Every trial needs both contenders');
  return estimate(values.map((value, trial) => value / others[trial]!));
}

/**
 * How the values of one contender relate to those of another that were measured at another time:
 * wider than a paired ratio, for what disturbed one has not disturbed the other.
 */
export function independentRatio(one: Estimate, other: Estimate): Estimate {
  return {
    median: one.median / other.median,
    low: one.low / other.high,
    high: one.high / other.low,
    confidence: one.confidence * other.confidence,
  };
}

/** P(the median lies within the interval that leaves out `rank` of n values at either end). */
function confidenceAt(rank: number, n: number): number {
  let probability = 2 ** -n;
  let tail = probability;
  for (let k = 1; k <= rank; k++) {
    probability *= (n - k + 1) / k;
    tail += probability;
  }
  return Math.max(0, 1 - 2 * tail);
}
