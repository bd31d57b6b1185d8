import { getHeapStatistics } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { ownBytesOf } from '../memory-watch/process-memory.js';
import { collectGarbage } from '../objects/collector.js';

/** How often a worker measures itself at most. */
export const lookMs = 250;
/** Looks take no more than a tenth of the time. */
const restFactor = 9;

export interface MemoryProbe {
  /** Bytes that this worker has for itself. */
  measure(): number;
  collect(): void;
  /** Milliseconds. */
  now(): number;
}

/**
 * Of a process, what is its own. The other threads of a thread's process cannot be told apart from
 * it: of it there is its heap, and what that holds outside.
 */
export const ownMemory: MemoryProbe = {
  measure: isMainThread ? () => ownBytesOf(process.pid) ?? 0 : heapBytes,
  // The second one waits for the sweeping of the first, which gives the memory back.
  collect() {
    collectGarbage();
    collectGarbage();
  },
  now: () => performance.now(),
};

function heapBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

/** Whether a worker has more memory than it should, once its garbage has been collected. */
export class MemoryLimit {
  readonly #limit: number;
  readonly #probe: MemoryProbe;
  #nextLook = 0;

  constructor(limit: number, probe: MemoryProbe = ownMemory) {
    this.#limit = limit;
    this.#probe = probe;
  }

  /** `unknown`: too soon to tell. */
  look(): 'below' | 'above' | 'unknown' {
    const start = this.#probe.now();
    if (start < this.#nextLook) return 'unknown';
    const isAbove = this.#isAbove() && this.#isAboveAfterCollection();
    const end = this.#probe.now();
    this.#nextLook = end + Math.max(lookMs, restFactor * (end - start));
    return isAbove ? 'above' : 'below';
  }

  #isAbove(): boolean {
    return this.#probe.measure() > this.#limit;
  }

  #isAboveAfterCollection(): boolean {
    this.#probe.collect();
    return this.#isAbove();
  }
}
