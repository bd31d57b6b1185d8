import type { ActorIsolation } from '../context.js';
import type { Demand } from '../tasks/shapes.js';
import type { Concurrency } from '../tasks/task-spec.js';
import type { ActorInfo } from './actor-info.js';

/** What an actor is made with: the options of its user, checked and complete. */
export interface CheckedActorOptions {
  /** For `getActor`. */
  readonly name: string | undefined;
  /** Take the actor of that name if there is one. */
  readonly getIfExists: boolean;
  /** It outlives its handles. */
  readonly isDetached: boolean;
  readonly isolation: ActorIsolation;
  /** What it holds for life. */
  readonly demand: Demand;
  /** Infinity: endlessly. */
  readonly maxRestarts: number;
  /** Milliseconds. */
  readonly restartDelay: number;
  /** Undefined: one call at a time, and no groups. */
  readonly concurrency: Concurrency | undefined;
  readonly info: ActorInfo;
}
