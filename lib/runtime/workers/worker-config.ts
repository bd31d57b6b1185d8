import { workerData } from 'node:worker_threads';
import type { StoreHandle } from '../../store/store-options.js';
import type { PeerAddress } from '../../transport/peer.js';
import type { ActorIsolation, WorkerIsolation } from '../context.js';

/** What a worker is told at its start. Plain data. */
export interface WorkerConfig {
  /** The driver's number for it. */
  readonly worker: number;
  readonly isolation: WorkerIsolation;
  /** What it is for: tasks, or actors that share it or have it alone. */
  readonly role: 'tasks' | ActorIsolation;
  /** Tasks at a time; 0 for a host of actors. */
  readonly slots: number;
  /** What a task worker is unless the task says otherwise. */
  readonly taskIsolation: WorkerIsolation;
  readonly store: StoreHandle;
  readonly driver: PeerAddress;
  /** The driver's process: pid, and slot and generation in the client table. */
  readonly driverPid: number;
  readonly driverClient: readonly [slot: number, generation: number];
}

const variable = 'MOBULA_WORKER';

export function threadData(config: WorkerConfig): { mobula: WorkerConfig } {
  return { mobula: config };
}

export function processEnvironment(config: WorkerConfig): NodeJS.ProcessEnv {
  return { ...process.env, [variable]: JSON.stringify(config) };
}

/** Once: the processes that a worker starts are not workers. */
export function takeConfig(): WorkerConfig {
  const data = workerData as { mobula?: WorkerConfig } | null;
  if (data?.mobula !== undefined) return data.mobula;
  const text = process.env[variable];
  if (text === undefined) throw new Error('this file is run by Mobula, as a worker');
  Reflect.deleteProperty(process.env, variable);
  return JSON.parse(text) as WorkerConfig;
}
