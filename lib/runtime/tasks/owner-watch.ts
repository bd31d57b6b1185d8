import { native } from '../../store/binding.js';
import type { Core } from '../core.js';
import type { RunningTask } from './running-task.js';

const watchMs = 500;

/** Looks now and then whether the owners of what a worker has been sent are there. */
export class OwnerWatch {
  readonly #core: Core;
  readonly #tasks: () => Iterable<RunningTask>;
  readonly #ownerEnded: (task: RunningTask) => void;
  #interval: NodeJS.Timeout | undefined;

  /** `ownerEnded` is called, maybe more than once, for those of `tasks` whose owner has ended. */
  constructor(
    core: Core,
    tasks: () => Iterable<RunningTask>,
    ownerEnded: (task: RunningTask) => void,
  ) {
    this.#core = core;
    this.#tasks = tasks;
    this.#ownerEnded = ownerEnded;
  }

  /** Idempotent. */
  start(): void {
    this.#interval ??= setInterval(() => this.#look(), watchMs).unref();
  }

  stop(): void {
    clearInterval(this.#interval);
  }

  #look(): void {
    for (const task of [...this.#tasks()]) {
      const { sender, senderUid } = task.incoming;
      if (!native.peerIsLive(this.#core.peer.handle, sender, senderUid)) this.#ownerEnded(task);
    }
  }
}
