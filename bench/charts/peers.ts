/** Bars of Mobula and of what it is compared with, one panel for each workload. */
import { number } from '../harness/format.js';
import type { ResultsDocument, WorkloadOutcome } from '../harness/results.js';
import { isMobula, isRate } from '../harness/workload.js';
import { errorBar, type Chart } from './chart.js';
import { others, own, text } from './palette.js';

interface Bar {
  readonly contender: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly label: string;
  readonly isOwn: boolean;
}

/** Pixels that Vega leaves for each character of a name, and beside it, when no browser tells it. */
const characterWidth = 10.4;
const labelPadding = 8;

/** Undefined when the run has nothing that could be compared. */
export function peersChart({ workloads }: ResultsDocument): Chart | undefined {
  const panels = workloads
    .filter(({ suite, payload }) => suite === 'peers' && payload === undefined)
    .map((workload) => ({ workload, bars: barsOf(workload) }))
    .filter(({ bars }) => bars.some(({ isOwn }) => isOwn) && bars.some(({ isOwn }) => !isOwn));
  if (panels.length === 0) return undefined;
  const names = panels.flatMap(({ bars }) => bars.map(({ contender }) => contender));
  const extent = labelPadding + characterWidth * Math.max(...names.map(({ length }) => length));
  return {
    name: 'peers',
    title: 'Mobula and other worker pools',
    description: panels.map(({ workload, bars }) => describe(workload, bars)).join(' '),
    spec: {
      spacing: 28,
      vconcat: panels.map(({ workload, bars }) => panel(workload, bars, extent)),
    },
  };
}

/** The best first. */
function barsOf({ unit, contenders }: WorkloadOutcome): Bar[] {
  const sign = isRate(unit) ? -1 : 1;
  return contenders
    .flatMap(({ name, estimate }) => {
      if (estimate === undefined) return [];
      const { median, low, high } = estimate;
      const label = number(median);
      return [{ contender: name, median, low, high, label, isOwn: isMobula(name) }];
    })
    .sort((a, b) => sign * (a.median - b.median));
}

function panel(workload: WorkloadOutcome, bars: readonly Bar[], extent: number) {
  const y = {
    field: 'contender',
    type: 'nominal' as const,
    sort: bars.map(({ contender }) => contender),
    axis: { title: null, domain: false, ticks: false, labelPadding },
  };
  const x = (field: keyof Bar) => ({
    field,
    type: 'quantitative' as const,
    axis: { title: null, labelFlush: false, tickCount: 6 },
  });
  return {
    title: { text: headingOf(workload), frame: 'group' as const, dx: -extent },
    width: 540,
    height: { step: 26 },
    data: { values: [...bars] },
    encoding: { y },
    layer: [
      {
        mark: { type: 'bar' as const, height: { band: 0.68 } },
        encoding: {
          x: x('median'),
          color: {
            field: 'isOwn',
            type: 'nominal' as const,
            scale: { domain: [true, false], range: [own.light, others.light] },
            legend: null,
          },
        },
      },
      {
        mark: { ...errorBar, color: text.light },
        encoding: { x: x('low'), x2: { field: 'high' } },
      },
      {
        mark: { type: 'text' as const, align: 'left' as const, dx: 8 },
        encoding: { x: x('high'), text: { field: 'label', type: 'nominal' as const } },
      },
    ],
  };
}

function headingOf({ name, unit }: WorkloadOutcome): string {
  return `${name}, ${unit} (${isRate(unit) ? 'more' : 'less'} is better)`;
}

function describe(workload: WorkloadOutcome, bars: readonly Bar[]): string {
  const figures = bars.map(({ contender, label }) => `${contender} ${label}`);
  return `${headingOf(workload)}: ${figures.join('; ')}.`;
}
