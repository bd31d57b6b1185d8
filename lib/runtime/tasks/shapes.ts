import { native } from '../../store/binding.js';
import { RunQueue } from '../../transport/wire.js';
import type { Core } from '../core.js';

/** What a task holds while it runs, or an actor as long as it lives. */
export interface Demand {
  readonly cpus: number;
  readonly gpus: number;
  readonly resources: Readonly<Record<string, number>>;
}

/** Who takes what stands in a shape: `actor` is the driver, for an actor. */
type Taker = keyof typeof RunQueue;

/** What tasks are submitted to: a shape for each kind of worker and each demand. */
export class Shapes {
  readonly #core: Core;
  readonly #known: Record<Taker, WeakMap<Demand, number>> = {
    thread: new WeakMap(),
    process: new WeakMap(),
    actor: new WeakMap(),
  };

  constructor(core: Core) {
    this.#core = core;
  }

  /** Throws UnschedulableError when the runtime can never meet the demand. */
  of(taker: Taker, demand: Demand): number {
    const known = this.#known[taker].get(demand);
    if (known !== undefined) return known;
    const { cpus, gpus, resources } = demand;
    const custom = Object.entries(resources);
    const { handle } = this.#core.peer;
    const shape = native.peerShape(handle, RunQueue[taker], cpus, gpus, custom);
    this.#known[taker].set(demand, shape);
    return shape;
  }
}

export function isNothing({ cpus, gpus, resources }: Demand): boolean {
  return cpus === 0 && gpus === 0 && Object.values(resources).every((amount) => amount === 0);
}

/** By name, without those of which nothing is asked for. */
export function amountsOf({ cpus, gpus, resources }: Demand): Record<string, number> {
  return { ...(cpus > 0 && { cpu: cpus }), ...(gpus > 0 && { gpu: gpus }), ...resources };
}
