import { sizeOf } from '../../common/sizes.js';
import { native } from '../../store/binding.js';
import { statsOf } from '../../store/object-info.js';
import type { Core } from '../core.js';
import { listMemory, storedMemory } from '../objects/memory.js';
import { Growth } from './growth.js';

const periodMs = 30_000;
/** How long a collection that was asked for may take. */
const collectionMs = 1000;
/** Samples take no more than a hundredth of the time. */
const restFactor = 100;
/** The store is looked into only when more than this part of it is in use. */
const leastShare = 0.5;
/** So many places are named. */
const mostNamed = 3;

/** Warns once, of a runtime, when what refs hold in its store only grows. */
export class LeakWatch {
  readonly #core: Core;
  readonly #memory: number;
  readonly #growth: Growth;

  constructor(core: Core) {
    this.#core = core;
    this.#memory = statsOf(native.storeStats(core.store)).memory;
    this.#growth = new Growth(this.#memory);
  }

  /** Samples from now on, until the core is closed. */
  start(): void {
    this.#core.timers.start(periodMs, () => this.#look());
  }

  #look(): void {
    const { usedBytes } = statsOf(native.storeStats(this.#core.store));
    if (usedBytes < leastShare * this.#memory) {
      this.start();
      return;
    }
    native.storeAskToCollect(this.#core.store);
    this.#core.timers.start(collectionMs, () => {
      const begin = performance.now();
      this.sample();
      if (this.#growth.hasTold) return;
      const tookMs = performance.now() - begin;
      this.#core.timers.start(Math.max(periodMs, restFactor * tookMs), () => this.#look());
    });
  }

  /** Looks how much refs hold, garbage being collected. */
  sample(): void {
    const objects = storedMemory(this.#core);
    const bytes = objects.reduce((sum, { size }) => sum + size, 0);
    if (this.#growth.isProvenBy(bytes)) this.#warn(bytes, objects.length);
  }

  #warn(bytes: number, count: number): void {
    process.emitWarning(
      `Refs hold ever more of the store, and gave nothing back for a good while: ` +
        `${sizeOf(bytes)} of ${sizeOf(this.#memory)}, in ${count} objects. Let go of refs that are ` +
        `not needed any more, or free() them; memory() lists them. ${this.#holders()}`,
      { type: 'MobulaWarning', code: 'MOBULA_REFS_GROW' },
    );
  }

  #holders(): string {
    if (this.#core.callSites === undefined) {
      return 'init({ trackCallSites: true }) says where they were made';
    }
    const held = new Map<string, number>();
    for (const { callSite = 'unknown places', size } of listMemory(this.#core)) {
      held.set(callSite, (held.get(callSite) ?? 0) + size);
    }
    const largest = [...held].sort(([, a], [, b]) => b - a).slice(0, mostNamed);
    const parts = largest.map(([site, bytes]) => `${sizeOf(bytes)} at ${site}`);
    return `Most of them were made here: ${parts.join('; ')}`;
  }
}
