/** Real work by 1 to N workers: the flights example, from workers not yet started to its findings. */
import { availableParallelism } from 'node:os';
import { flightsAnalysis } from '../contenders/flights.js';
import { milliseconds, type Contender, type Workload } from '../harness/workload.js';

const maxWorkers = 16;

export function scalingWorkloads(): Workload[] {
  const cores = Math.min(availableParallelism(), maxWorkers);
  const counts = Array.from({ length: cores }, (_, index) => index + 1);
  return [
    {
      name: 'analysis of three million flights',
      unit: milliseconds,
      statistic: 'mean',
      contenders: [
        { name: 'one thread, no workers', start: () => flightsAnalysis(0, 'thread') },
        ...counts.map((workers) => contender(workers, 'thread')),
        ...counts.map((workers) => contender(workers, 'process')),
      ],
    },
  ];
}

function contender(workers: number, isolation: 'thread' | 'process'): Contender {
  return {
    name: `mobula, ${workers} ${isolation} ${workers === 1 ? 'worker' : 'workers'}`,
    workers,
    start: () => flightsAnalysis(workers, isolation),
  };
}
