/** A run as text for a terminal. */
import Table from 'cli-table3';
import { barText, interval, number, reasonOf, settingLines } from './format.js';
import type { ResultsDocument, WorkloadOutcome } from './results.js';
import type { Verdict } from './summary.js';

type Row = Table.HorizontalTableRow;

export function reportText(document: ResultsDocument): string {
  const suites = new Set(document.workloads.map(({ suite }) => suite));
  const tables = [...suites].map((suite) =>
    suiteTable(
      suite,
      document.workloads.filter((workload) => workload.suite === suite),
    ),
  );
  return [settingLines(document).join('\n'), ...tables, notes(document)].join('\n\n');
}

function suiteTable(suite: string, workloads: readonly WorkloadOutcome[]): string {
  const table = new Table({
    head: [suite, 'contender', 'median', 'interval', 'p99', 'bar', 'measured', 'holds'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'left', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, unit, statistic, contenders, published } of workloads) {
    let label = `${name}, ${unit}${statistic === 'p50' ? ' p50' : ''}`;
    for (const contender of contenders) {
      table.push(...contenderRows(label, contender));
      label = '';
    }
    for (const { name: publisher, value, source } of published) {
      const spans = { colSpan: 5, content: `published: ${source}` };
      table.push(['', publisher, number(value), spans]);
    }
  }
  return table.toString();
}

function contenderRows(
  label: string,
  { name, estimate, percentiles, bars, failure }: WorkloadOutcome['contenders'][number],
): Row[] {
  if (estimate === undefined) {
    return [[label, name, 'failed', { colSpan: 5, content: reasonOf(failure) }]];
  }
  const p99 = percentiles === undefined ? '' : number(percentiles.p99.median);
  const [first = ['', '', ''], ...others] = bars.map(barCells);
  return [
    [label, name, number(estimate.median), interval(estimate), p99, ...first],
    ...others.map((cells) => ['', '', '', '', '', ...cells]),
  ];
}

function barCells({ bar, value, holds, isClear }: Verdict): string[] {
  const measured = `${number(value.median)} (${interval(value)})`;
  return [barText(bar), measured, `${holds ? 'yes' : 'no'}${isClear ? '' : '?'}`];
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
