import { sizeOf } from '../../common/sizes.js';
import { native } from '../../store/binding.js';
import type { TaskAddress } from '../../transport/message.js';
import type { PeerAddress } from '../../transport/peer.js';
import type { Core } from '../core.js';
import { ownBytesOf } from './process-memory.js';
import type { MemoryReader, MemoryUse } from './system-memory.js';

/** Memory is short when more than this part of it is in use. */
const threshold = 0.95;
const lookMs = 250;
/** How long a task that was stopped waits at least; twice as long after each further stop. */
const leastRestMs = 500;
const longestRestMs = 60_000;
/** How much longer it waits for as much memory as it had. */
const patienceMs = 30_000;

/** A task that a worker runs. */
export interface RunningTask extends TaskAddress {
  /** The later it was submitted the higher. */
  readonly order: number;
  readonly mayRunAgain: boolean;
}

/** A task worker that is a process, and the tasks that it runs. */
export interface BusyProcess {
  readonly address: PeerAddress;
  readonly pid: number;
  readonly tasks: readonly RunningTask[];
}

/** The processes of a runtime, as the watch needs them. */
export interface Processes {
  /** Task workers that run something. */
  busy(): BusyProcess[];
  /** All that the driver has started. */
  pids(): number[];
  end(process: BusyProcess, reason: string): void;
  /** More task workers may be started again. */
  resume(): void;
}

/** Of a worker that was stopped, and of its tasks, which wait. */
interface Stop {
  readonly process: BusyProcess;
  readonly tasks: TaskAddress[];
  /** Bytes that it had. */
  readonly needs: number;
  /** So many workers ran beside it. */
  readonly others: number;
  readonly restMs: number;
  /** Infinity until it has ended. */
  restsUntil: number;
}

/**
 * When memory is short, stops the task worker whose tasks are the newest, of those that may run
 * again if there are any; its tasks wait until there is as much memory as it had, and meanwhile no
 * other worker takes its place. Only processes give memory back when they are ended, and only
 * theirs is known; hosts of actors are left alone.
 */
export class MemoryWatch {
  readonly #core: Core;
  readonly #reader: MemoryReader;
  readonly #processes: Processes;
  #stops: Stop[] = [];
  #restMs = leastRestMs;
  #calmSince = 0;
  #isLooking = false;

  constructor(core: Core, reader: MemoryReader, processes: Processes) {
    this.#core = core;
    this.#reader = reader;
    this.#processes = processes;
  }

  /** There are processes to watch. */
  start(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#lookLater();
  }

  /** So many task workers may be processes for now. */
  get capacity(): number {
    return Math.min(...this.#stops.map(({ others }) => Math.max(1, others)), Infinity);
  }

  #lookLater(): void {
    this.#core.timers.start(lookMs, () => {
      this.#isLooking = this.#stops.length > 0 || this.#processes.pids().length > 0;
      if (!this.#isLooking) return;
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const use = this.#reader.read();
    const spare = use.limit * threshold - use.used;
    const isStopping = this.#stops.some(({ restsUntil }) => restsUntil === Infinity);
    if (spare < 0 && !isStopping) this.#relieve(use);
    this.#release(spare);
  }

  #relieve(use: MemoryUse): void {
    const busy = this.#processes.busy();
    const process = newest(busy.filter(mayRunAgain)) ?? newest(busy);
    if (process !== undefined) this.#stop(process, busy.length - 1, use);
  }

  #stop(process: BusyProcess, others: number, use: MemoryUse): void {
    const needs = ownBytesOf(process.pid) ?? 0;
    const stop: Stop = {
      process,
      tasks: [],
      needs,
      others,
      restMs: this.#restMs,
      restsUntil: Infinity,
    };
    this.#stops.push(stop);
    this.#restMs = Math.min(longestRestMs, 2 * this.#restMs);
    const report = this.#reportOf(use);
    this.#tell(stop, process.tasks, report);
    this.#processes.end(process, `it was stopped, as memory is short: ${report}`);
    // What it has taken in the meantime.
    const now = this.#processes.busy().find(({ address }) => address.uid === process.address.uid);
    this.#tell(stop, now?.tasks ?? [], report);
    warn(process, report);
  }

  /** Before the tasks come back to their owners. */
  #tell(stop: Stop, tasks: readonly TaskAddress[], report: string): void {
    const { address, pid } = stop.process;
    const isAlone = stop.others === 0;
    const isTold = (task: TaskAddress) => stop.tasks.some((told) => isSame(told, task));
    for (const { owner, sequence } of tasks.filter((task) => !isTold(task))) {
      stop.tasks.push({ owner, sequence });
      const word = { sequence, worker: address.uid, pid, isAlone, report };
      this.#core.send({ type: 'outOfMemory', ...word }, owner);
    }
    this.#core.peer.flush();
  }

  /** The worker of that uid has ended. */
  ended(uid: number): void {
    const stop = this.#stops.find(({ process }) => process.address.uid === uid);
    if (stop !== undefined) stop.restsUntil = performance.now() + stop.restMs;
  }

  #release(spare: number): void {
    const now = performance.now();
    const waiting = this.#stops.length;
    // Idle workers have what their tasks have left until somebody asks.
    if (waiting > 0) native.storeAskToCollect(this.#core.store);
    this.#stops = this.#stops.filter(({ needs, restsUntil, tasks }) => {
      if (now < restsUntil || (needs > spare && now < restsUntil + patienceMs)) return true;
      spare -= needs;
      for (const { owner, sequence } of tasks) {
        this.#core.send({ type: 'memoryIsBack', sequence }, owner);
      }
      return false;
    });
    if (this.#stops.length > 0) this.#calmSince = now;
    else if (now - this.#calmSince > longestRestMs) this.#restMs = leastRestMs;
    if (this.#stops.length < waiting) this.#processes.resume();
  }

  /** Who has how much. */
  #reportOf({ used, limit, what }: MemoryUse): string {
    const workers = this.#processes
      .pids()
      .map((pid) => `${sizeOf(ownBytesOf(pid) ?? 0)} by the worker with pid ${pid}`);
    const store = native.storeStats(this.#core.store)[1]!;
    const driver = ownBytesOf(process.pid) ?? 0;
    return [
      `of the ${sizeOf(limit)} of ${what} ${sizeOf(used)} are in use`,
      ...workers,
      `${sizeOf(store)} by the store`,
      `${sizeOf(driver)} by the driver (pid ${process.pid})`,
    ].join(', ');
  }
}

function isSame(a: TaskAddress, b: TaskAddress): boolean {
  return a.owner.uid === b.owner.uid && a.sequence === b.sequence;
}

function mayRunAgain({ tasks }: BusyProcess): boolean {
  return tasks.every((task) => task.mayRunAgain);
}

function newest(processes: readonly BusyProcess[]): BusyProcess | undefined {
  const orderOf = ({ tasks }: BusyProcess) => Math.max(...tasks.map(({ order }) => order));
  return [...processes].sort((a, b) => orderOf(b) - orderOf(a))[0];
}

function warn({ pid, tasks }: BusyProcess, report: string): void {
  const what = tasks.length === 1 ? 'its task' : `its ${tasks.length} tasks`;
  process.emitWarning(
    `Memory is short, so the worker with pid ${pid} was stopped; ${what} will run again later or ` +
      `fail: ${report}. Run fewer tasks at a time (workers, cpus), or give the store less (memory)`,
    { type: 'MobulaWarning', code: 'MOBULA_MEMORY_SHORT' },
  );
}
