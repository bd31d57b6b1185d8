import {
  checkBoolean,
  checkDuration,
  checkInteger,
  checkKeys,
  checkObject,
  checkOneOf,
  checkString,
  checkTimes,
  outOfRange,
} from '../common/validate.js';
import { ActorInfo } from '../runtime/actors/actor-info.js';
import type { CheckedActorOptions } from '../runtime/actors/actor-options.js';
import type { AnyClass, Declaration } from '../runtime/tasks/functions.js';
import type { Demand } from '../runtime/tasks/shapes.js';
import type { Concurrency } from '../runtime/tasks/task-spec.js';
import { checkDemand } from './demand.js';

/** How an actor lives. Durations are milliseconds, or strings such as `'250ms'` and `'5s'`. */
export interface ActorOptions {
  /** Under which `getActor` finds it; default none. */
  name?: string;
  /** Take the actor of that name if there is one. Default false: that is an error. */
  getIfExists?: boolean;
  /** `'detached'`: it outlives its handles and ends by `stop`, `kill` or with the runtime. */
  lifetime?: 'detached';
  /**
   * Where the actor lives: with others on a host thread (`'shared'`, the default), or in a thread
   * or process of its own.
   */
  isolation?: 'shared' | 'thread' | 'process';
  /** What it holds for life; default 0. Fractions are fine. */
  cpus?: number;
  /** Default 0. */
  gpus?: number;
  /** Amounts of what `init()` was given as `resources`. */
  resources?: Record<string, number>;
  /** How often it is made anew after its worker has ended; default 0, -1: endlessly. */
  maxRestarts?: number;
  /** Before it is made anew; default 0. */
  restartDelay?: number | string;
  /**
   * How often a call is sent again that was under way when the worker ended; default 0, -1:
   * endlessly.
   */
  maxTaskRetries?: number;
  /** How many calls a thread may have unanswered; one more throws. Default any number. */
  maxPendingCalls?: number;
  /** How many calls of async and generator methods may overlap; default 1. */
  maxConcurrency?: number;
  /** Names of groups of calls, and how many of each group may overlap. */
  concurrencyGroups?: Record<string, number>;
}

const known: readonly (keyof ActorOptions)[] = [
  'name',
  'getIfExists',
  'lifetime',
  'isolation',
  'cpus',
  'gpus',
  'resources',
  'maxRestarts',
  'restartDelay',
  'maxTaskRetries',
  'maxPendingCalls',
  'maxConcurrency',
  'concurrencyGroups',
];
const nothing: Demand = { cpus: 0, gpus: 0, resources: {} };

export function checkActorOptions(
  declaration: Declaration<AnyClass>,
  options: ActorOptions,
): CheckedActorOptions {
  checkObject('options', options);
  checkKeys('options', options, known);
  const { name, getIfExists = false, lifetime, isolation = 'shared' } = options;
  const { maxPendingCalls, maxConcurrency = 1, concurrencyGroups = {} } = options;
  if (name !== undefined) checkName(name);
  checkBoolean('options.getIfExists', getIfExists);
  if (getIfExists && name === undefined) {
    throw new TypeError('options.getIfExists needs options.name: actors are found by their names');
  }
  if (lifetime !== undefined) checkOneOf('options.lifetime', lifetime, ['detached']);
  if (maxPendingCalls !== undefined) checkInteger('options.maxPendingCalls', maxPendingCalls, 1);
  checkInteger('options.maxConcurrency', maxConcurrency, 1);
  checkGroups(concurrencyGroups);
  return {
    name,
    getIfExists,
    isDetached: lifetime === 'detached',
    isolation: checkOneOf('options.isolation', isolation, ['shared', 'thread', 'process']),
    demand: checkDemand(options, nothing),
    maxRestarts: checkTimes('options.maxRestarts', options.maxRestarts ?? 0),
    restartDelay: checkDuration('options.restartDelay', options.restartDelay ?? 0),
    concurrency: concurrencyOf(maxConcurrency, concurrencyGroups),
    info: ActorInfo.of(declaration, {
      maxPendingCalls: maxPendingCalls ?? Infinity,
      maxTaskRetries: checkTimes('options.maxTaskRetries', options.maxTaskRetries ?? 0),
      groups: Object.keys(concurrencyGroups),
    }),
  };
}

function checkName(name: unknown): void {
  checkString('options.name', name);
  if (name === '') throw outOfRange('options.name', 'not empty', name);
}

function concurrencyOf(max: number, groups: Record<string, number>): Concurrency | undefined {
  const isUsual = max === 1 && Object.keys(groups).length === 0;
  return isUsual ? undefined : { max, groups: { ...groups } };
}

function checkGroups(groups: unknown): void {
  checkObject('options.concurrencyGroups', groups);
  for (const [name, limit] of Object.entries(groups)) {
    if (name === '')
      throw outOfRange('options.concurrencyGroups', 'names that are not empty', name);
    checkInteger(`options.concurrencyGroups.${name}`, limit, 1);
  }
}
