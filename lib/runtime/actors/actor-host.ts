import { TaskCancelledError } from '../../common/errors.js';
import type { InboxRecord, PeerAddress } from '../../transport/peer.js';
import { actorDied } from '../tasks/answers.js';
import { readSpec, type ReceivedSpec } from '../tasks/arguments.js';
import type { Core } from '../core.js';
import { actorIdOf } from './actor-handle.js';
import { findDeclaration, type AnyClass } from '../tasks/functions.js';
import { loadDeclaration } from '../tasks/modules.js';
import { incomingOf, Responder } from '../tasks/responder.js';
import { callAs, runAsynchronously, RunningTask, runSynchronously } from '../tasks/running-task.js';
import { Flag, readAttempt, readFlags, readKey } from '../tasks/task-spec.js';
import { isThenable } from '../tasks/thenable.js';

interface Call {
  readonly task: RunningTask;
  readonly construct: boolean;
  readonly key: number;
  /** The method's name, then its arguments; of a construction the arguments only. */
  readonly read: () => ReceivedSpec;
}

type Methods = Record<string, (...args: unknown[]) => unknown>;

interface Hooks {
  onStart?(): unknown;
  onStop?(): unknown;
}

/**
 * An actor: an object and the calls that wait for it, run one after the other in the order in which
 * they arrived. The first call constructs it.
 */
class HostedActor {
  readonly generation: number;
  readonly #core: Core;
  readonly #responder: Responder;
  #name = '';
  #instance: Methods | undefined;
  /** Why there is no instance and never will be. */
  #death: Error | undefined;
  #calls: Call[] = [];
  #isStarted = false;
  readonly #running = new Set<RunningTask>();
  #busy = false;
  #active = 0;

  constructor(core: Core, responder: Responder, generation: number) {
    this.#core = core;
    this.#responder = responder;
    this.generation = generation;
  }

  /** A call of somebody who got the handle early may come before the construction. */
  add(call: Call): void {
    if (call.construct) this.#calls.unshift(call);
    else this.#calls.push(call);
  }

  /** Runs what it can now, and the rest as soon as it can. */
  run(): void {
    while (!this.#busy) {
      const next = this.#calls[0];
      if (next === undefined || !(this.#isStarted || next.construct)) return;
      this.#calls.shift();
      this.#isStarted = true;
      const result = this.#perform(next);
      if (result === undefined) continue;
      this.#busy = true;
      void result.then(() => {
        this.#busy = false;
        this.run();
      });
    }
  }

  async stop(): Promise<void> {
    await (this.#instance as Hooks | undefined)?.onStop?.();
  }

  /** Answers the call; a promise, which never rejects, when that takes time. */
  #perform(call: Call): Promise<void> | undefined {
    if (call.construct) return this.#construct(call);
    if (this.#death !== undefined) {
      this.#responder.failed(call.task.incoming, this.#death);
      return undefined;
    }
    return this.#invoke(call);
  }

  async #construct({ task, key, read }: Call): Promise<void> {
    const { incoming } = task;
    try {
      const { target, name } = findDeclaration(key) ?? (await loadDeclaration(this.#core, key));
      this.#name = name;
      const { terms, args } = read();
      task.terms = terms;
      const create = () => new (target as AnyClass)(...(args as never[]));
      const instance = runSynchronously(task, create);
      await runAsynchronously(task, () => (instance as Hooks).onStart?.());
      this.#instance = instance as Methods;
      this.#responder.value(incoming, undefined);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#death = actorDied(this.#name, `its constructor failed: ${why}`, error);
      this.#responder.failed(incoming, this.#death);
    }
  }

  #invoke({ task, read }: Call): Promise<void> | undefined {
    let method: string;
    let rest: unknown[];
    try {
      const { terms, args } = read();
      task.terms = terms;
      [method, ...rest] = args as [string, ...unknown[]];
    } catch (error) {
      this.#responder.failed(task.incoming, error);
      return undefined;
    }
    let result: unknown;
    this.#active++;
    this.#running.add(task);
    try {
      const instance = this.#instance!;
      if (!isMethod(instance, method)) {
        throw new TypeError(`The actor ${this.#name} has no method ${method}`);
      }
      result = callAs(task, instance[method]!, () => instance[method]!(...rest));
    } catch (error) {
      if (this.#end(task)) this.#responder.thrown(task.incoming, error);
      return undefined;
    } finally {
      this.#active--;
    }
    if (!isThenable(result)) {
      if (this.#end(task)) this.#responder.value(task.incoming, result);
      return undefined;
    }
    this.#active++;
    return Promise.resolve(result)
      .then(
        (value) => {
          if (this.#end(task)) this.#responder.value(task.incoming, value);
        },
        (error: unknown) => {
          if (this.#end(task)) this.#responder.thrown(task.incoming, error);
        },
      )
      .finally(() => this.#active--);
  }

  /** False when it had ended before: then it has been answered. */
  #end(task: RunningTask): boolean {
    this.#running.delete(task);
    const isFirst = !task.ended;
    task.ended = true;
    return isFirst;
  }

  /** Answers a call that runs or waits, and asks its code to end. False when there is none. */
  cancel(owner: PeerAddress, sequence: number): boolean {
    const waiting = this.#calls.findIndex(({ task }) => task.isOf(owner, sequence));
    const found =
      waiting >= 0
        ? this.#calls.splice(waiting, 1)[0]!.task
        : [...this.#running].find((task) => task.isOf(owner, sequence));
    if (found === undefined || !this.#end(found)) return false;
    const reason = new TaskCancelledError('The call was cancelled');
    this.#responder.failed(found.incoming, reason);
    found.abort(reason);
    return true;
  }

  /** Calls whose code has started and has not ended. */
  get active(): number {
    return this.#active;
  }

  get isConstructed(): boolean {
    return this.#instance !== undefined;
  }
}

/** The actors of one worker. */
export class ActorHost {
  readonly #core: Core;
  readonly #responder: Responder;
  readonly #actors = new Map<number, HostedActor>();
  #called: HostedActor[] = [];

  constructor(core: Core) {
    this.#core = core;
    this.#responder = new Responder(core);
  }

  receive(record: InboxRecord): void {
    const incoming = incomingOf(record);
    const { inbox } = this.#core.peer;
    const { start, end } = record;
    const construct = (readFlags(inbox, start) & Flag.construct) !== 0;
    const actor = this.#actorOf(record);
    const key = readKey(inbox, start);
    const address = { index: record.actor, generation: record.flags };
    const actorId = actorIdOf(this.#core.storeId, address);
    const task = new RunningTask(incoming, readAttempt(inbox, start), [], actorId);
    try {
      const read = actor.isConstructed
        ? known(readSpec(this.#core, inbox, start, end))
        : this.#readLater(inbox.slice(start, end));
      actor.add({ task, construct, key, read });
      this.#called.push(actor);
    } catch (error) {
      this.#responder.failed(incoming, error);
    }
  }

  /** Until the class of the actor is known, those that its module registers are not either. */
  #readLater(payload: Uint8Array): () => ReceivedSpec {
    return () => readSpec(this.#core, payload, 0, payload.length);
  }

  #actorOf({ actor: index, flags: generation }: InboxRecord): HostedActor {
    const known = this.#actors.get(index);
    if (known?.generation === generation) return known;
    const actor = new HostedActor(this.#core, this.#responder, generation);
    this.#actors.set(index, actor);
    return actor;
  }

  cancel(owner: PeerAddress, sequence: number): void {
    for (const actor of this.#actors.values()) if (actor.cancel(owner, sequence)) return;
  }

  get active(): number {
    let active = 0;
    for (const actor of this.#actors.values()) active += actor.active;
    return active;
  }

  /** Runs the actors that were called since the last time. */
  run(): void {
    if (this.#called.length === 0) return;
    const called = this.#called;
    this.#called = [];
    for (const actor of called) actor.run();
  }

  /** Runs the stop hooks; what they throw is a warning. */
  async stop(): Promise<void> {
    const stops = [...this.#actors.values()].map((actor) => actor.stop());
    for (const stop of await Promise.allSettled(stops)) {
      if (stop.status === 'rejected') process.emitWarning(stop.reason as Error);
    }
  }
}

function known(spec: ReceivedSpec): () => ReceivedSpec {
  return () => spec;
}

function isMethod(instance: Methods, name: string): boolean {
  return name !== 'constructor' && typeof instance[name] === 'function';
}
