/** Calls of one actor by one caller, and actors by the ten thousand. */
import { actorsMade, blockingCalls, calls, serialCalls } from '../contenders/actors.js';
import { postMessageEcho } from '../contenders/post-message.js';
import type { Plan } from '../harness/plan.js';
import {
  microseconds,
  milliseconds,
  thousandsPerSecond,
  type Workload,
} from '../harness/workload.js';

const outstanding = 1000;
/** Of actors, in milliseconds each: 10,000 in 2 s, and 100,000 in 20 s. */
const perActor = 0.2;

export function actorWorkloads({ quick }: Plan): Workload[] {
  const made = quick ? [10_000] : [10_000, 100_000];
  return [
    {
      name: `calls of an actor, ${outstanding} outstanding`,
      unit: thousandsPerSecond,
      statistic: 'mean',
      minOperations: 10 * outstanding,
      contenders: [
        { name: 'mobula, shared', start: () => calls('shared', outstanding) },
        { name: 'mobula, thread', start: () => calls('thread', outstanding) },
        { name: 'mobula, process', start: () => calls('process', outstanding) },
      ],
      bars: [{ contender: 'mobula, shared', atLeast: 500 }],
    },
    {
      name: 'call of an actor, one at a time',
      unit: microseconds,
      statistic: 'p50',
      contenders: [
        { name: 'mobula, shared', start: () => serialCalls('shared') },
        { name: 'mobula, process', start: () => serialCalls('process') },
        { name: 'postMessage', start: postMessageEcho },
      ],
      bars: [{ contender: 'mobula, shared', against: 'postMessage', atMost: 0.6 }],
    },
    {
      name: 'call of an actor, the driver blocked in getSync',
      unit: microseconds,
      statistic: 'mean',
      contenders: [{ name: 'mobula, shared', start: blockingCalls }],
      bars: [{ contender: 'mobula, shared', atMost: 12 }],
    },
    ...made.map((actors): Workload => ({
      name: `${actors} shared actors made and called`,
      unit: milliseconds,
      statistic: 'mean',
      maxOperations: 1,
      contenders: [{ name: 'mobula', start: () => actorsMade(actors) }],
      bars: [{ contender: 'mobula', atMost: actors * perActor }],
    })),
  ];
}
