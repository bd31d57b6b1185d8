import { native } from '../../store/binding.js';
import { RunQueue } from '../../transport/wire.js';
import type { WorkerIsolation } from '../context.js';
import type { Core } from '../core.js';

/** What a task holds while it runs. */
export interface Demand {
  readonly cpus: number;
  readonly gpus: number;
  readonly resources: Readonly<Record<string, number>>;
}

/** What tasks are submitted to: a shape for each kind of worker and each demand. */
export class Shapes {
  readonly #core: Core;
  readonly #known = {
    thread: new WeakMap<Demand, number>(),
    process: new WeakMap<Demand, number>(),
  };

  constructor(core: Core) {
    this.#core = core;
  }

  /** Throws UnschedulableError when the runtime can never meet the demand. */
  of(isolation: WorkerIsolation, demand: Demand): number {
    const known = this.#known[isolation].get(demand);
    if (known !== undefined) return known;
    const { cpus, gpus, resources } = demand;
    const custom = Object.entries(resources);
    const { handle } = this.#core.peer;
    const shape = native.peerShape(handle, RunQueue[isolation], cpus, gpus, custom);
    this.#known[isolation].set(demand, shape);
    return shape;
  }
}
