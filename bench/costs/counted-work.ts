/** The functions and the actor whose calls are counted, and what tells of their worker. */
import { getHeapStatistics } from 'node:v8';
import { actor, remote } from 'mobula';

/** Of the thread that asks. */
export type Meter = () => number;

export const heapMeter: Meter = () => getHeapStatistics().used_heap_size;

/** From the first call on its thread counts. */
const crossingMeter = async () => (await import('./crossings.js')).crossings();

class CounterClass {
  #count = 0;

  increment(): number {
    return ++this.#count;
  }

  heap(): number {
    return heapMeter();
  }

  crossings(): Promise<number> {
    return crossingMeter();
  }
}

export const Counter = actor(CounterClass);
export const noop = remote(function noop() {
  return;
});
export const heapOfWorker = remote(function heapOfWorker() {
  return heapMeter();
});
export const crossingsOfWorker = remote(function crossingsOfWorker() {
  return crossingMeter();
});
