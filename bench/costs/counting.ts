/**
 * A process that counts what tasks and calls take of a driver and of its worker; its argument says
 * {@link What}. Sends the {@link Counts} to its parent.
 */
import { getSync, init, put, shutdown } from 'mobula';
import {
  Counter,
  crossingsOfWorker,
  heapMeter,
  heapOfWorker,
  noop,
  type Meter,
} from './counted-work.js';

/** What is counted: bytes that V8 allocates, or calls into the addon. */
export type What = 'heap' | 'crossings';

export interface Spent {
  readonly driver: number;
  readonly worker: number;
}

/** Per operation, the least of all rounds: what disturbs a round adds to it. */
export type Counts = Record<string, Spent>;

const operations = 1000;
const warmUps = 5;
const rounds = 10;

/** An operation, so many times, and what tells of the worker that does it. */
interface Kind {
  run(): Promise<unknown>;
  heap(): PromiseLike<number>;
  crossings(): PromiseLike<number>;
}

const ofTaskWorker = {
  heap: () => heapOfWorker.remote(),
  crossings: () => crossingsOfWorker.remote(),
};

/** One task at a time is not counted: how often it sleeps depends on time. */
const kinds: Record<string, () => Kind> = {
  'task among 1000': () => ({ run: () => allOf(() => noop.remote()), ...ofTaskWorker }),
  'call of an actor among 1000': callsOfActor,
  'small put, getSync and drop': () => ({ run: putAndGet, ...ofTaskWorker }),
};

function allOf(operation: () => PromiseLike<unknown>): Promise<unknown> {
  return Promise.all(Array.from({ length: operations }, operation));
}

function callsOfActor(): Kind {
  const handle = Counter.options({ isolation: 'shared' }).remote();
  return {
    run: () => allOf(() => handle.increment()),
    heap: () => handle.heap(),
    crossings: () => handle.crossings(),
  };
}

function putAndGet(): Promise<void> {
  for (let i = 0; i < operations; i++) {
    using ref = put(i);
    getSync(ref);
  }
  return Promise.resolve();
}

/** Of `operations`. */
async function spentBy(kind: Kind, what: What, meter: Meter): Promise<Spent> {
  const workerBefore = await kind[what]();
  const before = meter();
  await kind.run();
  return { driver: meter() - before, worker: (await kind[what]()) - workerBefore };
}

async function least(kind: Kind, what: What, meter: Meter): Promise<Spent> {
  for (let i = 0; i < warmUps; i++) await kind.run();
  const all: Spent[] = [];
  while (all.length < rounds) {
    const spent = await spentBy(kind, what, meter);
    // A collection in between makes it negative.
    if (spent.driver >= 0 && spent.worker >= 0) all.push(spent);
  }
  return {
    driver: Math.min(...all.map(({ driver }) => driver)) / operations,
    worker: Math.min(...all.map(({ worker }) => worker)) / operations,
  };
}

async function meterOf(what: What): Promise<Meter> {
  return what === 'heap' ? heapMeter : (await import('./crossings.js')).crossings;
}

async function count(what: What): Promise<Counts> {
  const meter = await meterOf(what);
  const counts: Counts = {};
  for (const [name, start] of Object.entries(kinds)) {
    counts[name] = await least(start(), what, meter);
  }
  return counts;
}

init({ workers: 1, memory: '256MB' });
const counts = await count(process.argv[2] as What);
await shutdown();
process.send!(counts, () => process.exit());
