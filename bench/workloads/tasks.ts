/** Tasks with one worker, beside piscina and what Node itself offers. */
import { openMobulaProcesses, openMobulaThreads, putOnce } from '../contenders/pools/mobula.js';
import { openPiscina } from '../contenders/pools/piscina.js';
import { cpuBoundTasks, kept, noopTasks, tasksWithArgument } from '../contenders/pools/subjects.js';
import { postMessageEcho } from '../contenders/post-message.js';
import { blockingNoopTasks, drainedTasks } from '../contenders/tasks.js';
import type { Plan } from '../harness/plan.js';
import {
  microseconds,
  milliseconds,
  thousandsPerSecond,
  type Workload,
} from '../harness/workload.js';

const outstanding = 1000;

export function taskWorkloads({ quick }: Plan): Workload[] {
  const arrayLength = quick ? 2_000_000 : 10_000_000;
  const queued = quick ? 100_000 : 1_000_000;
  const inMicroseconds = { unit: microseconds, statistic: 'p50' } as const;
  const inMilliseconds = { unit: milliseconds, statistic: 'mean' } as const;
  return [
    {
      name: `no-op tasks, ${outstanding} outstanding`,
      unit: thousandsPerSecond,
      statistic: 'mean',
      minOperations: 10 * outstanding,
      contenders: [
        { name: 'mobula, thread worker', start: () => noopTasks(openMobulaThreads, outstanding) },
        {
          name: 'mobula, process worker',
          start: () => noopTasks(openMobulaProcesses, outstanding),
        },
        { name: 'piscina', isPeer: true, start: () => noopTasks(openPiscina, outstanding) },
      ],
      bars: [
        { contender: 'mobula, thread worker', atLeast: 500 },
        { contender: 'mobula, thread worker', against: 'piscina', atLeast: 5 },
        { contender: 'mobula, process worker', atLeast: 400 },
      ],
    },
    {
      name: 'task round trip, one at a time',
      ...inMicroseconds,
      contenders: [
        { name: 'mobula, thread worker', start: () => noopTasks(openMobulaThreads, 1) },
        { name: 'mobula, process worker', start: () => noopTasks(openMobulaProcesses, 1) },
        { name: 'piscina', isPeer: true, start: () => noopTasks(openPiscina, 1) },
        { name: 'postMessage', start: postMessageEcho },
      ],
      bars: [{ contender: 'mobula, thread worker', against: 'postMessage', atMost: 0.6 }],
    },
    {
      name: 'task round trip, the driver blocked in getSync',
      unit: microseconds,
      statistic: 'mean',
      contenders: [{ name: 'mobula, thread worker', start: blockingNoopTasks }],
      bars: [{ contender: 'mobula, thread worker', atMost: 12 }],
    },
    {
      name: `task on a Float64Array of ${(arrayLength * 8) / 1e6} MB`,
      ...inMicroseconds,
      contenders: [
        {
          name: 'mobula, by ref',
          start: () => tasksWithArgument(openMobulaThreads, putOnce, arrayLength),
        },
        { name: 'mobula, no array', start: () => noopTasks(openMobulaThreads, 1) },
        {
          name: 'piscina, copied',
          isPeer: true,
          start: () => tasksWithArgument(openPiscina, kept, arrayLength),
        },
      ],
      bars: [{ contender: 'mobula, by ref', against: 'mobula, no array', atMost: 1.5 }],
    },
    {
      name: `${queued} tasks queued at once and drained`,
      ...inMilliseconds,
      contenders: [{ name: 'mobula, thread worker', start: () => drainedTasks(queued) }],
      bars: [{ contender: 'mobula, thread worker', atMost: queued / 200 }],
    },
    {
      name: 'CPU-bound tasks of some milliseconds',
      ...inMilliseconds,
      contenders: [
        { name: 'mobula, 2 workers', start: () => cpuBoundTasks(openMobulaThreads, 2) },
        { name: 'mobula, 1 worker', start: () => cpuBoundTasks(openMobulaThreads, 1) },
      ],
      bars: [{ contender: 'mobula, 2 workers', against: 'mobula, 1 worker', atMost: 1 / 1.9 }],
    },
  ];
}
