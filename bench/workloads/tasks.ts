/** Tasks with one worker, beside piscina and what Node itself offers. */
import { piscinaArray, piscinaNoop } from '../contenders/piscina.js';
import { postMessageEcho } from '../contenders/post-message.js';
import {
  arrayByRef,
  blockingNoopTasks,
  cpuBoundTasks,
  drainedTasks,
  getOfObjects,
  noopTasks,
  serialNoopTasks,
  taskWithRefs,
} from '../contenders/tasks.js';
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
  const many = 10_000;
  const inMicroseconds = { unit: microseconds, statistic: 'p50' } as const;
  const inMilliseconds = { unit: milliseconds, statistic: 'mean' } as const;
  return [
    {
      name: `no-op tasks, ${outstanding} outstanding`,
      unit: thousandsPerSecond,
      statistic: 'mean',
      minOperations: 10 * outstanding,
      contenders: [
        { name: 'mobula, thread worker', start: () => noopTasks('thread', outstanding) },
        { name: 'mobula, process worker', start: () => noopTasks('process', outstanding) },
        { name: 'piscina', isPeer: true, start: () => piscinaNoop(outstanding) },
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
        { name: 'mobula, thread worker', start: () => serialNoopTasks('thread') },
        { name: 'mobula, process worker', start: () => serialNoopTasks('process') },
        { name: 'piscina', isPeer: true, start: () => piscinaNoop(1) },
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
        { name: 'mobula, by ref', start: () => arrayByRef(arrayLength) },
        { name: 'mobula, no array', start: () => serialNoopTasks('thread') },
        { name: 'piscina, copied', isPeer: true, start: () => piscinaArray(arrayLength) },
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
      name: `task with ${many} refs as arguments`,
      ...inMilliseconds,
      contenders: [{ name: 'mobula', start: () => taskWithRefs(many) }],
      bars: [{ contender: 'mobula', atMost: 50 }],
    },
    {
      name: `get of ${many} objects`,
      ...inMilliseconds,
      contenders: [{ name: 'mobula', start: () => getOfObjects(many) }],
      bars: [{ contender: 'mobula', atMost: 50 }],
    },
    {
      name: 'CPU-bound tasks of some milliseconds',
      ...inMilliseconds,
      contenders: [
        { name: 'mobula, 2 workers', start: () => cpuBoundTasks(2) },
        { name: 'mobula, 1 worker', start: () => cpuBoundTasks(1) },
      ],
      bars: [{ contender: 'mobula, 2 workers', against: 'mobula, 1 worker', atMost: 1 / 1.9 }],
    },
  ];
}
