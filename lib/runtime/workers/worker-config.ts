import { workerData, type MessagePort } from 'node:worker_threads';
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
  /** Of the runtime. */
  readonly address: string;
  readonly store: StoreHandle;
  readonly driver: PeerAddress;
  readonly driverPid: number;
  /** Its output is to arrive at the driver. */
  readonly log: boolean;
  readonly trackCallSites: boolean;
  readonly trackTaskTimes: boolean;
  /** Bytes of the store that arguments of all running tasks may pin. */
  readonly argumentsAtMost: number;
  /** With more bytes of its own it ends when it is idle. */
  readonly memoryLimit?: number;
}

const variable = 'MOBULA_WORKER';

/** What a thread is given as its `workerData`. */
export interface ThreadData {
  readonly mobula: WorkerConfig;
  readonly output: MessagePort | undefined;
}

export function processEnvironment(config: WorkerConfig): NodeJS.ProcessEnv {
  return { ...process.env, [variable]: JSON.stringify(config) };
}

/** Once: the processes that a worker starts are not workers. */
export function takeConfig(): WorkerConfig {
  const data = workerData as ThreadData | null;
  if (data?.mobula !== undefined) return data.mobula;
  const text = process.env[variable];
  if (text === undefined) throw new Error('this file is run by Mobula, as a worker');
  Reflect.deleteProperty(process.env, variable);
  return JSON.parse(text) as WorkerConfig;
}

/** Of a thread whose output is to arrive at the driver. */
export function outputPort(): MessagePort {
  return (workerData as ThreadData).output!;
}
