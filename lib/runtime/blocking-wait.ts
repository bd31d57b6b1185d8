import type { Core } from './core.js';
import type { Reference } from './objects/object-ref.js';

/** How long a blocked thread does not look whether it is being ended. */
const sliceMs = 50;
/** As {@link sliceMs}, while it waits for an object that wakes event loops only. */
const borrowedSliceMs = 1;

/**
 * Blocks this thread until all have values, one of them has failed, or the time is up. Meanwhile a
 * worker's task lends its slot, the driver goes on to look after its workers, and nothing else that
 * arrives is begun.
 */
export function waitBlocked(core: Core, references: readonly Reference[], timeout: number): void {
  if (!mustWait(references)) return;
  const deadline = performance.now() + timeout;
  const endWait = core.values.wait();
  core.blocked++;
  core.onBlocked(1);
  try {
    let left = timeout;
    do {
      waitSlice(core, references, left);
      left = deadline - performance.now();
    } while (left > 0 && mustWait(references));
  } finally {
    core.onBlocked(-1);
    endWait();
    core.blocked--;
    core.peer.schedule();
  }
}

function mustWait(references: readonly Reference[]): boolean {
  let isPending = false;
  for (const { slot } of references) {
    if (slot.state === 'failed') return false;
    isPending ||= slot.state === 'pending';
  }
  return isPending;
}

function waitSlice(core: Core, references: readonly Reference[], left: number): void {
  const isBorrowed = references.some((reference) => core.references.isWatched(reference));
  core.peer.waitBlocked(Math.max(0, Math.min(left, isBorrowed ? borrowedSliceMs : sliceMs)));
  core.references.settleWatched();
  core.timers.runDue();
  core.ends.expire();
  core.onSlice();
}
