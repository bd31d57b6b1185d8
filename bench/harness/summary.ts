/** What the trials say: an estimate for each contender, a verdict on each bar. */
import { mapPercentiles, type Percentiles } from './measure.js';
import type { ContenderResult, WorkloadResult } from './run.js';
import { estimate, median, pairedRatio, type Estimate } from './statistics.js';
import type { Trial } from './trial.js';
import type { Bar } from './workload.js';

export interface Verdict {
  readonly bar: Bar;
  /** In the workload's unit, or the ratio to the other contender. */
  readonly value: Estimate;
  readonly holds: boolean;
  /** The whole interval is on the same side of the bar as the median. */
  readonly isClear: boolean;
}

/** A value for each trial. */
export function trialMedians({ trials }: { readonly trials: readonly Trial[] }): number[] {
  return trials.map(({ values }) => median(values));
}

/** Undefined when no trial gave a result. */
export function estimateOf(contender: ContenderResult): Estimate | undefined {
  if (contender.failure !== undefined) return undefined;
  return estimate(trialMedians(contender));
}

/** Of each percentile, over the trials; undefined where operations are not timed one by one. */
export function percentilesOf({
  trials,
  failure,
}: ContenderResult): Percentiles<Estimate> | undefined {
  const all = trials.flatMap(({ percentiles }) => (percentiles === undefined ? [] : [percentiles]));
  if (failure !== undefined || all.length === 0) return undefined;
  const names: Percentiles<keyof Percentiles> = {
    p50: 'p50',
    p90: 'p90',
    p99: 'p99',
    p999: 'p999',
  };
  return mapPercentiles(names, (name) => estimate(all.map((one) => one[name])));
}

/** The bars of a contender, as far as what they compare was measured. */
export function verdictsOf({ workload, contenders }: WorkloadResult, name: string): Verdict[] {
  const measured = new Map(
    contenders
      .filter(({ failure }) => failure === undefined)
      .map((contender) => [contender.name, trialMedians(contender)]),
  );
  const values = measured.get(name);
  if (values === undefined) return [];
  return (workload.bars ?? [])
    .filter(({ contender }) => contender === name)
    .flatMap((bar) => {
      if (bar.against === undefined) return [verdictOf(bar, estimate(values))];
      const others = measured.get(bar.against);
      return others === undefined ? [] : [verdictOf(bar, pairedRatio(values, others))];
    });
}

function verdictOf(bar: Bar, value: Estimate): Verdict {
  const { atLeast = -Infinity, atMost = Infinity } = bar;
  const meets = (one: number) => one >= atLeast && one <= atMost;
  const holds = meets(value.median);
  return { bar, value, holds, isClear: meets(value.low) === holds && meets(value.high) === holds };
}
