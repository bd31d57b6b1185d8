/** The object store alone, beside plain memory. */
import { coldCopy, warmCopy, warmFill } from '../contenders/memory.js';
import {
  coldPut,
  createFillSeal,
  evictingPut,
  firstGet,
  firstLargeGet,
  hotGet,
  smallPut,
  warmPut,
} from '../contenders/object-store.js';
import { contendedGets, contendedPuts, killedClient } from '../contenders/shared-store.js';
import type { Plan } from '../harness/plan.js';
import {
  gigabytesPerSecond,
  microseconds,
  milliseconds,
  thousandsPerSecond,
  type Contender,
  type Subject,
  type Workload,
} from '../harness/workload.js';

const blockBytes = 64e6;
const pins = 10_000;

/** Rates of all processes together. */
function byProcesses(start: (processes: number) => Subject): Contender[] {
  return [1, 2, 4].map((processes) => ({
    name: `mobula, ${processes} ${processes === 1 ? 'process' : 'processes'}`,
    start: () => start(processes),
  }));
}

export function storeWorkloads({ quick }: Plan): Workload[] {
  const largeBytes = quick ? 256e6 : 2 ** 30;
  const blockRate = { unit: gigabytesPerSecond(blockBytes), statistic: 'mean' } as const;
  const inMicroseconds = { unit: microseconds, statistic: 'mean' } as const;
  return [
    {
      name: 'hot small get and release',
      ...inMicroseconds,
      contenders: [{ name: 'mobula', start: hotGet }],
      bars: [{ contender: 'mobula', atMost: 0.3 }],
    },
    {
      name: 'first get and release, 64 B',
      ...inMicroseconds,
      maxOperations: 10_000,
      contenders: [{ name: 'mobula', start: firstGet }],
      bars: [{ contender: 'mobula', atMost: 1.5 }],
    },
    {
      name: `first get and release, ${quick ? '256 MB' : '1 GiB'}`,
      ...inMicroseconds,
      maxOperations: 1,
      contenders: [{ name: 'mobula', start: () => firstLargeGet(largeBytes) }],
      bars: [{ contender: 'mobula', atMost: 1.5 }],
    },
    {
      name: 'put, 64 B',
      ...inMicroseconds,
      maxOperations: 10_000,
      contenders: [{ name: 'mobula', start: smallPut }],
      bars: [{ contender: 'mobula', atMost: 1.5 }],
    },
    {
      name: 'put, 64 MB, into warm memory',
      ...blockRate,
      maxOperations: 1,
      contenders: [
        { name: 'mobula', start: () => warmPut(blockBytes) },
        { name: 'memcpy', start: () => warmCopy(blockBytes, ArrayBuffer) },
        { name: 'copy to SharedArrayBuffer', start: () => warmCopy(blockBytes, SharedArrayBuffer) },
      ],
      bars: [{ contender: 'mobula', against: 'memcpy', atLeast: 0.9 }],
    },
    {
      name: 'put, 64 MB, into cold memory',
      ...blockRate,
      maxOperations: 1,
      contenders: [
        { name: 'mobula', start: () => coldPut(blockBytes) },
        { name: 'memcpy', start: () => coldCopy(blockBytes) },
      ],
    },
    {
      name: 'create, fill and seal, 64 MB',
      ...blockRate,
      maxOperations: 1,
      contenders: [
        { name: 'mobula', start: () => createFillSeal(blockBytes) },
        { name: 'fill ArrayBuffer', start: () => warmFill(blockBytes, ArrayBuffer) },
        { name: 'fill SharedArrayBuffer', start: () => warmFill(blockBytes, SharedArrayBuffer) },
      ],
    },
    {
      name: 'put into a full store, 64 B, one eviction each',
      unit: thousandsPerSecond,
      statistic: 'mean',
      contenders: [{ name: 'mobula', start: evictingPut }],
    },
    {
      name: 'get and release of one object by several processes',
      unit: thousandsPerSecond,
      statistic: 'mean',
      contenders: byProcesses(contendedGets),
    },
    {
      name: 'put, 64 B, by several processes',
      unit: thousandsPerSecond,
      statistic: 'mean',
      maxOperations: 100_000,
      contenders: byProcesses(contendedPuts),
    },
    {
      name: `SIGKILL of a process with ${pins} pins, until all have come back`,
      unit: milliseconds,
      statistic: 'p50',
      maxOperations: 1,
      contenders: [{ name: 'mobula', start: () => killedClient(pins) }],
      bars: [{ contender: 'mobula', atMost: 1000 }],
    },
  ];
}
