/** Two results files compared. */
import type { Machine } from '../harness/machine.js';
import type { ResultsDocument } from '../harness/results.js';
import { independentRatio, type Estimate } from '../harness/statistics.js';
import { isMobula, isRate } from '../harness/workload.js';
import { UsageError } from '../options.js';
import type { Change } from './changes.js';
import { match, type Matched, type Row } from './rows.js';

export interface MeasuredRow extends Row {
  readonly estimate: Estimate;
}

/** @throws UsageError when the machine, its settings, or the sizes are not the same */
export function checkComparable(base: ResultsDocument, head: ResultsDocument): void {
  const keys = Object.keys(head.machine) as (keyof Machine)[];
  const different = keys.filter((key) => base.machine[key] !== head.machine[key]);
  if (different.length > 0) {
    const list = different.map((key) => `${key} ${base.machine[key]} and ${head.machine[key]}`);
    throw new UsageError(`the runs were made on different machines: ${list.join(', ')}`);
  }
  if (base.plan.quick !== head.plan.quick) {
    throw new UsageError('one of the runs was made with --quick, the other without');
  }
}

/** What was measured of Mobula. */
export function measuredRows({ workloads }: ResultsDocument): MeasuredRow[] {
  return workloads.flatMap(({ suite, name: workload, unit, contenders }) =>
    contenders.flatMap(({ name: contender, estimate }) =>
      estimate === undefined || !isMobula(contender)
        ? []
        : [{ suite, workload, unit, contender, estimate }],
    ),
  );
}

export function matchRuns(base: ResultsDocument, head: ResultsDocument): Matched<MeasuredRow> {
  return match(measuredRows(base), measuredRows(head));
}

/** The runs were not made in turns: what disturbed one of them counts in full. */
export function changeBetween(base: MeasuredRow, head: MeasuredRow): Change {
  const { suite, workload, unit, contender } = head;
  const [one, other] = isRate(unit) ? [head, base] : [base, head];
  return {
    ...{ suite, workload, unit, contender },
    base: base.estimate.median,
    head: head.estimate.median,
    speed: independentRatio(one.estimate, other.estimate),
  };
}
