import type { Core } from '../core.js';
import { outOfTime } from './answers.js';
import type { RunningTask } from './running-task.js';

/**
 * Watches over the time-out of a task or call whose code is about to run, until it ends: `end` is
 * called when its time is up. The driver's clock ends the worker if the code keeps this one from
 * running.
 */
export function startClock(
  core: Core,
  task: RunningTask,
  what: string,
  end: (reason: Error) => void,
): void {
  const timeout = task.terms.timeout!;
  const { sender, senderUid, sequence } = task.incoming;
  const { peer } = core;
  const address = { owner: { slot: sender, uid: senderUid }, sequence };
  const order = { worker: peer.address, task: address, within: timeout, timeout, what };
  core.toDriver({ type: 'enforce', ...order });
  peer.flush();
  const stop = core.timers.start(timeout, () => end(outOfTime(what, timeout)));
  task.stopClock = () => {
    stop();
    core.toDriver({ type: 'relax', worker: peer.address, task: address });
  };
}
