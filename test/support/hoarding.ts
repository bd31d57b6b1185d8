/** Tasks and actors that keep memory of their own. */
import { threadId } from 'node:worker_threads';
import { actor, put, remote } from 'mobula';
import type { StoreHandle } from 'mobula/store';
import { Counter } from './actors.js';
import type { Pass } from './gate.js';
import { mark } from './scheduling.js';
import { passGate } from './tasks.js';

interface Place {
  readonly pid: number;
  readonly threadId: number;
}

const hoarded: Uint8Array[] = [];

function hoardHere(bytes: number): Place {
  hoarded.push(new Uint8Array(bytes).fill(1));
  return { pid: process.pid, threadId };
}

export const hoard = remote(hoardHere);

/** Leaves as much garbage. */
export const waste = remote((bytes: number) => new Uint8Array(bytes).fill(1)[0]);

export const hoardAndMark = remote((bytes: number, marks: StoreHandle) => {
  mark(marks);
  return hoardHere(bytes);
});

/** Hoards, and gives a ref to a task that it does not wait for. */
export const hoardAndSubmit = remote((bytes: number, pass: Pass) => {
  const place = hoardHere(bytes);
  return { place, late: passGate.remote(pass, 'late') };
});

/** Hoards, and gives what others may need when its worker has gone. */
export const hoardAndMake = remote((bytes: number) => {
  const place = hoardHere(bytes);
  return { place, counter: Counter.remote(7), kept: put('kept') };
});

export const Hoarder = actor(
  class {
    hoard(bytes: number): Place {
      return hoardHere(bytes);
    }
  },
);
