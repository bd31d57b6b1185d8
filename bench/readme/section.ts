/** What the README says of a run. */
import { chartsOf } from '../charts/write.js';
import { barText, interval, number, settingLines } from '../harness/format.js';
import type { ContenderOutcome, ResultsDocument, WorkloadOutcome } from '../harness/results.js';
import { pairedRatio, type Estimate } from '../harness/statistics.js';
import { trialMedians } from '../harness/summary.js';
import { isMobula, isRate } from '../harness/workload.js';

type Measured = ContenderOutcome & { readonly estimate: Estimate };

/**
 * Markdown: tables, pictures, and how it was measured.
 *
 * @param folder of the pictures and the results, from where the text is
 */
export function sectionOf(document: ResultsDocument, folder: string): string {
  const pictures = chartsOf(document).map(
    ({ name, title }) => `![${escaped(title)}](${folder}/${name}.svg)`,
  );
  return [...pictures, peersText(document), barsText(document), methodText(document, folder)]
    .filter((text) => text !== '')
    .join('\n\n');
}

function peersText({ workloads }: ResultsDocument): string {
  const rows = workloads.filter(({ suite }) => suite === 'peers').flatMap(peersRow);
  return table(['work', 'Mobula', 'the best of the others', 'times as fast'], rows);
}

/** None when one of the sides has no result. */
function peersRow(workload: WorkloadOutcome): string[][] {
  const { name, unit, contenders } = workload;
  const measured = contenders.filter((one): one is Measured => one.estimate !== undefined);
  const own = best(
    measured.filter((one) => isMobula(one.name)),
    unit,
  );
  const other = best(
    measured.filter((one) => !isMobula(one.name)),
    unit,
  );
  if (own === undefined || other === undefined) return [];
  const [fast, slow] = (isRate(unit) ? [own, other] : [other, own]).map(trialMedians);
  const ratio = pairedRatio(fast!, slow!);
  const cells = [own, other].map((one) => `${number(one.estimate.median)} (${how(one.name)})`);
  return [[`${name}, ${unit}`, ...cells, `${number(ratio.median)} (${interval(ratio)})`]];
}

function best(contenders: readonly Measured[], unit: string): Measured | undefined {
  const sign = isRate(unit) ? -1 : 1;
  return contenders.toSorted((a, b) => sign * (a.estimate.median - b.estimate.median))[0];
}

/** What sets a contender of Mobula's apart, or the name of another. */
function how(contender: string): string {
  return contender.replace(/^mobula, /, '');
}

function barsText({ workloads }: ResultsDocument): string {
  const rows = workloads.flatMap(({ name, unit, contenders }) =>
    contenders.flatMap((contender) =>
      contender.bars.map(({ bar, value, holds, isClear }) => [
        `${name}: ${contender.name}`,
        `${number(value.median)} (${interval(value)})${bar.against === undefined ? ` ${unit}` : ' x'}`,
        barText(bar),
        `${holds ? 'yes' : 'no'}${isClear ? '' : '?'}`,
      ]),
    ),
  );
  return table(['work', 'measured', 'bar', 'holds'], rows);
}

function methodText(document: ResultsDocument, folder: string): string {
  const date = document.startedAt.slice(0, 10);
  return [
    `Measured on ${date}: ${escaped(settingLines(document).join('; '))}.`,
    'Figures are medians; in parentheses the interval in which the true one lies, ratios are',
    'of trials in the same turn, a question mark says that the interval includes the bar.',
    `[All figures](${folder}/results.json); [how they are made](bench/README.md).`,
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function escaped(plain: string): string {
  return plain.replaceAll(/[\\|<*_`[\]]/g, '\\$&').replaceAll('&', '&amp;');
}
