import type * as msgpackr from 'msgpackr';
// The plain JavaScript of it: the main entry looks for a native helper at every worker's start.
import * as plain from 'msgpackr/pack';
import type { ActorMessage } from './actor-message.js';
import type { PeerAddress } from './peer.js';

/** A task in flight: who has sent it, and under which number. */
export interface TaskAddress {
  readonly owner: PeerAddress;
  readonly sequence: number;
}

/** What peers tell each other about themselves: plain MessagePack, no user values. */
export type Message =
  | ActorMessage
  /** A worker to its driver: it can be given work. */
  | { readonly type: 'ready'; readonly worker: number }
  /** To the owner of a value to come: a borrower has given it up. */
  | { readonly type: 'freed'; readonly id: string }
  /** To the owner of an object: somebody who wants to read it has found it lost. */
  | { readonly type: 'remake'; readonly id: string }
  /** The answer: why it is not made again; or to ask again, because it cannot be told yet. */
  | {
      readonly type: 'remade';
      readonly id: string;
      readonly verdict: { readonly why?: string; readonly isBusy?: boolean };
    }
  /** A worker to its driver: it is about to end, and why. */
  | { readonly type: 'ending'; readonly worker: number; readonly reason: string }
  /** A worker to its driver: it takes no more tasks, has none, and wants to end. */
  | { readonly type: 'retiring' }
  /** To a worker: run stop hooks and end. */
  | { readonly type: 'stop' }
  /** To the driver: so many more tasks are on a run queue that may have too few workers. */
  | { readonly type: 'demand'; readonly queue: number; readonly tasks: number }
  /** To the driver: a worker's thread is blocked by a task that waits, or is so no more. */
  | { readonly type: 'blocked'; readonly queue: number; readonly change: 1 | -1 }
  /**
   * To the driver: if that worker still runs that task after `within` ms, it must be ended. With a
   * `timeout` the task's owner is told that it took longer.
   */
  | {
      readonly type: 'enforce';
      readonly worker: PeerAddress;
      readonly task: TaskAddress;
      readonly within: number;
      readonly timeout?: number;
      /** For messages. */
      readonly what?: string;
    }
  /** To the driver: that need not be enforced any more. */
  | { readonly type: 'relax'; readonly worker: PeerAddress; readonly task: TaskAddress }
  /** To a task's owner: the driver has ended its worker, its time was up. */
  | { readonly type: 'timedOut'; readonly sequence: number; readonly timeout: number }
  /** To a task's owner: the driver ends that worker, which runs it, as memory is short. */
  | {
      readonly type: 'outOfMemory';
      readonly sequence: number;
      /** Its uid. */
      readonly worker: number;
      readonly pid: number;
      /** No other process ran a task. */
      readonly isAlone: boolean;
      /** How much was in use, and by whom. */
      readonly report: string;
    }
  /** To the same, later: the task can run again. */
  | { readonly type: 'memoryIsBack'; readonly sequence: number }
  /** To a task's worker, from its owner: end it early. */
  | {
      readonly type: 'cancel';
      readonly sequence: number;
      readonly force: boolean;
      readonly recursive: boolean;
    }
  /** To a stream's producer, from its owner: so many items have been taken so far. */
  | { readonly type: 'taken'; readonly sequence: number; readonly count: number }
  /** To a task's owner, from somebody who was given its ref: cancel it, and say whether you did. */
  | {
      readonly type: 'cancelRef';
      readonly question: number;
      readonly sequence: number;
      readonly force: boolean;
      readonly recursive: boolean;
    }
  | { readonly type: 'cancelled'; readonly question: number; readonly answer: boolean }
  /** To those who have demanded workers for a run queue: none starts. */
  | { readonly type: 'starved'; readonly queue: number; readonly reason: string }
  /** To the driver: why has that peer ended? */
  | { readonly type: 'why'; readonly uid: number }
  /** The answer. */
  | { readonly type: 'ended'; readonly uid: number; readonly reason: string }
  /** A worker to its driver: how long tasks have waited and run, in turns, in milliseconds. */
  | { readonly type: 'times'; readonly times: readonly number[] }
  /** A process to the driver whose runtime it joins. */
  | { readonly type: 'join' }
  /** To those who have joined: the runtime shuts down. */
  | { readonly type: 'closing' };

/** What the owner of a task or call tells whoever runs it. */
export type ControlMessage = Extract<Message, { readonly type: 'cancel' | 'taken' }>;

const { Packr } = plain as Pick<typeof msgpackr, 'Packr'>;
/** A received message outlives the inbox. */
const packr = new Packr({ useRecords: false, copyBuffers: true });

export function writeMessage(message: Message, target: Uint8Array, offset: number): number {
  const bytes = packr.pack(message);
  target.set(bytes, offset);
  return bytes.length;
}

export function readMessage(source: Uint8Array, start: number, end: number): Message {
  return packr.unpack(source.subarray(start, end)) as Message;
}
