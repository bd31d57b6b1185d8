/** What the trials say: an estimate for each contender, a verdict on each bar. */
import type { ContenderResult, WorkloadResult } from './run.js';
import { estimate, median, pairedRatio, type Estimate } from './statistics.js';
import type { Bar } from './workload.js';

export interface Verdict {
  readonly bar: Bar;
  /** In the workload's unit, or the ratio to the other contender. */
  readonly value: Estimate;
  readonly holds: boolean;
  /** The whole interval is on the same side of the bar as the median. */
  readonly isClear: boolean;
}

function valuesOf({ trials }: ContenderResult): number[] {
  return trials.map(({ values }) => median(values));
}

/** Undefined when no trial gave a result. */
export function estimateOf(contender: ContenderResult): Estimate | undefined {
  if (contender.failure !== undefined) return undefined;
  return estimate(valuesOf(contender));
}

/** The bars of a contender, as far as what they compare was measured. */
export function verdictsOf({ workload, contenders }: WorkloadResult, name: string): Verdict[] {
  const measured = new Map(
    contenders
      .filter(({ failure }) => failure === undefined)
      .map((contender) => [contender.name, valuesOf(contender)]),
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
