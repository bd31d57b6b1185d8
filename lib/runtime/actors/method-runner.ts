import type { Core } from '../core.js';
import { startClock } from '../tasks/clock.js';
import type { AnyFunction } from '../tasks/functions.js';
import type { Responder } from '../tasks/responder.js';
import type { RunningTask } from '../tasks/running-task.js';
import type { AnyGenerator } from '../tasks/stream-producer.js';
import { Streams } from '../tasks/streams.js';
import { isThenable } from '../tasks/thenable.js';
import type { Attribution } from './attribution.js';
import type { Call } from './call-queue.js';

export type Methods = Record<string, AnyFunction>;

/** A call holds what its actor does, and has nothing of its own to lend. */
const nothingToLend = { beginWait: () => undefined, endWait: () => undefined };

/** Runs methods of the actors of a worker, and answers for them. */
export class MethodRunner {
  readonly #core: Core;
  readonly #responder: Responder;
  readonly #attribution: Attribution;
  readonly streams: Streams;

  constructor(core: Core, responder: Responder, attribution: Attribution) {
    this.#core = core;
    this.#responder = responder;
    this.#attribution = attribution;
    this.streams = new Streams(responder, nothingToLend);
  }

  /** A promise, which never rejects, when the code goes on. `name` is the actor's. */
  run({ task, args }: Call, instance: Methods, name: string): Promise<void> | undefined {
    const method = args.shift() as string;
    if (task.terms.timeout !== undefined) {
      startClock(this.#core, task, `${name}.${method}`, (reason) => this.endEarly(task, reason));
    }
    let result: unknown;
    try {
      if (!isMethod(instance, method)) {
        throw new TypeError(`The actor ${name} has no method ${method}`);
      }
      const target = instance[method]!;
      result = this.#attribution.call(task, target, () => Reflect.apply(target, instance, args));
    } catch (error) {
      this.#thrown(task, error);
      return undefined;
    }
    if (task.terms.backpressure !== undefined) return this.#stream(task, result as AnyGenerator);
    if (!isThenable(result)) {
      this.#returned(task, result);
      return undefined;
    }
    return Promise.resolve(result).then(
      (value) => this.#returned(task, value),
      (error: unknown) => this.#thrown(task, error),
    );
  }

  async #stream(task: RunningTask, iterator: AnyGenerator): Promise<void> {
    try {
      const isAnswered = await this.streams.run(task, iterator);
      if (isAnswered) task.end();
      else this.#returned(task, undefined);
    } catch (error) {
      this.#thrown(task, error);
    }
  }

  #returned(task: RunningTask, value: unknown): void {
    if (task.end()) this.#responder.returned(task, value);
  }

  #thrown(task: RunningTask, error: unknown): void {
    if (task.end()) this.#responder.thrown(task.incoming, error);
  }

  /** Answers a call that has not been answered, and asks its code, if it runs, to end. */
  endEarly(task: RunningTask, reason: Error): void {
    if (!task.end()) return;
    this.#responder.failed(task.incoming, reason);
    task.abort(reason);
    this.#core.peer.schedule();
  }
}

function isMethod(instance: Methods, name: string): boolean {
  return name !== 'constructor' && typeof instance[name] === 'function';
}
