import type * as msgpackr from 'msgpackr';
// The plain JavaScript of it: the main entry looks for a native helper at every worker's start.
import * as plain from 'msgpackr/pack';

/** What peers tell each other about themselves: plain MessagePack, no user values. */
export type Message =
  /** A worker to its driver: it can be given work. */
  | { readonly type: 'ready'; readonly worker: number }
  /** A worker to its driver: it is about to end, and why. */
  | { readonly type: 'ending'; readonly worker: number; readonly reason: string }
  /** To a worker: run stop hooks and end. */
  | { readonly type: 'stop' }
  /** To the driver: so many more tasks are on a run queue that may have too few workers. */
  | { readonly type: 'demand'; readonly queue: number; readonly tasks: number }
  /** To the driver: an actor needs a host. */
  | {
      readonly type: 'host';
      readonly index: number;
      readonly generation: number;
      readonly isolation: 'shared' | 'thread' | 'process';
    }
  /** To those who have demanded workers for a run queue: none starts. */
  | { readonly type: 'starved'; readonly queue: number; readonly reason: string }
  /** To the driver: why has that peer ended? */
  | { readonly type: 'why'; readonly uid: number }
  /** The answer. */
  | { readonly type: 'ended'; readonly uid: number; readonly reason: string }
  /** A process to the driver whose runtime it joins. */
  | { readonly type: 'join' }
  /** To those who have joined: the runtime shuts down. */
  | { readonly type: 'closing' };

const { Packr } = plain as Pick<typeof msgpackr, 'Packr'>;
const packr = new Packr({ useRecords: false });

export function writeMessage(message: Message, target: Uint8Array, offset: number): number {
  const bytes = packr.pack(message);
  target.set(bytes, offset);
  return bytes.length;
}

export function readMessage(source: Uint8Array, start: number, end: number): Message {
  return packr.unpack(source.subarray(start, end)) as Message;
}
