import { channel } from 'node:diagnostics_channel';

/**
 * What is published on `mobula:task:*` and `mobula:call:*`, in the thread that has submitted it:
 * `submitted`, and `settled` at its end; of tasks also `retried`, when one is sent once more.
 */
export interface TaskEvent {
  /** Of its ref; of several results, and of a stream, that of the first one's. */
  readonly id: string;
  /** Of the function, or of the actor and its method. */
  readonly name: string;
  /**
   * `settled` only, if it has failed: what `await` of its ref throws. Not of streams and of several
   * results: their refs have it.
   */
  readonly error?: unknown;
}

/** What is published on `mobula:worker:started` and `mobula:worker:ended`, in the driver. */
export interface WorkerEvent {
  /** The driver's number for it, with which lines of its output begin. */
  readonly worker: number;
  /** What it is. */
  readonly isolation: 'thread' | 'process';
  /** Tasks, or the actors that it hosts: shared ones, or one alone. */
  readonly role: 'tasks' | 'shared' | 'thread' | 'process';
  /** Of a process. */
  readonly pid?: number;
  /** `ended` only. */
  readonly reason?: string;
}

/** What is published on `mobula:actor:restarting` and `mobula:actor:ended`, in the driver. */
export interface ActorEvent {
  /** As `handle.actorId`. */
  readonly actorId: string;
  /** What messages call it: its class, and the name that it was given. */
  readonly name: string;
  /** How often it has been restarted. */
  readonly restarts: number;
  /** Of the restart or the end. */
  readonly reason: string;
}

/** The channels of node:diagnostics_channel. To be asked for subscribers before an event is made. */
export const channels = {
  task: {
    submitted: channel('mobula:task:submitted'),
    retried: channel('mobula:task:retried'),
    settled: channel('mobula:task:settled'),
  },
  call: {
    submitted: channel('mobula:call:submitted'),
    settled: channel('mobula:call:settled'),
  },
  worker: {
    started: channel('mobula:worker:started'),
    ended: channel('mobula:worker:ended'),
  },
  actor: {
    restarting: channel('mobula:actor:restarting'),
    ended: channel('mobula:actor:ended'),
  },
} as const;
