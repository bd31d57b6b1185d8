import { RecordKind } from '../../transport/wire.js';
import type { InboxRecord } from '../../transport/peer.js';
import type { ActorHost } from '../actors/actor-host.js';
import { readArguments } from './arguments.js';
import type { Core, Executor } from '../core.js';
import { findDeclaration, type AnyFunction, type Declaration } from './functions.js';
import { loadDeclaration } from './modules.js';
import { readKey } from './payload.js';
import { incomingOf, Responder, type Incoming } from './responder.js';
import { isThenable } from './thenable.js';

/** How long synchronous tasks run in a row before the event loop gets a turn. */
const sliceMs = 5;

interface Arrived {
  readonly task: Incoming;
  readonly declaration: Declaration;
  readonly args: unknown[];
}

/**
 * Runs tasks in a worker, one slot's worth at a time: a task that awaits a ref lends its slot, so
 * that the worker takes another task meanwhile and nested tasks cannot starve each other.
 */
export class TaskExecutor implements Executor {
  readonly #core: Core;
  readonly #responder: Responder;
  readonly #actors: ActorHost;
  readonly #slots: number;
  #arrived: Arrived[] = [];
  #loading = 0;
  #active = 0;
  #stopping = false;
  /** Infinity between slices. */
  #sliceEnd = Infinity;

  /** `slots` is 0 for a worker that hosts actors only. */
  constructor(core: Core, actors: ActorHost, slots: number) {
    this.#core = core;
    this.#responder = new Responder(core);
    this.#actors = actors;
    this.#slots = slots;
  }

  /** Tasks and calls whose code has started and has not ended. */
  get active(): number {
    return this.#active + this.#actors.active;
  }

  stop(): void {
    this.#stopping = true;
  }

  wantedTasks(): number {
    if (this.#stopping) return 0;
    const lent = Math.min(this.#active, this.#core.values.awaiting);
    return Math.max(0, this.#slots - this.#loading - this.#active + lent);
  }

  receive(record: InboxRecord): void {
    if (record.kind === RecordKind.call) {
      this.#actors.receive(record);
      return;
    }
    const task = incomingOf(record);
    const { start, end } = record;
    const { inbox } = this.#core.peer;
    const key = readKey(inbox, start);
    const declaration = findDeclaration(key);
    if (declaration === undefined) {
      this.#load(task, key, inbox.slice(start, end));
      return;
    }
    try {
      this.#arrived.push({ task, declaration, args: readArguments(this.#core, inbox, start, end) });
    } catch (error) {
      this.#responder.failed(task, error);
    }
  }

  /** Runs a task after its module has been imported. */
  #load(task: Incoming, key: number, payload: Uint8Array): void {
    this.#loading++;
    loadDeclaration(this.#core, key)
      .finally(() => this.#loading--)
      .then((declaration) => {
        this.#run(task, declaration, readArguments(this.#core, payload, 0, payload.length));
      })
      .catch((error: unknown) => this.#responder.failed(task, error));
  }

  received(): boolean {
    this.#actors.run();
    if (this.#arrived.length === 0) {
      this.#sliceEnd = Infinity;
      return false;
    }
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const { task, declaration, args } of arrived) this.#run(task, declaration, args);
    return this.#isInSlice();
  }

  /** Between slices a turn of the event loop passes, for timers, I/O and finalizers. */
  #isInSlice(): boolean {
    const now = performance.now();
    if (this.#sliceEnd === Infinity) this.#sliceEnd = now + sliceMs;
    if (now < this.#sliceEnd) return true;
    this.#sliceEnd = Infinity;
    setImmediate(() => this.#core.peer.exchange());
    return false;
  }

  #run(task: Incoming, { target }: Declaration, args: unknown[]): void {
    this.#active++;
    let result: unknown;
    try {
      result = (target as AnyFunction)(...(args as never[]));
    } catch (error) {
      this.#active--;
      this.#responder.thrown(task, error);
      return;
    }
    if (!isThenable(result)) {
      this.#active--;
      this.#responder.value(task, result);
      return;
    }
    Promise.resolve(result).then(
      (value) => {
        this.#active--;
        this.#responder.value(task, value);
      },
      (error: unknown) => {
        this.#active--;
        this.#responder.thrown(task, error);
      },
    );
  }
}
