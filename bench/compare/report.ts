/** A comparison as text for a terminal. */
import Table from 'cli-table3';
import { interval, number, reasonOf } from '../harness/format.js';
import { wantedConfidence } from '../harness/statistics.js';
import { verdictOf, type Change } from './changes.js';
import { rowLabel, type Row } from './rows.js';
import type { Failure } from './turns.js';

export interface Comparison {
  readonly base: string;
  readonly head: string;
  readonly changes: readonly Change[];
  readonly failures: readonly Failure[];
  readonly onlyBase: readonly Row[];
  readonly onlyHead: readonly Row[];
}

export function comparisonText(comparison: Comparison): string {
  const { base, head, changes, failures, onlyBase, onlyHead } = comparison;
  const sorted = changes.toSorted((a, b) => b.speed.median - a.speed.median);
  const of = (verdict: string) => sorted.filter((change) => verdictOf(change) === verdict);
  const sections = [
    `base: ${base}\nhead: ${head}`,
    section('faster than the base', of('faster')),
    section('slower than the base', of('slower').toReversed()),
    section('no change beyond the noise', of('unchanged')),
    list('failed', failures.map(failureText)),
    list('only in the base', onlyBase.map(rowLabel)),
    list('only in the head', onlyHead.map(rowLabel)),
    notes(changes),
  ];
  return sections.filter((text) => text !== '').join('\n\n');
}

function section(heading: string, changes: readonly Change[]): string {
  if (changes.length === 0) return `${heading}: nothing`;
  const table = new Table({
    head: [heading, 'base', 'head', '', 'speed', 'interval'],
    colAligns: ['left', 'right', 'right', 'left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const change of changes) {
    const { base, head, unit, speed } = change;
    const figures = [number(base), number(head), unit, `${number(speed.median)} x`];
    table.push([rowLabel(change), ...figures, interval(speed)]);
  }
  return table.toString();
}

function list(heading: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [`${heading}:`, ...lines.map((line) => `  ${line}`)].join('\n');
}

function failureText({ row, side, reason }: Failure): string {
  return `${rowLabel(row)}: ${side}: ${reasonOf(reason)}`;
}

function notes(changes: readonly Change[]): string {
  if (changes.length === 0) return '';
  const confidences = changes.map(({ speed }) => speed.confidence);
  const confidence = Math.min(...confidences);
  if (confidence < wantedConfidence) {
    const wanted = wantedConfidence * 100;
    return `too few trials for an interval of ${wanted} % confidence: no change is claimed`;
  }
  const byChance = confidences.reduce((sum, one) => sum + 1 - one, 0);
  return [
    `interval: of the median speed-up, ${Math.floor(confidence * 100)} % confidence; beyond the noise: it excludes 1;`,
    `of so many rows about ${byChance.toFixed(1)} do so by chance: repeat what matters with --only`,
  ].join('\n');
}
