/**
 * The list of `ray microbenchmark`, row by row: the same names, payloads and numbers of calls, with as
 * many clients and servers as the machine has cores for. Its rows of placement groups, of the Ray
 * client and of out-of-scope callbacks are left out: Mobula has none of these.
 */
import { availableParallelism } from 'node:os';
import { microbenchmark, type Counts, type RowName } from '../contenders/microbenchmark.js';
import { ray, whyNoRay } from '../contenders/ray.js';
import type { Unit, Workload } from '../harness/workload.js';

interface Row {
  readonly name: RowName;
  /** What the row counts in one operation; default 1. */
  readonly things?: (counts: Counts) => number;
  readonly unit?: 'GB/s';
  /** Who take part in a number that depends on the machine. */
  readonly scaled?: 'clients' | 'servers' | 'clients and servers' | 'workers';
  /** Things per second, as Ray has published. */
  readonly published: number;
}

const source = 'Ray 2.48.0 on m5.16xlarge (64 vCPUs), release/perf_metrics/microbenchmark.json';

const thousand = () => 1000;
const perClient = (calls: number) => (counts: Counts) => calls * counts.clients;
const perServer = (calls: number) => (counts: Counts) => calls * counts.servers;

const rows: readonly Row[] = [
  { name: 'single client get calls (Plasma Store)', published: 10_620.4 },
  { name: 'single client put calls (Plasma Store)', published: 5_173.3 },
  {
    name: 'multi client put calls (Plasma Store)',
    things: thousand,
    scaled: 'workers',
    published: 16_526.4,
  },
  // Ray counts its 800 MiB so, and its ten times ten 80 MiB below.
  { name: 'single client put gigabytes', things: () => 0.8, unit: 'GB/s', published: 19.856 },
  { name: 'single client tasks and get batch', published: 5.8007 },
  {
    name: 'multi client put gigabytes',
    things: () => 8,
    unit: 'GB/s',
    scaled: 'workers',
    published: 38.137,
  },
  { name: 'single client get object containing 10k refs', published: 13.372 },
  { name: 'single client wait 1k refs', published: 5.08 },
  { name: 'single client tasks sync', published: 980.71 },
  { name: 'single client tasks async', things: thousand, published: 8_040.5 },
  {
    name: 'multi client tasks async',
    things: perClient(10_000),
    scaled: 'clients',
    published: 21_229.8,
  },
  { name: '1:1 actor calls sync', published: 2_011.9 },
  { name: '1:1 actor calls async', things: thousand, published: 8_663.7 },
  { name: '1:1 actor calls concurrent', things: thousand, published: 5_775 },
  { name: '1:n actor calls async', things: perServer(5000), scaled: 'servers', published: 8_038.2 },
  {
    name: 'n:n actor calls async',
    things: perClient(5000),
    scaled: 'clients and servers',
    published: 27_375.6,
  },
  {
    name: 'n:n actor calls with arg async',
    things: perServer(1000),
    scaled: 'servers',
    published: 2_759.3,
  },
  { name: '1:1 async-actor calls sync', published: 1_459.7 },
  { name: '1:1 async-actor calls async', things: thousand, published: 4_259.8 },
  { name: '1:1 async-actor calls with args async', things: thousand, published: 2_836.3 },
  {
    name: '1:n async-actor calls async',
    things: perServer(5000),
    scaled: 'servers',
    published: 7_382.7,
  },
  {
    name: 'n:n async-actor calls async',
    things: perClient(5000),
    scaled: 'clients and servers',
    published: 23_674.5,
  },
];

/** Ray has 4 clients, and a server for every two cores. */
function countsFor(cores: number): Counts {
  return { cores, clients: Math.min(4, cores), servers: Math.max(1, cores >> 1) };
}

export function rayWorkloads(): Workload[] {
  const counts = countsFor(availableParallelism());
  return rows.map(({ name, things = () => 1, unit = '/s', scaled, published }) => ({
    name: scaled === undefined ? name : `${name} (${scaledText(scaled, counts)})`,
    unit: perSecond(unit, things(counts)),
    statistic: 'mean',
    contenders: [
      { name: 'mobula', start: () => microbenchmark(name, counts, 'thread') },
      { name: 'mobula, processes', start: () => microbenchmark(name, counts, 'process') },
      { name: 'ray', whyNot: whyNoRay, start: () => ray(name, counts) },
    ],
    published: [{ name: 'ray', value: published, source }],
  }));
}

function scaledText(scaled: NonNullable<Row['scaled']>, { cores, clients, servers }: Counts) {
  switch (scaled) {
    case 'workers':
      return countText(cores, 'worker');
    case 'clients':
      return countText(clients, 'client');
    case 'servers':
      return countText(servers, 'server');
    case 'clients and servers':
      return `${countText(clients, 'client')}, ${countText(servers, 'server')}`;
  }
}

function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function perSecond(label: string, things: number): Unit {
  return { label, from: (milliseconds) => (things * 1000) / milliseconds };
}
