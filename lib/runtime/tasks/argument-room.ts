import { StoreFullError } from '../../common/errors.js';
import { native } from '../../store/binding.js';
import { statsOf } from '../../store/object-info.js';
import type { Core } from '../core.js';
import type { RunningTask } from './running-task.js';

interface Waiter {
  readonly task: RunningTask;
  readonly bytes: number;
  readonly go: () => void;
}

/**
 * A worker's part in keeping the arguments of all running tasks within a share of the store: those
 * of its tasks that have to wait, in order.
 */
export class ArgumentRoom {
  readonly #core: Core;
  readonly #most: number;
  readonly #memory: number;
  readonly #waiters: Waiter[] = [];

  /** `most` bytes are for arguments. */
  constructor(core: Core, most: number) {
    this.#core = core;
    this.#most = most;
    this.#memory = statsOf(native.storeStats(core.store)).memory;
  }

  /** False when the task has to {@link wait}. Throws StoreFullError when that would be in vain. */
  hold(task: RunningTask, bytes: number): boolean {
    if (bytes === 0) return true;
    if (bytes > this.#memory) throw new StoreFullError(neverFits(bytes, this.#memory));
    return this.#waiters.length === 0 && this.#attempt(task, bytes);
  }

  /** Calls `go` in turn, within a {@link retry}: once there is room, or the task has ended. */
  wait(task: RunningTask, bytes: number, go: () => void): void {
    this.#waiters.push({ task, bytes, go });
  }

  /** To be called whenever this thread was rung. */
  retry(): void {
    while (this.#waiters.length > 0 && this.#core.peer.isOpen) {
      const { task, bytes, go } = this.#waiters[0]!;
      if (!task.ended && !this.#attempt(task, bytes)) return;
      this.#waiters.shift();
      go();
    }
  }

  #attempt({ incoming }: RunningTask, bytes: number): boolean {
    const { peer } = this.#core;
    return native.peerHoldArguments(peer.handle, incoming.handle, bytes, this.#most);
  }
}

function neverFits(bytes: number, memory: number): string {
  return (
    `the arguments of the task take ${bytes} bytes, and the store has ${memory}: raise \`memory\`, ` +
    'or pass the refs in an array and get one after the other'
  );
}
