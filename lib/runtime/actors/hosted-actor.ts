import type { PeerAddress } from '../../transport/peer.js';
import type { Core } from '../core.js';
import { actorDied } from '../tasks/answers.js';
import { readSpec } from '../tasks/arguments.js';
import { findDeclaration, type AnyClass } from '../tasks/functions.js';
import { loadDeclaration } from '../tasks/modules.js';
import type { Responder } from '../tasks/responder.js';
import { runAsynchronously, type RunningTask } from '../tasks/running-task.js';
import type { Attribution } from './attribution.js';
import { Call, CallQueue } from './call-queue.js';
import type { Methods, MethodRunner } from './method-runner.js';

/** A call as it has come: until the class is known, those that its module registers are not either. */
interface Unread {
  readonly task: RunningTask;
  readonly payload: Uint8Array;
}

interface Construction extends Unread {
  readonly key: number;
}

interface Hooks {
  onStart?(): unknown;
  onStop?(): unknown;
}

/** What the actors of a worker share. */
export interface Surroundings {
  readonly core: Core;
  readonly responder: Responder;
  readonly attribution: Attribution;
  readonly runner: MethodRunner;
}

/** An actor: an object, from its construction to its end, and the calls that wait for it. */
export class HostedActor {
  readonly generation: number;
  readonly actorId: string;
  readonly #with: Surroundings;
  #name = '';
  #instance: Methods | undefined;
  /** Why there is no instance and never will be. */
  #death: Error | undefined;
  #construction: Construction | undefined;
  #isConstructing = false;
  /** A call of somebody who got the handle early may come before the construction. */
  #early: Unread[] = [];
  readonly #calls: CallQueue;

  constructor(surroundings: Surroundings, generation: number, actorId: string) {
    this.#with = surroundings;
    this.generation = generation;
    this.actorId = actorId;
    const { runner } = surroundings;
    this.#calls = new CallQueue((call) => runner.run(call, this.#instance!, this.#name));
  }

  /** Takes a call whose spec stands between two positions of `payload`. */
  receive(task: RunningTask, payload: Uint8Array, start: number, end: number): void {
    if (this.#death !== undefined) this.#with.responder.failed(task.incoming, this.#death);
    else if (this.#instance !== undefined) this.#admit(task, payload, start, end);
    else this.#early.push({ task, payload: payload.slice(start, end) });
  }

  /** Takes the call that makes it. */
  receiveConstruction(construction: Construction): void {
    this.#construction = construction;
  }

  #admit(task: RunningTask, payload: Uint8Array, start: number, end: number): void {
    try {
      const { terms, args } = readSpec(this.#with.core, payload, start, end);
      task.terms = terms;
      this.#calls.add(new Call(task, args));
    } catch (error) {
      if (task.end()) this.#with.responder.failed(task.incoming, error);
    }
  }

  /** Runs what it can now, and the rest as soon as it can. */
  run(): void {
    const construction = this.#construction;
    this.#construction = undefined;
    if (construction === undefined) this.#calls.run();
    else void this.#construct(construction);
  }

  async stop(): Promise<void> {
    await (this.#instance as Hooks | undefined)?.onStop?.();
  }

  async #construct({ task, key, payload }: Construction): Promise<void> {
    const { core, responder, attribution } = this.#with;
    const { incoming } = task;
    try {
      const { target, name } = findDeclaration(key) ?? (await loadDeclaration(core, key));
      this.#name = name;
      const { terms, args } = readSpec(core, payload, 0, payload.length);
      task.terms = terms;
      this.#isConstructing = true;
      const create = () => new (target as AnyClass)(...(args as never[]));
      const instance = attribution.create(task, create);
      await runAsynchronously(task, () => (instance as Hooks).onStart?.());
      if (terms.concurrency !== undefined) this.#calls.limit(terms.concurrency);
      this.#instance = instance as Methods;
      responder.value(incoming, undefined);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#death = actorDied(this.#name, `its constructor failed: ${why}`, error);
      responder.failed(incoming, this.#death);
    }
    this.#isConstructing = false;
    this.#takeEarly();
  }

  #takeEarly(): void {
    const early = this.#early;
    this.#early = [];
    for (const { task, payload } of early) {
      if (!task.ended) this.receive(task, payload, 0, payload.length);
    }
    this.#calls.run();
  }

  /** A call that has come and was not answered. */
  find(owner: PeerAddress, sequence: number): RunningTask | undefined {
    const early = this.#early.find(({ task }) => !task.ended && task.isOf(owner, sequence));
    return early?.task ?? this.#calls.find(owner, sequence);
  }

  /** Of the calls that have come. */
  *tasks(): Generator<RunningTask> {
    for (const { task } of this.#early) yield task;
    yield* this.#calls.tasks();
  }

  /** Calls whose code has started and has not ended. */
  get active(): number {
    return this.#calls.active + (this.#isConstructing ? 1 : 0);
  }
}
