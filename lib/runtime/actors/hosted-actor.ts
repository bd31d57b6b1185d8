import { ActorDiedError } from '../../common/errors.js';
import { native } from '../../store/binding.js';
import type { ActorOrder } from '../../transport/actor-message.js';
import type { PeerAddress } from '../../transport/peer.js';
import { noTarget, Op } from '../../transport/wire.js';
import type { Core } from '../core.js';
import { encodeError } from '../tasks/answers.js';
import { readSpec } from '../tasks/arguments.js';
import { showDevices } from '../tasks/devices.js';
import { findDeclaration, type AnyClass } from '../tasks/functions.js';
import { loadDeclaration } from '../tasks/modules.js';
import type { Responder } from '../tasks/responder.js';
import { runAsynchronously, RunningTask, type ActorPart } from '../tasks/running-task.js';
import { actorIdOf } from './actor-address.js';
import { readActorSpec, readConstructorArguments } from './actor-spec.js';
import type { Attribution } from './attribution.js';
import { Call, CallQueue } from './call-queue.js';
import type { Methods, MethodRunner } from './method-runner.js';

/**
 * A call as it has come: until the class is known, those that its module registers are not either.
 */
interface Unread {
  readonly task: RunningTask;
  readonly payload: Uint8Array;
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
  readonly isAlone: boolean;
}

type Construction = Extract<ActorOrder, { type: 'construct' }>;

const nothing: Readonly<Record<string, number>> = {};

/**
 * An actor in its host: an object, from its construction to its end, and the calls that wait for
 * it. It ends in one of these ways, each of which the driver is told of:
 *
 * - It cannot be made: its calls wait until the driver, who knows then, evicts it.
 * - It is evicted: its calls go back to where they came from.
 * - It is retired: it ends when its calls have ended and its stop hook has run.
 */
export class HostedActor implements ActorPart {
  readonly actorId: string;
  resources = nothing;
  /** For messages. */
  what = 'that is being made';
  readonly #with: Surroundings;
  readonly #order: Construction;
  readonly #forget: () => void;
  #instance: Methods | undefined;
  #isConstructing = false;
  #making = 'constructor';
  #hasEnded = false;
  #isRetiring = false;
  /** Calls that have come before there was an instance. */
  #early: Unread[] = [];
  readonly #calls: CallQueue;

  /** `forget` is called when it is to get no calls any more. */
  constructor(surroundings: Surroundings, order: Construction, forget: () => void) {
    this.#with = surroundings;
    this.#order = order;
    this.#forget = forget;
    this.actorId = actorIdOf(surroundings.core.storeId, order);
    const { runner } = surroundings;
    this.#calls = new CallQueue((call) => runner.run(call, this.#instance!, this.what));
    this.#calls.onIdle = () => this.#endIfDone();
  }

  /** Takes a call whose spec stands between two positions of `payload`. */
  receive(task: RunningTask, payload: Uint8Array, start: number, end: number): void {
    const isEarly = this.#instance === undefined || this.#early.length > 0;
    if (isEarly || !this.#admit(task, payload, start, end)) {
      this.#early.push({ task, payload: payload.slice(start, end) });
    }
  }

  /**
   * False when it has to wait, and those behind it, for an argument that is made again, or for room
   * for it.
   */
  #admit(task: RunningTask, payload: Uint8Array, start: number, end: number): boolean {
    const { core, responder } = this.#with;
    try {
      const { terms, args } = readSpec(core, payload, start, end);
      task.terms = terms;
      this.#calls.add(new Call(task, args));
    } catch (error) {
      task.failingSince ??= performance.now();
      const recovery = core.recoveryFrom(error, task.failingSince);
      if (recovery !== undefined) {
        this.#goOnAfter(recovery);
        return false;
      }
      if (task.end()) responder.failed(task.incoming, error);
    }
    return true;
  }

  #goOnAfter(recovery: Promise<void>): void {
    const { core, responder } = this.#with;
    recovery
      .catch((error: unknown) => {
        const first = this.#early.shift()?.task;
        if (first?.end() === true) responder.failed(first.incoming, error);
      })
      .finally(() => {
        if (!this.#hasEnded) this.#takeEarly();
        core.peer.schedule();
      });
  }

  /** Runs what it can now, and the rest as soon as it can. */
  run(): void {
    this.#calls.run();
  }

  construct(): void {
    this.#construct().catch((error: unknown) => {
      this.#isConstructing = false;
      const why = error instanceof Error ? error.message : String(error);
      this.#fail(`its ${this.#making} failed: ${why}`, error, false);
    });
  }

  async #construct(): Promise<void> {
    const { core, attribution, isAlone } = this.#with;
    const spec = readActorSpec(core, this.actorId);
    // Without handles there are no calls, and it is about to be retired.
    if (spec === undefined) return;
    spec.name?.[Symbol.dispose]();
    spec.declaration[Symbol.dispose]();
    const { gpus, restarts } = this.#order;
    this.what = spec.what;
    this.resources = spec.resources;
    const { target } = findDeclaration(spec.key) ?? (await loadDeclaration(core, spec.key));
    const args = await readConstructorArguments(core, spec);
    if (this.#isOver()) return;
    if (isAlone && gpus.length > 0) showDevices(gpus);
    const { slot: sender, uid: senderUid } = core.peer.address;
    const incoming = { handle: noTarget, sender, senderUid, sequence: 0 };
    const task = new RunningTask(incoming, restarts, gpus, this);
    this.#isConstructing = true;
    const create = () => new (target as AnyClass)(...(args as never[]));
    const instance = attribution.create(task, create);
    this.#making = 'onStart()';
    await runAsynchronously(task, () => (instance as Hooks).onStart?.());
    this.#isConstructing = false;
    if (this.#isOver()) return;
    if (spec.concurrency !== null) this.#calls.limit(spec.concurrency);
    this.#instance = instance as Methods;
    const { index, generation, reports } = this.#order;
    native.peerSetActorMade(core.peer.handle, index, generation, restarts);
    if (reports) core.toDriver({ type: 'constructed', index, generation });
    this.#takeEarly();
  }

  #takeEarly(): void {
    const early = this.#early;
    const waiting = early.findIndex(
      ({ task, payload }) => !task.ended && !this.#admit(task, payload, 0, payload.length),
    );
    this.#early = waiting < 0 ? [] : early.slice(waiting);
    this.#calls.run();
    this.#endIfDone();
  }

  /** Code that it has started has failed, and nobody has caught that. */
  crashed(error: unknown, what: string): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#fail(`${what}: ${why}`, error, true);
  }

  #fail(reason: string, error: unknown, mayRestart: boolean): void {
    if (this.#hasEnded) return;
    const { core } = this.#with;
    const { index, generation, restarts } = this.#order;
    const cause = encodeError(core.codec, error);
    const death = { name: this.what, reason, cause };
    core.toDriver({ type: 'actorFailed', index, generation, restarts, death, mayRestart });
    core.peer.schedule();
  }

  /** It may have been evicted while it waited for something. */
  #isOver(): boolean {
    return this.#hasEnded;
  }

  /** Gives its calls back, in the order in which they have come; what runs of them is cut off. */
  evict(): void {
    const { peer } = this.#with.core;
    const begun = new Set(this.#calls.running());
    const tasks = [...this.tasks()].filter((task) => task.end());
    tasks.sort((a, b) => a.incoming.sequence - b.incoming.sequence);
    for (const task of tasks) {
      peer.reserve();
      peer.commit(Op.return, task.incoming.handle, 0, begun.has(task) ? 1 : 0, 0, 0);
    }
    this.#end();
    const reason = new ActorDiedError(`The actor ${this.what} was taken from its worker`);
    for (const task of begun) task.abort(reason);
  }

  /** No further calls come. */
  retire(): void {
    this.#isRetiring = true;
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#isRetiring || this.#hasEnded || this.#isConstructing) return;
    if (this.#early.length > 0 || !this.#calls.isIdle) return;
    this.#hasEnded = true;
    const { index, generation } = this.#order;
    void this.runStopHook().then(() => {
      this.#end();
      this.#with.core.toDriver({ type: 'stopped', index, generation });
    });
  }

  /** What the hook throws is a warning. */
  async runStopHook(): Promise<void> {
    try {
      await (this.#instance as Hooks | undefined)?.onStop?.();
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }

  #end(): void {
    this.#hasEnded = true;
    this.#forget();
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
