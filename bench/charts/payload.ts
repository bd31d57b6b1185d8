/** Latency by size of payload, on log axes: one line for each contender, a panel for each kind. */
import type { Payload } from '../harness/workload.js';
import { number } from '../harness/format.js';
import type { ResultsDocument, WorkloadOutcome } from '../harness/results.js';
import { errorBar, type Chart } from './chart.js';
import { lines } from './lines.js';

type Kind = Payload['kind'];

interface Point {
  readonly kind: Kind;
  readonly bytes: number;
  readonly contender: string;
  /** In milliseconds, as the interval is. */
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

const kinds: readonly Kind[] = ['argument', 'result'];
/** Of milliseconds, in Vega's language. */
const timeLabel = `datum.value < 1 ? format(1000 * datum.value, '~r') + ' us'
  : datum.value < 1000 ? format(datum.value, '~r') + ' ms' : format(datum.value / 1000, '~r') + ' s'`;
const panelWidth = { 1: 620, 2: 310 };

/** Undefined when the run has no latencies by size. */
export function payloadChart({ workloads }: ResultsDocument): Chart | undefined {
  const points = workloads.flatMap(pointsOf);
  const shown = kinds.filter((kind) => points.some((point) => point.kind === kind));
  if (shown.length === 0) return undefined;
  const contenders = [...new Set(points.map(({ contender }) => contender))];
  const width = panelWidth[shown.length === 1 ? 1 : 2];
  return {
    name: 'payload',
    title: 'Time per task, one at a time, by size of what goes with it',
    description: contenders.map((contender) => describe(contender, points)).join(' '),
    spec: {
      spacing: 28,
      resolve: { scale: { y: 'shared', color: 'independent', shape: 'independent' } },
      hconcat: shown.map((kind) => panel(kind, points, contenders, width)),
    },
  };
}

function pointsOf({ payload, unit, contenders }: WorkloadOutcome): Point[] {
  const milliseconds = { ms: 1, us: 1e-3 }[unit];
  if (payload === undefined || milliseconds === undefined) return [];
  return contenders.flatMap(({ name, estimate }) => {
    if (estimate === undefined) return [];
    const [median, low, high] = [estimate.median, estimate.low, estimate.high].map(
      (value) => value * milliseconds,
    ) as [number, number, number];
    return [{ ...payload, contender: name, median, low, high }];
  });
}

function panel(kind: Kind, points: readonly Point[], contenders: readonly string[], width: number) {
  const values = points.filter((point) => point.kind === kind);
  const present = new Set(values.map(({ contender }) => contender));
  const shown = contenders.filter((contender) => present.has(contender));
  const sizes = [...new Set(values.map(({ bytes }) => bytes))].sort((a, b) => a - b);
  const labels = Object.fromEntries(sizes.map((bytes) => [bytes, sizeLabel(bytes)]));
  const { color, shape } = lines('contender', contenders, shown, toolOf);
  const y = (field: keyof Point) => ({
    field,
    type: 'quantitative' as const,
    scale: { type: 'log' as const },
    axis: { title: null, labelExpr: timeLabel, tickCount: 6 },
  });
  return {
    title: `by size of the ${kind}`,
    width,
    height: 320,
    data: { values },
    encoding: {
      x: {
        field: 'bytes',
        type: 'quantitative' as const,
        scale: { type: 'log' as const, nice: false, padding: 16 },
        axis: {
          title: null,
          values: sizes,
          labelExpr: `${JSON.stringify(labels)}[datum.value]`,
          grid: false,
        },
      },
      color,
    },
    layer: [
      {
        mark: { type: 'line' as const, point: { size: 60, filled: true } },
        encoding: { y: y('median'), shape },
      },
      { mark: errorBar, encoding: { y: y('low'), y2: { field: 'high' } } },
    ],
  };
}

/** A contender is called after its tool, and then after how it is used. */
function toolOf(contender: string): string {
  return contender.split(',')[0]!;
}

function sizeLabel(bytes: number): string {
  if (bytes >= 1e6) return `${+(bytes / 1e6).toPrecision(3)} MB`;
  if (bytes >= 1e3) return `${+(bytes / 1e3).toPrecision(3)} KB`;
  return `${bytes} B`;
}

function describe(contender: string, points: readonly Point[]): string {
  const figures = points
    .filter((point) => point.contender === contender)
    .map(({ kind, bytes, median }) => `${kind} of ${sizeLabel(bytes)} ${number(median)}`);
  return `${contender}: ${figures.join('; ')}.`;
}
