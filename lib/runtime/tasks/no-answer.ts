import { ActorUnavailableError, WorkerCrashedError } from '../../common/errors.js';
import { ActorState, native } from '../../store/binding.js';
import { Op } from '../../transport/wire.js';
import { deathError } from '../actors/death-error.js';
import type { Core } from '../core.js';
import { actorDied } from './answers.js';
import type { Route } from './request.js';

type Listener = (error: Error) => void;

/**
 * Why there is no answer to a request that has come back, and will not be sent again: what has
 * `ended`, if that is known, was at it. Calls back at once, or a little later, when the reason is
 * known.
 */
export function whyNoAnswer(
  core: Core,
  route: Route,
  ended: number | undefined,
  listener: Listener,
): void {
  if (route.destination.op === Op.submit) {
    reasonOf(core, ended, (why) => listener(crashed(route.what, why)));
    return;
  }
  const { target: index, detail: generation } = route.destination;
  if (native.peerActorState(core.peer.handle, index, generation) !== ActorState.ended) {
    reasonOf(core, ended, (why) => listener(interrupted(route.what, why)));
    return;
  }
  core.actors.whyEnded({ index, generation }, (death) => {
    const { module } = route.declaration;
    const isKnown = death !== undefined;
    listener(
      isKnown ? deathError(core, module, death) : actorDied(route.what, 'it had ended before'),
    );
  });
}

function reasonOf(core: Core, ended: number | undefined, listener: (why: string) => void): void {
  const tell = (reason?: string) => listener(reason === undefined ? '' : `: ${reason}`);
  if (ended === undefined) tell();
  else core.ends.reasonOf(ended, tell);
}

function crashed(what: string, why: string): WorkerCrashedError {
  return new WorkerCrashedError(`The worker that ran ${what} died${why}; no retries are left`);
}

function interrupted(what: string, why: string): ActorUnavailableError {
  return new ActorUnavailableError(
    `${what} may have begun when its actor was interrupted${why}; the actor starts anew. ` +
      'Calls that may run again say so by maxTaskRetries or the option retries',
  );
}
