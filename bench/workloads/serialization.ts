/** Values of several kinds, copied once through the store or once by what Node offers. */
import { cloned, serialized, stringified, throughStore } from '../contenders/serializers.js';
import { microseconds, type Contender, type Workload } from '../harness/workload.js';

/** So many copies fit into the store until a turn of the event loop collects them. */
const maxOperations = 200;

export function serializationWorkloads(): Workload[] {
  return [
    ofPlainData('small object', record(1)),
    ofPlainData(
      '1000 records',
      Array.from({ length: 1000 }, (_, i) => record(i)),
    ),
    ofPlainData('string of 1 MB', 'mobula, '.repeat(125_000)),
    ofAnyData('Map of 1000 dates', new Map(entries(1000, (i) => new Date(i)))),
    ofAnyData(
      '10 Float64Arrays of 100 kB',
      Object.fromEntries(entries(10, (i) => new Float64Array(12_500).fill(i))),
    ),
  ];
}

function ofAnyData(name: string, value: unknown): Workload {
  return {
    name,
    unit: microseconds,
    statistic: 'mean',
    maxOperations,
    contenders: [
      { name: 'mobula, put and get', start: () => throughStore(value) },
      { name: 'structuredClone', start: () => cloned(value) },
      { name: 'v8 serialize, deserialize', start: () => serialized(value) },
    ],
  };
}

function ofPlainData(name: string, value: unknown): Workload {
  const workload = ofAnyData(name, value);
  const json: Contender = { name: 'JSON', start: () => stringified(value) };
  return { ...workload, contenders: [...workload.contenders, json] };
}

function entries<Value>(length: number, valueOf: (index: number) => Value): [string, Value][] {
  return Array.from({ length }, (_, index) => [`key ${index}`, valueOf(index)]);
}

function record(id: number) {
  return {
    id,
    name: `record ${id}`,
    price: id * 1.25,
    isOpen: id % 2 === 0,
    tags: ['a', 'bc', 'def'],
    place: { city: 'Lisbon', country: 'PT', at: [38.72, -9.14] },
    note: null,
  };
}
