import type { ActorDiedError } from '../../common/errors.js';
import type { Core } from '../core.js';
import { actorDied } from '../tasks/answers.js';
import { preferErrorsOf } from '../tasks/error-classes.js';
import type { Death } from './actor-control.js';

/**
 * What callers of an actor that has ended get. `module` declares its class, and maybe the cause's.
 */
export function deathError(
  { codec }: Core,
  module: string,
  { cause, name, reason }: Death,
): ActorDiedError {
  if (cause === undefined) return actorDied(name, reason);
  return actorDied(
    name,
    reason,
    decoded(() => preferErrorsOf(module, () => codec.decode(cause))),
  );
}

/** An error that cannot be read, for lack of its class, gives way to the one that says so. */
function decoded(decode: () => unknown): unknown {
  try {
    return decode();
  } catch (error) {
    return error;
  }
}
