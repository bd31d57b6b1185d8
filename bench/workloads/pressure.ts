/** More data than memory: what spilling and reading back cost beside a file written and read. */
import { fileReads, fileWrites, restoredGets, spilledPuts } from '../contenders/pressure.js';
import type { Plan } from '../harness/plan.js';
import { gigabytesPerSecond, type Workload } from '../harness/workload.js';

const pieceBytes = 8e6;
const atATime = 4;

export function pressureWorkloads({ quick }: Plan): Workload[] {
  const pieces = quick ? 32 : 128;
  const row = {
    unit: gigabytesPerSecond(pieceBytes),
    statistic: 'mean',
    minOperations: pieces,
    maxOperations: pieces,
  } as const;
  return [
    {
      name: `put of ${pieces} x 8 MB through 64 MB`,
      ...row,
      contenders: [
        { name: 'mobula', start: () => spilledPuts(pieceBytes) },
        { name: 'a file', start: () => fileWrites(pieceBytes) },
      ],
      bars: [{ contender: 'mobula', against: 'a file', atLeast: 0.8 }],
    },
    {
      name: `get of ${pieces} x 8 MB from disk, through 64 MB`,
      ...row,
      contenders: [
        { name: 'mobula, one at a time', start: () => restoredGets(pieceBytes, 1) },
        { name: `mobula, ${atATime} at a time`, start: () => restoredGets(pieceBytes, atATime) },
        { name: 'a file', start: () => fileReads(pieceBytes) },
      ],
      bars: [{ contender: 'mobula, one at a time', against: 'a file', atLeast: 0.8 }],
    },
  ];
}
