/** Speed-up over one worker against the number of workers. */
import { number } from '../harness/format.js';
import type { ContenderOutcome, ResultsDocument, WorkloadOutcome } from '../harness/results.js';
import { pairedRatio } from '../harness/statistics.js';
import { trialMedians } from '../harness/summary.js';
import { isRate } from '../harness/workload.js';
import { errorBar, type Chart } from './chart.js';
import { lines } from './lines.js';
import { label } from './palette.js';

interface Point {
  readonly line: string;
  readonly workers: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

const ideal = 'ideal';

/** Undefined when the run has no work that was done by one worker and by more. */
export function scalingChart({ workloads }: ResultsDocument): Chart | undefined {
  const scaled = workloads.filter(({ contenders }) => contenders.some(isScaled));
  const points = scaled.flatMap((workload) => pointsOf(workload, scaled.length > 1));
  if (points.length === 0) return undefined;
  const names = [...new Set(points.map(({ line }) => line))];
  return {
    name: 'scaling',
    title: 'Speed-up over one worker',
    description: names.map((name) => describe(name, points)).join(' '),
    spec: specOf(points, names),
  };
}

function isScaled({ workers, estimate }: ContenderOutcome): boolean {
  return workers !== undefined && workers > 1 && estimate !== undefined;
}

function pointsOf({ name, unit, contenders }: WorkloadOutcome, isOneOfMany: boolean): Point[] {
  const suffix = isOneOfMany ? `: ${name}` : '';
  const lineOf = (one: ContenderOutcome) => lineName(one) + suffix;
  const measured = contenders.filter(({ estimate }) => estimate !== undefined);
  return measured.flatMap((contender) => {
    const { workers } = contender;
    const line = lineOf(contender);
    const single = measured.find((one) => one.workers === 1 && lineOf(one) === line);
    const isAlone = !measured.some((one) => isScaled(one) && lineOf(one) === line);
    if (workers === undefined || single === undefined || isAlone) return [];
    return [{ line, workers, ...speedUp(contender, single, unit) }];
  });
}

/** What contenders have in common that differ in their number of workers. */
function lineName({ name, workers }: Pick<ContenderOutcome, 'name' | 'workers'>): string {
  return name.replace(`${workers} `, '').replace(/worker$/, 'workers');
}

function speedUp(contender: ContenderOutcome, single: ContenderOutcome, unit: string) {
  const [many, one] = [trialMedians(contender), trialMedians(single)];
  return isRate(unit) ? pairedRatio(many, one) : pairedRatio(one, many);
}

function specOf(points: readonly Point[], names: readonly string[]): Chart['spec'] {
  const most = Math.max(...points.map(({ workers }) => workers));
  const counts = [...new Set(points.map(({ workers }) => workers))].sort((a, b) => a - b);
  const { color, shape } = lines('line', names, names);
  const y = (field: keyof Point) => ({
    field,
    type: 'quantitative' as const,
    scale: { domainMin: 0 },
    axis: { title: null, tickMinStep: 0.5, format: '~r' },
  });
  return {
    width: 720,
    height: 320,
    encoding: {
      x: {
        field: 'workers',
        type: 'quantitative',
        scale: { domain: [1, most], padding: 16, nice: false },
        axis: { title: 'workers', values: counts, format: 'd', grid: false },
      },
    },
    layer: [
      {
        data: { values: [1, most].map((workers) => ({ workers, median: workers, line: ideal })) },
        mark: { type: 'line', strokeDash: [4, 4], color: label.light },
        encoding: { y: y('median') },
      },
      {
        data: { values: [{ workers: most, median: most, line: ideal }] },
        mark: { type: 'text', align: 'right', dx: -24, dy: -4, color: label.light },
        encoding: { y: y('median'), text: { field: 'line', type: 'nominal' } },
      },
      {
        data: { values: [...points] },
        encoding: { color },
        layer: [
          {
            mark: { type: 'line', point: { size: 60, filled: true } },
            encoding: { y: y('median'), shape },
          },
          { mark: errorBar, encoding: { y: y('low'), y2: { field: 'high' } } },
        ],
      },
    ],
  };
}

function describe(name: string, points: readonly Point[]): string {
  const figures = points
    .filter(({ line }) => line === name)
    .map(({ workers, median }) => `${number(median)} with ${workers}`);
  return `${name}: ${figures.join('; ')}.`;
}
