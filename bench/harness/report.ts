/** A run as text for a terminal. */
import Table from 'cli-table3';
import type { ResultsDocument } from './results.js';
import type { Estimate } from './statistics.js';
import type { Verdict } from './summary.js';
import type { Bar } from './workload.js';

type WorkloadOutcome = ResultsDocument['workloads'][number];

export function reportText(document: ResultsDocument): string {
  const suites = new Set(document.workloads.map(({ suite }) => suite));
  const tables = [...suites].map((suite) =>
    suiteTable(
      suite,
      document.workloads.filter((workload) => workload.suite === suite),
    ),
  );
  return [headText(document), ...tables, notes(document)].join('\n\n');
}

function headText({ machine, commit, plan, loadBefore, loadAfter }: ResultsDocument): string {
  const hash = commit === undefined ? 'no commit' : `commit ${commit.hash.slice(0, 12)}`;
  return [
    `${machine.cpu}, ${machine.cores} cores, ${(machine.memory / 2 ** 30).toFixed(0)} GiB, ${machine.arch}`,
    `${machine.kernel}, shared memory in huge pages: ${machine.hugePages}, Node ${machine.node}`,
    `${hash}${commit?.isDirty === true ? ' with changes' : ''}, ` +
      `load ${loadBefore.toFixed(1)} before and ${loadAfter.toFixed(1)} after`,
    `${plan.trials} trials of each contender in turn, each a process of its own with ` +
      `${plan.windows} windows or more of ${plan.windowMs} ms${plan.quick ? ' (--quick)' : ''}`,
  ].join('\n');
}

function suiteTable(suite: string, workloads: readonly WorkloadOutcome[]): string {
  const table = new Table({
    head: [suite, 'contender', 'median', 'interval', 'bar', 'measured', 'holds'],
    colAligns: ['left', 'left', 'right', 'right', 'left', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, unit, statistic, contenders } of workloads) {
    let label = `${name}, ${unit}${statistic === 'p50' ? ' p50' : ''}`;
    for (const contender of contenders) {
      table.push(...contenderRows(label, contender));
      label = '';
    }
  }
  return table.toString();
}

function contenderRows(
  label: string,
  { name, estimate, bars, failure }: WorkloadOutcome['contenders'][number],
): string[][] {
  if (estimate === undefined) {
    return [[label, name, 'failed', '', '', reasonOf(failure), '']];
  }
  const [first = ['', '', ''], ...others] = bars.map(barCells);
  return [
    [label, name, number(estimate.median), intervalText(estimate), ...first],
    ...others.map((cells) => ['', '', '', '', ...cells]),
  ];
}

/** The line that names the error in what a process has said at its end. */
function reasonOf(failure = 'no result'): string {
  const lines = failure.split('\n');
  const reason = lines.find((line) => /Error\b/.test(line)) ?? lines.at(-1)!;
  return reason.length <= 60 ? reason : `${reason.slice(0, 57)}...`;
}

function barCells({ bar, value, holds, isClear }: Verdict): string[] {
  const measured = `${number(value.median)} (${intervalText(value)})`;
  return [barText(bar), measured, `${holds ? 'yes' : 'no'}${isClear ? '' : '?'}`];
}

function barText({ against, atLeast, atMost }: Bar): string {
  const limit = atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`;
  return against === undefined ? limit : `${limit} x ${against}`;
}

function notes({ workloads }: ResultsDocument): string {
  const estimates = workloads.flatMap(({ contenders }) => contenders.map((one) => one.estimate));
  const confidences = estimates.flatMap((one) => (one === undefined ? [] : [one.confidence]));
  const confidence = Math.floor(Math.min(...confidences) * 100);
  return [
    `interval: of the median over the trials, ${confidence} % confidence; ratios are medians of the ratios`,
    'within one turn; a question mark: the interval includes the bar',
  ].join('\n');
}

function intervalText({ low, high }: Estimate): string {
  return `${number(low)} .. ${number(high)}`;
}

/** Three significant digits, none of them made up. */
function number(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value.toPrecision(3);
}
