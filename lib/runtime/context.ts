import { hasShutDown, MobulaError } from '../common/errors.js';
import type { Core } from './core.js';

export type WorkerIsolation = 'thread' | 'process';
export type ActorIsolation = 'shared' | WorkerIsolation;

/** This thread's place in a runtime: in a driver or in a worker. */
export interface Context {
  readonly core: Core;
  readonly isDriver: boolean;
  /** What a task worker is unless the task says otherwise. */
  readonly isolation: WorkerIsolation;
  /** Whether a call may block the thread: others would wait, too, where actors share one. */
  readonly mayBlock: boolean;
  /** The runtime's name, if it has one, and with what other processes join it. */
  readonly name: string | undefined;
  readonly address: string;
}

let current: Context | undefined;
let hasEnded = false;
let startDefault: () => Context = () => {
  throw new MobulaError('MOBULA_SYSTEM', 'this thread has no runtime');
};

export function setContext(context: Context): void {
  current = context;
}

/** After this only an explicit start makes a new one. */
export function endContext(): void {
  current = undefined;
  hasEnded = true;
}

export function onFirstUse(start: () => Context): void {
  startDefault = start;
}

export function currentContext(): Context | undefined {
  return current;
}

/** The runtime of this thread; the first use in a driver starts one. */
export function requireContext(): Context {
  if (current !== undefined) return current;
  assertNotShutDown();
  return startDefault();
}

/** For what needs no runtime, but works on none that has ended. */
export function assertNotShutDown(): void {
  if (current === undefined && hasEnded) throw hasShutDown();
}
