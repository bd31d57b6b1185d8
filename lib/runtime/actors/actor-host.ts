import type { InboxRecord } from '../../transport/peer.js';
import { actorDied } from '../tasks/answers.js';
import { readArguments } from '../tasks/arguments.js';
import type { Core } from '../core.js';
import { findDeclaration, type AnyClass } from '../tasks/functions.js';
import { loadDeclaration } from '../tasks/modules.js';
import { Flag, readFlags, readKey } from '../tasks/payload.js';
import { incomingOf, Responder, type Incoming } from '../tasks/responder.js';
import { isThenable } from '../tasks/thenable.js';

interface Call {
  readonly incoming: Incoming;
  readonly construct: boolean;
  readonly key: number;
  /** The method's name, then its arguments; of a construction the arguments only. */
  readonly args: () => unknown[];
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
      this.#responder.failed(call.incoming, this.#death);
      return undefined;
    }
    return this.#invoke(call);
  }

  async #construct({ incoming, key, args }: Call): Promise<void> {
    try {
      const { target, name } = findDeclaration(key) ?? (await loadDeclaration(this.#core, key));
      this.#name = name;
      const instance = new (target as AnyClass)(...(args() as never[]));
      await (instance as Hooks).onStart?.();
      this.#instance = instance as Methods;
      this.#responder.value(incoming, undefined);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#death = actorDied(this.#name, `its constructor failed: ${why}`, error);
      this.#responder.failed(incoming, this.#death);
    }
  }

  #invoke({ incoming, args }: Call): Promise<void> | undefined {
    let method: string;
    let rest: unknown[];
    try {
      [method, ...rest] = args() as [string, ...unknown[]];
    } catch (error) {
      this.#responder.failed(incoming, error);
      return undefined;
    }
    let result: unknown;
    this.#active++;
    try {
      const instance = this.#instance!;
      if (!isMethod(instance, method)) {
        throw new TypeError(`The actor ${this.#name} has no method ${method}`);
      }
      result = instance[method]!(...rest);
    } catch (error) {
      this.#responder.thrown(incoming, error);
      return undefined;
    } finally {
      this.#active--;
    }
    if (!isThenable(result)) {
      this.#responder.value(incoming, result);
      return undefined;
    }
    this.#active++;
    return Promise.resolve(result)
      .then(
        (value) => this.#responder.value(incoming, value),
        (error: unknown) => this.#responder.thrown(incoming, error),
      )
      .finally(() => this.#active--);
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
    const { start, end } = record;
    const { inbox } = this.#core.peer;
    const construct = (readFlags(inbox, start) & Flag.construct) !== 0;
    const actor = this.#actorOf(record);
    const key = readKey(inbox, start);
    try {
      const args = actor.isConstructed
        ? known(readArguments(this.#core, inbox, start, end))
        : this.#readLater(inbox.slice(start, end));
      actor.add({ incoming, construct, key, args });
      this.#called.push(actor);
    } catch (error) {
      this.#responder.failed(incoming, error);
    }
  }

  /** Until the class of the actor is known, those that its module registers are not either. */
  #readLater(payload: Uint8Array): () => unknown[] {
    return () => readArguments(this.#core, payload, 0, payload.length);
  }

  #actorOf({ actor: index, flags: generation }: InboxRecord): HostedActor {
    const known = this.#actors.get(index);
    if (known?.generation === generation) return known;
    const actor = new HostedActor(this.#core, this.#responder, generation);
    this.#actors.set(index, actor);
    return actor;
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

function known(args: unknown[]): () => unknown[] {
  return () => args;
}

function isMethod(instance: Methods, name: string): boolean {
  return name !== 'constructor' && typeof instance[name] === 'function';
}
