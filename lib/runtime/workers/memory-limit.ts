import { getHeapStatistics } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { ownBytesOf } from '../memory-watch/process-memory.js';
import { collectGarbage } from '../objects/collector.js';

/** How often a worker measures itself at most. */
export const lookMs = 250;

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
  collect: collectGarbage,
  now: () => performance.now(),
};

function heapBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

/** Whether a worker has more memory than it should: twice in a row, with a garbage collection between. */
export class MemoryLimit {
  readonly #limit: number;
  readonly #probe: MemoryProbe;
  #nextLook = 0;
  #isSuspect = false;

  constructor(limit: number, probe: MemoryProbe = ownMemory) {
    this.#limit = limit;
    this.#probe = probe;
  }

  /** `unknown`: too soon to tell. */
  look(): 'below' | 'above' | 'unknown' {
    const now = this.#probe.now();
    if (now < this.#nextLook) return 'unknown';
    this.#nextLook = now + lookMs;
    if (this.#probe.measure() <= this.#limit) {
      this.#isSuspect = false;
      return 'below';
    }
    if (this.#isSuspect) return 'above';
    this.#isSuspect = true;
    this.#probe.collect();
    return 'unknown';
  }
}
