/** Mobula's actors. */
import { setTimeout as delay } from 'node:timers/promises';
import { actor, get, getSync, init, stats, type ActorHandle, type ActorOptions } from 'mobula';
import type { Subject } from '../harness/workload.js';
import { serial, windowed, type Submit } from './submission.js';

class CounterClass {
  #count = 0;

  increment(): number {
    return ++this.#count;
  }
}

const Counter = actor(CounterClass);

type Isolation = NonNullable<ActorOptions['isolation']>;

/** With an actor of its own, which has been called once. */
async function subject(
  isolation: Isolation,
  run: (call: Submit) => Subject['run'],
): Promise<Subject> {
  const runtime = init({ workers: 1, memory: '64MB' });
  const counter = Counter.options({ isolation }).remote();
  await counter.increment();
  return { run: run(() => counter.increment()), stop: () => runtime.shutdown() };
}

export function calls(isolation: Isolation, size: number): Promise<Subject> {
  return subject(isolation, (call) => windowed(call, size));
}

export function serialCalls(isolation: Isolation): Promise<Subject> {
  return subject(isolation, serial);
}

export async function blockingCalls(): Promise<Subject> {
  const runtime = init({ workers: 1, memory: '64MB' });
  const counter = Counter.remote();
  await counter.increment();
  const run = (count: number) => {
    for (let i = 0; i < count; i++) getSync(counter.increment());
  };
  return { run, stop: () => runtime.shutdown() };
}

/** One operation makes so many actors and calls each once, when those of the one before have ended. */
export function actorsMade(actors: number): Subject {
  const runtime = init({ memory: '1GB' });
  let made: ActorHandle<CounterClass>[] = [];
  return {
    async prepare() {
      for (const handle of made.splice(0)) handle[Symbol.dispose]();
      while (stats().actors.alive > 0) await delay(1);
    },
    async run() {
      made = Array.from({ length: actors }, () => Counter.remote());
      await get(made.map((handle) => handle.increment()));
    },
    stop: () => runtime.shutdown(),
  };
}
