import { ActorNotFoundError } from '../common/errors.js';
import {
  checkBoolean,
  checkKeys,
  checkObject,
  checkString,
  invalidType,
  outOfRange,
} from '../common/validate.js';
import type { ActorClient } from '../runtime/actors/actor-client.js';
import { clientOf, findActor } from '../runtime/actors/actor-handle.js';
import { requireContext } from '../runtime/context.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';
import type { ActorHandle } from './actor.js';

/** How `kill` ends an actor. */
export interface KillOptions {
  /** Start it anew, which counts as one of its `maxRestarts`. Default false: it ends for good. */
  restart?: boolean;
}

/** A handle to the living actor of that name. Throws ActorNotFoundError when there is none. */
export function getActor<C>(name: string): ActorHandle<C> {
  assertNotImporting('getActor()');
  checkString('name', name);
  if (name === '') throw outOfRange('name', 'not empty', name);
  const handle = findActor(requireContext().core, name);
  if (handle !== undefined) return handle as unknown as ActorHandle<C>;
  throw new ActorNotFoundError(`No actor named '${name}' lives in this runtime: make it first`);
}

/**
 * Ends the actor once the calls made so far are done, and after its `onStop()`. Calls made from now
 * on fail with ActorDiedError. An actor that stops itself does not wait for that.
 */
export function stop(handle: ActorHandle<object>): Promise<void> {
  assertNotImporting('stop()');
  return clientBehind(handle).stop();
}

/** Ends the actor now: calls that run or wait fail with ActorDiedError. `onStop()` does not run. */
export function kill(handle: ActorHandle<object>, options: KillOptions = {}): Promise<void> {
  assertNotImporting('kill()');
  const client = clientBehind(handle);
  checkObject('options', options);
  checkKeys('options', options, ['restart']);
  const { restart = false } = options;
  checkBoolean('options.restart', restart);
  return client.kill(restart);
}

function clientBehind(handle: unknown): ActorClient {
  const client = clientOf(handle);
  if (client === undefined) throw invalidType('handle', 'an ActorHandle', handle);
  return client;
}
