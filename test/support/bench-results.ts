/** Results of benchmarks that nobody has run. */
import { documentOf, type ResultsDocument, type Setting } from '../../bench/harness/results.js';
import type { ContenderResult, WorkloadResult } from '../../bench/harness/run.js';
import {
  isMobula,
  microseconds,
  milliseconds,
  thousandsPerSecond,
  type Bar,
  type Payload,
  type Unit,
} from '../../bench/harness/workload.js';

const setting: Setting = {
  startedAt: '2026-01-02T03:04:05.678Z',
  plan: { quick: false, trials: 7, warmUpMs: 5000, windows: 10, windowMs: 80 },
  machine: {
    cpu: 'A <processor> & more',
    cores: 4,
    memory: 32 * 2 ** 30,
    kernel: 'Linux 6.1.0',
    arch: 'x64',
    node: 'v20.19.0',
    hugePages: 'never',
  },
  commit: { hash: '0123456789abcdef0123456789abcdef01234567', isDirty: false },
  loadBefore: 0.5,
  loadAfter: 1.5,
};

/** What seven trials may give whose median is this. */
const noise = [1, 0.96, 1.05, 0.9, 1.12, 0.98, 1.02];

type Medians = Readonly<Record<string, number>>;

function contender(name: string, median: number, turn: number): ContenderResult {
  const workers = /, (\d+) \w+ workers?$/.exec(name)?.[1];
  return {
    name,
    isPeer: !isMobula(name),
    workers: workers === undefined ? undefined : Number(workers),
    trials: noise.map((_, index) => ({
      pid: 1000 + index,
      values: [median * noise[(index + turn) % noise.length]!],
    })),
  };
}

interface Row {
  readonly suite: string;
  readonly name: string;
  readonly unit: Unit;
  readonly payload?: Payload;
  readonly medians: Medians;
  readonly bars?: readonly Bar[];
}

function resultOf({ suite, medians, ...workload }: Row): WorkloadResult {
  const contenders = Object.entries(medians).map(([name, median], turn) =>
    contender(name, median, turn),
  );
  return { suite, workload: { statistic: 'mean', ...workload, contenders: [] }, contenders };
}

function payloadRow(kind: Payload['kind'], bytes: number, medians: Medians): Row {
  const name = `${kind} of ${bytes} bytes`;
  return { suite: 'peers', name, unit: microseconds, payload: { kind, bytes }, medians };
}

const rows: readonly Row[] = [
  {
    suite: 'peers',
    name: 'no-op tasks',
    unit: thousandsPerSecond,
    medians: {
      'mobula, thread worker': 812,
      'mobula, process worker': 498,
      piscina: 61.2,
      tinypool: 58.8,
      workerpool: 37.1,
      poolifier: 44,
      worker_threads: 88.5,
      child_process: 21.7,
    },
    bars: [
      { contender: 'mobula, thread worker', against: 'piscina', atLeast: 5 },
      { contender: 'mobula, process worker', atLeast: 490 },
    ],
  },
  {
    suite: 'peers',
    name: 'CPU-bound tasks',
    unit: milliseconds,
    medians: {
      'mobula, thread worker': 2.11,
      piscina: 2.18,
      workerpool: 2.4,
      '<script> & co': 2.9,
    },
  },
  ...(['argument', 'result'] as const).flatMap((kind) => [
    payloadRow(kind, 1e3, {
      'mobula, put once': 14,
      'mobula, made anew': 16,
      piscina: 35,
      'piscina, made anew and transferred': 20,
      workerpool: 52,
      tinypool: 40,
      poolifier: 60,
      worker_threads: 30,
      child_process: 80,
    }),
    payloadRow(kind, 1e6, {
      'mobula, put once': 15,
      'mobula, made anew': 210,
      piscina: 900,
      'piscina, made anew and transferred': 60,
      workerpool: 1300,
      tinypool: 950,
      poolifier: 1100,
      worker_threads: 800,
      child_process: 5000,
    }),
    payloadRow(kind, 80e6, {
      'mobula, put once': 15,
      'mobula, made anew': 21e3,
      piscina: 160e3,
      'piscina, made anew and transferred': 90,
      workerpool: 226e3,
      tinypool: 170e3,
      poolifier: 200e3,
      worker_threads: 150e3,
      child_process: 900e3,
    }),
  ]),
  {
    suite: 'scaling',
    name: 'flights',
    unit: milliseconds,
    medians: {
      'one thread, no workers': 7900,
      'mobula, 1 thread worker': 8000,
      'mobula, 2 thread workers': 4100,
      'mobula, 4 thread workers': 2150,
      'mobula, 1 process worker': 8100,
      'mobula, 2 process workers': 4300,
      'mobula, 4 process workers': 2500,
    },
  },
];

/**
 * A run of some suites, with every kind of row.
 *
 * @param changed gives what a contender has for its usual median
 */
export function benchResults(
  changes: Partial<Setting> = {},
  changed: (median: number, workload: string) => number = (median) => median,
): ResultsDocument {
  const results = rows.map(({ medians, ...row }) => {
    const entries = Object.entries(medians);
    return resultOf({
      ...row,
      medians: Object.fromEntries(entries.map(([name, one]) => [name, changed(one, row.name)])),
    });
  });
  return documentOf({ ...setting, ...changes }, results);
}
