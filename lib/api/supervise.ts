import {
  checkDuration,
  checkInteger,
  checkKeys,
  checkObject,
  checkOneOf,
  invalidType,
} from '../common/validate.js';
import { MobulaError } from '../common/errors.js';
import { ActorHandle } from '../runtime/actors/actor-handle.js';
import { superviseActor } from '../runtime/actors/supervised-actor.js';
import { strategies, Supervision, type Strategy } from '../runtime/actors/supervision.js';
import type { SupervisedChild } from '../runtime/actors/supervision.js';
import { requireContext } from '../runtime/context.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';

/** How often children may go down before their supervisor gives up. */
export interface SuperviseOptions {
  /** So many restarts are allowed within the window; one more ends all children. */
  maxRestarts: number;
  /** The window: milliseconds, or as `'5s'`. */
  within: number | string;
}

/** Restarts its children when they go down. A supervisor can be a child too. */
export interface Supervisor {
  /** Ends the children, the last one first. Idempotent. */
  stop(): Promise<void>;
  /**
   * Resolves when it has been stopped, by itself, with its parent or with the runtime. Rejects with
   * an ActorDiedError when its children went down too often and it has no parent.
   */
  readonly done: Promise<void>;
}

let supervisionOf: (supervisor: ActorSupervisor) => Supervision;

class ActorSupervisor implements Supervisor {
  readonly #supervision: Supervision;
  #isObserved = false;

  constructor(supervision: Supervision) {
    this.#supervision = supervision;
    supervision.done.catch((error: unknown) => {
      if (!this.#isObserved) reportUnobserved(error as Error);
    });
  }

  static {
    supervisionOf = (supervisor) => supervisor.#supervision;
  }

  get done(): Promise<void> {
    this.#isObserved = true;
    return this.#supervision.done;
  }

  stop(): Promise<void> {
    return this.#supervision.stop();
  }

  toString(): string {
    return `Supervisor(${this.#supervision.name})`;
  }
}

function reportUnobserved({ message }: Error): void {
  process.emitWarning(`Nobody has looked at the end of a supervisor: ${message}`, {
    type: 'UnobservedFailure',
    code: 'MOBULA_UNOBSERVED',
  });
}

/** Ids of actors, and supervisors, that have a supervisor which is not done. */
const supervised = new Set<string | Supervision>();

/**
 * Looks after actors: when one goes down, it is started anew with the arguments of its
 * construction, and so are, by the strategy, no others, all others or those after it in the list,
 * which are ended before. What they had as state is gone. An actor under a supervisor is restarted
 * by it, not by its `maxRestarts`; each has one supervisor at most.
 */
export function supervise(
  strategy: Strategy,
  children: readonly ({ readonly actorId: string } | Supervisor)[],
  options: SuperviseOptions,
): Supervisor {
  assertNotImporting('supervise()');
  checkOneOf('strategy', strategy, strategies);
  const given: unknown = children;
  if (!Array.isArray(given)) throw invalidType('children', 'an array', given);
  const intensity = checkIntensity(options);
  const keys = given.map((child: unknown, index) => keyOf(`children[${index}]`, child));
  checkFree(keys);
  const supervision = new Supervision(strategy, children.map(toSupervised), intensity);
  for (const key of keys) supervised.add(key);
  const end = () => supervision.retire();
  const { onEnd } = requireContext().core;
  onEnd.add(end);
  const forget = () => {
    onEnd.delete(end);
    keys.forEach((key) => supervised.delete(key));
  };
  supervision.done.then(forget, forget);
  return new ActorSupervisor(supervision);
}

function checkIntensity(options: SuperviseOptions) {
  checkObject('options', options);
  checkKeys('options', options, ['maxRestarts', 'within']);
  return {
    maxRestarts: checkInteger('options.maxRestarts', options.maxRestarts, 0),
    within: checkDuration('options.within', options.within),
  };
}

function keyOf(name: string, child: unknown): string | Supervision {
  if (child instanceof ActorHandle) return child.actorId;
  if (child instanceof ActorSupervisor) return supervisionOf(child);
  throw invalidType(name, 'an actor handle or a Supervisor', child);
}

function checkFree(keys: readonly (string | Supervision)[]): void {
  keys.forEach((key, index) => {
    const name = `children[${index}]`;
    if (supervised.has(key) || keys.indexOf(key) !== index) {
      throw new MobulaError(
        'MOBULA_SUPERVISED',
        `${name} has a supervisor already: each child has one`,
      );
    }
    if (key instanceof Supervision && !key.isUp) {
      throw new MobulaError('MOBULA_SUPERVISED', `${name} is a supervisor that has ended`);
    }
  });
}

function toSupervised(child: object): SupervisedChild {
  return child instanceof ActorSupervisor
    ? supervisionOf(child)
    : superviseActor(child as ActorHandle);
}
