import { availableParallelism, totalmem } from 'node:os';
import { Eviction, native } from '../store/binding.js';
import { isForDirector } from '../transport/actor-message.js';
import type { Message } from '../transport/message.js';
import type { PeerAddress } from '../transport/peer.js';
import { RunQueue } from '../transport/wire.js';
import { DirectorMail } from './actors/director-mail.js';
import { addressOf, claimName, type Place } from './address.js';
import { endContext, setContext, type WorkerIsolation } from './context.js';
import { Core } from './core.js';
import { LeakWatch } from './memory-watch/leak-watch.js';
import { SystemMemory, type MemoryReader } from './memory-watch/system-memory.js';
import { CallSites } from './objects/call-sites.js';
import { Joiners } from './joiners.js';
import { spillDirectoryFor, type SpillOptions } from './spill-directory.js';
import { TaskHistograms } from './tasks/task-times.js';
import { Workers } from './workers/workers.js';

export interface DriverOptions {
  readonly memory: number;
  readonly workers: number;
  readonly isolation: WorkerIsolation;
  readonly eviction: 'spill' | 'clru' | 'none';
  readonly spill: SpillOptions | undefined;
  readonly guard: boolean;
  /** cpu and gpu among them. */
  readonly resources: Readonly<Record<string, number>>;
  readonly logToDriver: boolean;
  readonly trackCallSites: boolean;
  readonly trackTaskTimes: boolean;
  /** Bytes; undefined: as much as it takes. */
  readonly workerMemoryLimit: number | undefined;
  /** Of the memory: above 0, at most 1. */
  readonly argumentShare: number;
  /** Under which other processes can join. */
  readonly name: string | undefined;
}

/** How long stop hooks have when a process exits by itself. */
const stopHookMs = 2000;
const memoryShare = 0.3;
const maxObjects = 1_048_576;
const evictions = {
  spill: Eviction.unreferenced,
  clru: Eviction.clru,
  none: Eviction.none,
} as const;

/** 30 % of the memory that this process may use. */
export function defaultMemory(): number {
  return Math.floor(Math.min(new SystemMemory().limit, totalmem()) * memoryShare);
}

export function defaultWorkers(): number {
  return availableParallelism();
}

/** Owns a runtime: its store, its workers, and their end. */
export class Driver {
  readonly core: Core;
  readonly isDriver = true;
  readonly mayBlock = true;
  readonly isolation: WorkerIsolation;
  readonly name: string | undefined;
  readonly address: string;
  readonly leakWatch: LeakWatch;
  readonly #workers: Workers;
  readonly #joiners: Joiners;
  readonly #mail: DirectorMail;
  readonly #giveUpName: () => void;
  #ended: Promise<void> | undefined;
  /** The process is about to exit by itself: actors get to run their stop hooks. */
  readonly #stopActors = () => {
    if (this.#workers.director.hasActors) void this.shutdown(stopHookMs);
  };
  /** Node ends a process that exits without the addon's cleanup, and disks forget nothing. */
  readonly #giveBack = () => this.core.close();

  /** `machine` tells how much memory is in use. */
  constructor(options: DriverOptions, machine: MemoryReader = new SystemMemory()) {
    const { memory, workers, isolation, resources, eviction, guard, logToDriver, name } = options;
    const { spill } = options;
    const store = native.storeCreate(
      memory,
      maxObjects,
      evictions[eviction],
      undefined,
      guard,
      true,
      0,
      spill && spillDirectoryFor(spill),
      spill?.limit,
    );
    this.isolation = isolation;
    const callSites = options.trackCallSites ? new CallSites() : undefined;
    this.core = new Core(store, RunQueue.actor, false, callSites);
    if (options.trackTaskTimes) this.core.taskTimes = new TaskHistograms();
    native.peerSetDriver(this.core.peer.handle);
    native.peerSetResources(this.core.peer.handle, Object.entries(resources));
    const place = this.#place();
    this.name = name;
    this.address = addressOf(place, name);
    this.#giveUpName = name === undefined ? () => undefined : this.#claim(name, place);
    const workersOptions = {
      limit: workers,
      taskIsolation: isolation,
      address: this.address,
      log: logToDriver,
      trackCallSites: options.trackCallSites,
      trackTaskTimes: options.trackTaskTimes,
      memoryLimit: options.workerMemoryLimit,
      argumentsAtMost: memory * options.argumentShare,
    };
    this.#workers = new Workers(this.core, workersOptions, machine);
    this.#mail = new DirectorMail(this.core, this.#workers.director);
    this.#joiners = new Joiners(this.core, (joiner) => {
      this.#workers.ownerEnded(joiner);
      this.#workers.director.ownerEnded(joiner);
    });
    this.leakWatch = new LeakWatch(this.core);
    this.leakWatch.start();
    this.core.onMessage = (message, from) => this.#receive(message, from);
    this.core.onSlice = () => this.#workers.lookAfter();
    process.once('beforeExit', this.#stopActors);
    process.once('exit', this.#giveBack);
    setContext(this);
  }

  #place(): Place {
    const { store, peer } = this.core;
    const [pid, fd, storeId] = native.storeHandle(store);
    return { store: { pid, fd, storeId }, driver: peer.address, isolation: this.isolation };
  }

  #claim(name: string, place: Place): () => void {
    try {
      return claimName(name, place);
    } catch (error) {
      this.core.close();
      throw error;
    }
  }

  #receive(message: Message, from: PeerAddress): void {
    if (message.type === 'join') this.#joiners.add(from);
    else if (isForDirector(message)) {
      this.#mail.receive(message, from, this.#joiners.has(from));
    } else this.#workers.receive(message, from);
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Ends the workers, within `timeout` ms by force, and gives everything back. Idempotent. */
  shutdown(timeout: number): Promise<void> {
    this.#ended ??= this.#shutdown(timeout);
    return this.#ended;
  }

  async #shutdown(timeout: number): Promise<void> {
    process.off('beforeExit', this.#stopActors);
    endContext();
    this.core.refuse();
    this.#joiners.dismiss();
    await this.#workers.stop(timeout);
    this.#giveUpName();
    process.off('exit', this.#giveBack);
    this.core.close();
  }
}
