/** Copies of values: through Mobula's store, and by what Node offers. */
import { deserialize, serialize } from 'node:v8';
import { init, put } from 'mobula';
import type { Subject } from '../harness/workload.js';
import { serial } from './submission.js';

/** One operation puts the value, gets it and drops the ref. */
export function throughStore(value: unknown): Subject {
  const runtime = init({ workers: 1, memory: '1GB' });
  const roundTrip = async () => {
    using ref = put(value);
    return await ref;
  };
  return { run: serial(roundTrip), stop: () => runtime.shutdown() };
}

export const cloned = (value: unknown): Subject => repeated(() => structuredClone(value));

export const serialized = (value: unknown): Subject =>
  repeated(() => deserialize(serialize(value)) as unknown);

export const stringified = (value: unknown): Subject =>
  repeated(() => JSON.parse(JSON.stringify(value)) as unknown);

function repeated(operation: () => unknown): Subject {
  return {
    run(count) {
      for (let i = 0; i < count; i++) operation();
    },
  };
}
