/** What pools of workers do, side by side: the same functions on each, at its best settings. */
import { availableParallelism } from 'node:os';
import { openChildProcess } from '../contenders/pools/child-process.js';
import {
  allocated,
  openMobulaProcesses,
  openMobulaThreads,
  putOnce,
} from '../contenders/pools/mobula.js';
import { openPiscina } from '../contenders/pools/piscina.js';
import type { OpenPool } from '../contenders/pools/pool.js';
import { openPoolifier } from '../contenders/pools/poolifier.js';
import {
  copiesOf,
  cpuBoundTasks,
  kept,
  noopTasks,
  tasksWithArgument,
  tasksWithResult,
  transferred,
  type ArgumentSource,
} from '../contenders/pools/subjects.js';
import { openTinypool } from '../contenders/pools/tinypool.js';
import { openWorkerThreads } from '../contenders/pools/worker-threads.js';
import { openWorkerpool } from '../contenders/pools/workerpool.js';
import type { Plan } from '../harness/plan.js';
import {
  microseconds,
  milliseconds,
  thousandsPerSecond,
  type Contender,
  type Subject,
  type Workload,
} from '../harness/workload.js';

interface NamedPool extends Pick<Contender, 'name' | 'isPeer'> {
  readonly open: OpenPool;
}

const others: readonly NamedPool[] = [
  { name: 'piscina', isPeer: true, open: openPiscina },
  { name: 'tinypool', isPeer: true, open: openTinypool },
  { name: 'workerpool', isPeer: true, open: openWorkerpool },
  { name: 'poolifier', isPeer: true, open: openPoolifier },
  { name: 'worker_threads', open: openWorkerThreads },
  { name: 'child_process', open: openChildProcess },
];

const threads: NamedPool = { name: 'mobula', open: openMobulaThreads };
const processes: NamedPool = { name: 'mobula, process workers', open: openMobulaProcesses };

export const pools: readonly NamedPool[] = [threads, processes, ...others];

const outstanding = 1000;
const mixed = { tasks: 64, outstanding: 8, least: 100, most: 10e6 };

export function peerWorkloads({ quick }: Plan): Workload[] {
  const sizes = [1e3, 1e6, quick ? 16e6 : 80e6];
  const cores = availableParallelism();
  const lengths = mixedLengths();
  return [
    {
      name: `no-op tasks, ${outstanding} outstanding`,
      unit: thousandsPerSecond,
      statistic: 'mean',
      minOperations: 10 * outstanding,
      contenders: contenders(pools, (open) => noopTasks(open, outstanding)),
    },
    {
      name: 'no-op task, one at a time',
      unit: microseconds,
      statistic: 'p50',
      contenders: contenders(pools, (open) => noopTasks(open, 1)),
    },
    ...sizes.map((bytes) => argumentWorkload(bytes, quick)),
    ...sizes.map((bytes) => resultWorkload(bytes, quick)),
    {
      name: `${mixed.tasks} copies of arrays of 100 B to 10 MB, ${mixed.outstanding} outstanding`,
      unit: milliseconds,
      statistic: 'mean',
      contenders: contenders([threads, ...others], (open) =>
        copiesOf(open, lengths, mixed.outstanding),
      ),
    },
    {
      name: `CPU-bound tasks of some milliseconds, ${cores} workers`,
      unit: milliseconds,
      statistic: 'mean',
      contenders: contenders([threads, ...others], (open) => cpuBoundTasks(open, cores)),
    },
  ];
}

/** The values arrive whole in any case: the task reads the last number. */
function argumentWorkload(bytes: number, quick: boolean): Workload {
  const length = bytes / Float64Array.BYTES_PER_ELEMENT;
  const from = (source: ArgumentSource) => (open: OpenPool) =>
    tasksWithArgument(open, source, length);
  return {
    name: `task with an argument of ${sizeText(bytes)}`,
    unit: microseconds,
    statistic: 'p50',
    payload: { kind: 'argument', bytes },
    contenders: [
      ...contenders([named('mobula, put once', threads)], from(putOnce)),
      ...contenders([named('mobula, copied', threads)], from(kept)),
      ...(quick
        ? []
        : [
            ...contenders([named('mobula, made anew', threads)], from(allocated)),
            ...contenders([named('mobula, process workers, put once', processes)], from(putOnce)),
            ...contenders(
              others
                .filter(({ open }) => open === openPiscina || open === openWorkerThreads)
                .map((pool) => named(`${pool.name}, made anew and transferred`, pool)),
              from(transferred),
            ),
          ]),
      ...contenders(others, from(kept)),
    ],
  };
}

function resultWorkload(bytes: number, quick: boolean): Workload {
  const length = bytes / Float64Array.BYTES_PER_ELEMENT;
  return {
    name: `task with a result of ${sizeText(bytes)}`,
    unit: microseconds,
    statistic: 'p50',
    payload: { kind: 'result', bytes },
    contenders: contenders(quick ? [threads, ...others] : pools, (open) =>
      tasksWithResult(open, length),
    ),
  };
}

function named(name: string, pool: NamedPool): NamedPool {
  return { ...pool, name };
}

function contenders(
  chosen: readonly NamedPool[],
  start: (open: OpenPool) => Subject | Promise<Subject>,
): Contender[] {
  return chosen.map(({ open, ...contender }) => ({ ...contender, start: () => start(open) }));
}

function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${bytes / 1e3} KB` : `${bytes / 1e6} MB`;
}

/** As many small arrays as large ones, in an order that is the same in every run. */
function mixedLengths(): number[] {
  let seed = 1;
  return Array.from({ length: mixed.tasks }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const bytes = mixed.least * (mixed.most / mixed.least) ** (seed / 2 ** 32);
    return Math.round(bytes / Float64Array.BYTES_PER_ELEMENT);
  });
}
