import { performance } from 'node:perf_hooks';
import { TaskCancelledError } from '../../common/errors.js';
import type { ControlMessage } from '../../transport/message.js';
import type { InboxRecord, PeerAddress } from '../../transport/peer.js';
import { Op, RecordKind } from '../../transport/wire.js';
import type { ActorHost } from '../actors/actor-host.js';
import type { Core, Executor } from '../core.js';
import { ArgumentRoom } from './argument-room.js';
import { readSpec, storedBytes } from './arguments.js';
import { withCarried } from './carried-context.js';
import { startClock } from './clock.js';
import { devicesOf, showDevices } from './devices.js';
import { findDeclaration, type AnyFunction, type Declaration } from './functions.js';
import { loadDeclaration } from './modules.js';
import { OwnerWatch } from './owner-watch.js';
import { incomingOf, Responder } from './responder.js';
import { callAs, currentTask, runAsynchronously, RunningTask } from './running-task.js';
import type { AnyGenerator } from './stream-producer.js';
import { Streams } from './streams.js';
import { readAttempt, readKey } from './task-spec.js';
import { sharedClock } from './task-times.js';
import { isThenable } from './thenable.js';

/** How long synchronous tasks run in a row before the event loop gets a turn. */
const sliceMs = 5;

interface Arrived {
  readonly task: RunningTask;
  readonly declaration: Declaration;
  readonly args: unknown[];
}

/**
 * Runs tasks in a worker, one slot's worth at a time: a task that awaits a ref lends its slot, so
 * that the worker takes another task meanwhile and nested tasks cannot starve each other.
 */
export class TaskExecutor implements Executor {
  /** The last of the tasks that were taken has ended; its answer is about to leave. */
  onIdle: () => void = () => undefined;
  readonly #core: Core;
  readonly #responder: Responder;
  readonly #actors: ActorHost;
  readonly #slots: number;
  #arrived: Arrived[] = [];
  /** Tasks that were taken and have not ended. */
  readonly #tasks: RunningTask[] = [];
  readonly #streams: Streams;
  readonly #owners: OwnerWatch;
  readonly #argumentRoom: ArgumentRoom;
  #loading = 0;
  #lent = 0;
  #stopping = false;
  /** Infinity between slices. */
  #sliceEnd = Infinity;

  /** `slots` is 0 for a worker that hosts actors only. */
  constructor(core: Core, actors: ActorHost, slots: number, argumentsAtMost: number) {
    this.#core = core;
    this.#responder = new Responder(core);
    this.#actors = actors;
    this.#slots = slots;
    this.#argumentRoom = new ArgumentRoom(core, argumentsAtMost);
    this.#streams = new Streams(this.#responder, this);
    this.#owners = new OwnerWatch(
      core,
      () => this.#tasks,
      (task) => this.#endEarly(task, new TaskCancelledError('The owner of the task has ended')),
    );
  }

  /** Whether no task that was taken is left. */
  get isIdle(): boolean {
    return this.#tasks.length === 0;
  }

  /** Tasks and calls whose code has started and has not ended. */
  get active(): number {
    return this.#tasks.length - this.#loading - this.#arrived.length + this.#actors.active;
  }

  stop(): void {
    this.#stopping = true;
    this.#owners.stop();
  }

  wantedTasks(): number {
    if (this.#stopping) return 0;
    const busy = this.#tasks.length + this.#core.room.holdsUp;
    return Math.max(0, this.#slots - busy + this.#lent);
  }

  receive(record: InboxRecord): void {
    if (record.kind === RecordKind.call) {
      this.#actors.receive(record);
      return;
    }
    const { start, end } = record;
    const { inbox } = this.#core.peer;
    const key = readKey(inbox, start);
    const declaration = findDeclaration(key);
    const task = new RunningTask(incomingOf(record), readAttempt(inbox, start), devicesOf(record));
    this.#tasks.push(task);
    // A task whose owner has ended is of no use to anybody, and must not keep its slot.
    this.#owners.start();
    if (declaration === undefined) this.#load(task, key, inbox.slice(start, end));
    else this.#prepare(task, declaration, inbox, start, end);
  }

  #prepare(
    task: RunningTask,
    declaration: Declaration,
    payload: Uint8Array,
    start: number,
    end: number,
  ): void {
    try {
      if (!this.#admit(task, declaration, payload, start, end)) return;
      const { terms, args } = readSpec(this.#core, payload, start, end);
      task.terms = terms;
      this.#arrived.push({ task, declaration, args });
    } catch (error) {
      task.failingSince ??= performance.now();
      const recovery = this.#core.recoveryFrom(error, task.failingSince);
      if (recovery === undefined) this.#failed(task, error);
      else this.#prepareAfter(recovery, task, declaration, payload.slice(start, end));
    }
  }

  /**
   * False when the task waits for room for its arguments, with its slot: nobody overtakes it here.
   */
  #admit(
    task: RunningTask,
    declaration: Declaration,
    payload: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (task.hasRoom) return true;
    const bytes = storedBytes(this.#core, payload, start, end);
    task.hasRoom = this.#argumentRoom.hold(task, bytes);
    if (task.hasRoom) return true;
    const own = payload.slice(start, end);
    this.#loading++;
    this.#argumentRoom.wait(task, bytes, () => {
      this.#loading--;
      task.hasRoom = true;
      if (!task.ended) this.#prepare(task, declaration, own, 0, own.length);
    });
    return false;
  }

  /**
   * Runs a task once an argument that could not be read can be, for which its slot may be needed.
   */
  #prepareAfter(
    recovery: Promise<void>,
    task: RunningTask,
    declaration: Declaration,
    payload: Uint8Array,
  ): void {
    this.#loading++;
    this.beginWait(task);
    recovery
      .finally(() => {
        this.#loading--;
        this.endWait(task);
      })
      .then(
        () => {
          if (task.ended || !this.#core.peer.isOpen) return;
          this.#prepare(task, declaration, payload, 0, payload.length);
          this.#core.peer.schedule();
        },
        (error: unknown) => this.#failed(task, error),
      );
  }

  /** Runs a task after its module has been imported. */
  #load(task: RunningTask, key: number, payload: Uint8Array): void {
    this.#loading++;
    loadDeclaration(this.#core, key)
      .finally(() => this.#loading--)
      .then(
        (declaration) => {
          this.#prepare(task, declaration, payload, 0, payload.length);
          this.#core.peer.schedule();
        },
        (error: unknown) => this.#failed(task, error),
      );
  }

  received(): boolean {
    this.#actors.run();
    this.#argumentRoom.retry();
    if (this.#arrived.length === 0) {
      this.#sliceEnd = Infinity;
      return false;
    }
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const one of arrived) this.#run(one);
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

  control(message: ControlMessage, from: PeerAddress): void {
    const { sequence } = message;
    if (message.type === 'taken') {
      this.#streams.taken(from, sequence, message.count);
      this.#actors.taken(from, sequence, message.count);
      return;
    }
    const { force, recursive } = message;
    const task = this.#cancelTask(from, sequence) ?? this.#actors.cancel(from, sequence);
    if (task !== undefined && recursive) {
      this.#core.requests.cancelChildren(task, { force, recursive });
    }
  }

  #cancelTask(owner: PeerAddress, sequence: number): RunningTask | undefined {
    const task = this.#tasks.find((one) => one.isOf(owner, sequence));
    if (task !== undefined) this.#endEarly(task, new TaskCancelledError('The task was cancelled'));
    return task;
  }

  #run({ task, declaration, args }: Arrived): void {
    if (task.ended) return;
    if (task.terms.timeout !== undefined) {
      const what = task.terms.name ?? declaration.name;
      startClock(this.#core, task, what, (reason) => this.#endEarly(task, reason));
    }
    if (task.terms.submittedAt !== undefined) task.startedAt = sharedClock();
    if (task.gpus.length > 0) task.hideDevices = showDevices(task.gpus);
    let result: unknown;
    try {
      result = this.#call(task, declaration, args);
    } catch (error) {
      this.#thrown(task, error);
      return;
    }
    if (task.terms.backpressure !== undefined) {
      this.#stream(task, result as AnyGenerator);
      return;
    }
    if (!isThenable(result)) {
      this.#returned(task, result);
      return;
    }
    Promise.resolve(result).then(
      (value) => this.#returned(task, value),
      (error: unknown) => this.#thrown(task, error),
    );
  }

  #call(task: RunningTask, declaration: Declaration, args: unknown[]): unknown {
    const fn = declaration.target as AnyFunction;
    const call = () => fn(...(args as never[]));
    const { terms } = task;
    if (terms.locals !== undefined || terms.trace !== undefined) {
      return runAsynchronously(task, () => withCarried(declaration, terms, call));
    }
    return callAs(task, fn, call);
  }

  #stream(task: RunningTask, iterator: AnyGenerator): void {
    this.#streams.run(task, iterator).then(
      (isAnswered) => {
        if (isAnswered) this.#end(task);
        else this.#returned(task, undefined);
      },
      (error: unknown) => this.#thrown(task, error),
    );
  }

  #returned(task: RunningTask, value: unknown): void {
    if (this.#end(task)) this.#responder.returned(task, value);
  }

  /** It could not be started. */
  #failed(task: RunningTask, error: unknown): void {
    if (this.#end(task)) this.#responder.failed(task.incoming, error);
  }

  #thrown(task: RunningTask, error: unknown): void {
    if (this.#end(task)) this.#responder.thrown(task.incoming, error);
  }

  /** False when it had ended before: then it has been answered. */
  #end(task: RunningTask): boolean {
    if (!task.end()) return false;
    if (task.startedAt !== undefined) this.#noteTimes(task.terms.submittedAt!, task.startedAt);
    if (task.waits > 0) this.#lent--;
    const index = this.#tasks.lastIndexOf(task);
    const last = this.#tasks.pop()!;
    if (index < this.#tasks.length) this.#tasks[index] = last;
    if (this.isIdle) this.onIdle();
    return true;
  }

  #noteTimes(submittedAt: number, startedAt: number): void {
    this.#core.taskTimes?.add(startedAt - submittedAt, sharedClock() - startedAt);
  }

  /** Answers at once, and asks the code to end. */
  #endEarly(task: RunningTask, reason: Error): void {
    if (!this.#end(task)) return;
    this.#responder.failed(task.incoming, reason);
    task.abort(reason);
    this.#core.peer.schedule();
  }

  currentTask(): RunningTask | undefined {
    return currentTask() ?? (this.#tasks.length === 1 ? this.#tasks[0] : undefined);
  }

  waitingTask(): RunningTask | undefined {
    return currentTask() ?? this.#tasks.find(({ waits }) => waits === 0);
  }

  beginWait(task: RunningTask): void {
    if (task.waits++ > 0 || task.ended || task.actorId !== undefined) return;
    this.#lent++;
    this.#core.peer.reserve();
    this.#core.peer.commit(Op.lend, task.incoming.handle, 0, 0, 0, 0);
  }

  endWait(task: RunningTask): void {
    if (--task.waits > 0 || task.ended || task.actorId !== undefined) return;
    this.#lent--;
    this.#core.peer.reserve();
    this.#core.peer.commit(Op.resume, task.incoming.handle, 0, 0, 0, 0);
  }
}
