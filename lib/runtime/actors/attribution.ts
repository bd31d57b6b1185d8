import type { AnyFunction } from '../tasks/functions.js';
import {
  callAs,
  currentTask,
  runAsynchronously,
  runSynchronously,
  type RunningTask,
} from '../tasks/running-task.js';

/**
 * To which actor of a thread the code belongs that runs. While the thread has only ever had one,
 * all code is that actor's; from the second on AsyncLocalStorage goes along with every call, at the
 * price of {@link callAs} for all of them.
 */
export class Attribution {
  #first: string | undefined;
  #hasOthers = false;

  /** An actor has come; it may have been here before. */
  add(actorId: string): void {
    this.#first ??= actorId;
    this.#hasOthers ||= actorId !== this.#first;
  }

  /** Calls a method as part of a call. */
  call(task: RunningTask, method: AnyFunction, call: () => unknown): unknown {
    return this.#hasOthers ? runAsynchronously(task, call) : callAs(task, method, call);
  }

  /** Calls a constructor as part of a call. */
  create<T>(task: RunningTask, create: () => T): T {
    return this.#hasOthers ? runAsynchronously(task, create) : runSynchronously(task, create);
  }

  /**
   * In a handler of `unhandledRejection` or `uncaughtException`: the actor whose code is to blame.
   * Code that no call is known for is the first actor's, or that of a module.
   */
  get culprit(): string | undefined {
    return currentTask()?.actorId ?? this.#first;
  }
}
