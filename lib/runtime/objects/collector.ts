import { setImmediate, setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collections that are asked for take no more than a third of the time, */
const restFactor = 2;
/** and those that only keep memory from growing no more than a fifth. */
const longRestFactor = 4;
/** V8 runs one finalization registry's callbacks a turn. */
const finalizerTurns = 4;

let gc: ((options?: { type: 'minor' }) => void) | undefined;

/**
 * Garbage collections of this thread on behalf of the store: V8 does not feel the shared memory
 * that garbage holds. Views end at once, the finalizers of refs run in turns of the event loop to
 * come. Only full collections do either: refs and views have outlived minor ones when the store is
 * full.
 */
export class Collector {
  #endedAt = -Infinity;
  #took = 0;
  readonly #hasCollected: () => void;
  #relief: Promise<void> | undefined;

  constructor(hasCollected: () => void) {
    this.#hasCollected = hasCollected;
  }

  /** Settles after the collection that is due, and the finalizers of what it finds. */
  get relief(): Promise<void> | undefined {
    return this.#relief;
  }

  /** It has collected so recently that the next collection is not due yet. */
  get rests(): boolean {
    return performance.now() < this.#restsUntil;
  }

  get #restsUntil(): number {
    return this.#endedAt + restFactor * this.#took;
  }

  /** Collects in a turn to come: once, however often it is asked for. */
  request(): void {
    this.#relief ??= this.#relieve();
  }

  /** Does what {@link request} does, unless the last collection was long and not long ago. */
  suggest(): void {
    if (performance.now() >= this.#endedAt + longRestFactor * this.#took) this.request();
  }

  async #relieve(): Promise<void> {
    const rest = this.#restsUntil - performance.now();
    await (rest > 0 ? setTimeout(rest) : setImmediate());
    this.#collect();
    for (let turn = 0; turn < finalizerTurns; turn++) await setImmediate();
    this.#relief = undefined;
  }

  /** Collects at once; false when it has just done so. */
  now(): boolean {
    if (this.rests) return false;
    this.#collect();
    return true;
  }

  #collect(): void {
    const start = performance.now();
    collectGarbage();
    this.#endedAt = performance.now();
    this.#took = this.#endedAt - start;
    this.#hasCollected();
  }
}

/**
 * A full collection of this thread's garbage, here and now. V8 gives the memory of buffers back
 * beside the thread, but has done so before it collects again: so a minor collection, of some tenths
 * of a millisecond, follows.
 */
export function collectGarbage(): void {
  gc ??= findGc();
  gc();
  gc({ type: 'minor' });
}

/** Contexts that are made after the flag is set have the function. */
function findGc(): NonNullable<typeof gc> {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as NonNullable<typeof gc>;
}
