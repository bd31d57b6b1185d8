/** ObjectRefs by the thousand. */
import {
  getOfObjects,
  getOfRefs,
  putAndDrop,
  taskWithRefs,
  waitOfTasks,
  waitOneByOne,
} from '../contenders/objects.js';
import { microseconds, milliseconds, type Subject, type Workload } from '../harness/workload.js';

const many = 10_000;
const waits = 1000;

export function objectWorkloads(): Workload[] {
  return [
    {
      name: 'small put, its ref dropped',
      unit: microseconds,
      statistic: 'mean',
      contenders: [{ name: 'mobula', start: putAndDrop }],
    },
    inMilliseconds(`task with ${many} refs as arguments`, () => taskWithRefs(many), 50),
    inMilliseconds(`get of ${many} objects`, () => getOfObjects(many), 50),
    inMilliseconds(`get of an object that contains ${many} refs`, () => getOfRefs(many)),
    inMilliseconds(`wait for ${waits} tasks`, () => waitOfTasks(waits)),
    inMilliseconds(`${waits} waits for one of what is left of ${waits}`, () => waitOneByOne(waits)),
  ];
}

function inMilliseconds(name: string, start: () => Subject, atMost?: number): Workload {
  return {
    name,
    unit: milliseconds,
    statistic: 'mean',
    contenders: [{ name: 'mobula', start }],
    bars: atMost === undefined ? [] : [{ contender: 'mobula', atMost }],
  };
}
