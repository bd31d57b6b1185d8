/** Actors whose calls take their time, and callers of them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { actor, context, remote, type ActorHandle } from 'mobula';
import { standAt, type Pass } from './gate.js';
import type { StoreHandle } from 'mobula/store';
import { mark, markAs } from './scheduling.js';

export class VisitedClass {
  readonly #started: unknown[] = [];

  /** Stands at the gate. */
  async visit(pass: Pass, name: unknown): Promise<unknown> {
    this.#started.push(name);
    await standAt(pass);
    return name;
  }

  note(name: unknown): void {
    this.#started.push(name);
  }

  /** What calls were given as names, in the order in which they have started. */
  started(): unknown[] {
    return this.#started;
  }
}

export const Visited = actor(VisitedClass);
export const Grouped = actor(VisitedClass, {
  concurrencyGroups: { pairs: 2, single: 1 },
});

/** Tells of a visit, through a handle of its own. */
export const noteInTask = remote(
  async (visited: ActorHandle<VisitedClass>, name: unknown): Promise<void> => {
    await visited.note(name);
  },
);

/** The message of what a second call throws while the first is unanswered. */
export const noteTwiceInTask = remote(
  async (visited: ActorHandle<VisitedClass>): Promise<string> => {
    const first = visited.note(1);
    try {
      visited.note(2);
      return '';
    } catch (error) {
      return (error as Error).message;
    } finally {
      await first;
    }
  },
);

export const giveBack = remote((handle: ActorHandle<VisitedClass>) => [handle]);

class CountingClass {
  *countTo(end: number): Generator<number> {
    for (let n = 0; n < end; n++) yield n;
  }
}

export class ProducerClass extends CountingClass {
  async *countLaterTo(end: number): AsyncGenerator<number> {
    for (let n = 0; n < end; n++) {
      await nextTurn();
      yield n;
    }
  }

  /** Leaves a mark for each item, and at its end, some turns later, one named "finally". */
  async *countMarked(marks: StoreHandle, end: number): AsyncGenerator<number> {
    try {
      for (let n = 0; n < end; n++) {
        mark(marks);
        yield n;
      }
    } finally {
      for (let turn = 0; turn < 10; turn++) await nextTurn();
      markAs(marks, 'finally');
    }
  }

  *countMarkedNow(marks: StoreHandle, end: number): Generator<number> {
    try {
      for (let n = 0; n < end; n++) {
        mark(marks);
        yield n;
      }
    } finally {
      markAs(marks, 'finally');
    }
  }

  *yieldThenThrow(count: number): Generator<number> {
    yield* this.countTo(count);
    throw new RangeError('no more');
  }

  divide(a: number, b: number): [quotient: number, remainder: number] {
    return [Math.floor(a / b), a % b];
  }

  async divideLater(a: number, b: number): Promise<[quotient: number, remainder: number]> {
    await nextTurn();
    return this.divide(a, b);
  }
}

export const Producer = actor(ProducerClass);

export const sumInTask = remote(
  async (producer: ActorHandle<ProducerClass>, end: number): Promise<number> => {
    const stream = producer.countLaterTo(end);
    let sum = 0;
    for (;;) {
      const { done, value } = await stream.next();
      if (done === true) return sum;
      sum += await value;
    }
  },
);

const untilAbortedTask = remote(async (marks: StoreHandle): Promise<void> => {
  await untilAborted(marks, 'task started', 'task aborted');
});

async function untilAborted(marks: StoreHandle, started: string, aborted: string): Promise<void> {
  const { signal } = context();
  markAs(marks, started);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  markAs(marks, aborted);
}

export class PatientClass {
  hello(): string {
    return 'hello';
  }

  async untilAborted(marks: StoreHandle): Promise<void> {
    await untilAborted(marks, 'started', 'aborted');
  }

  async submitUntilAborted(marks: StoreHandle): Promise<void> {
    await untilAbortedTask.remote(marks);
  }

  /** Leaves a mark, and never ends nor yields. */
  loop(marks: StoreHandle): never {
    mark(marks);
    for (;;);
  }

  mark(marks: StoreHandle): void {
    mark(marks);
  }
}

export const Patient = actor(PatientClass);

/** Makes calls of an actor, and can end with them unanswered. */
export class CallerClass {
  call(patient: ActorHandle<PatientClass>, running: StoreHandle, waiting: StoreHandle): void {
    patient.untilAborted(running);
    patient.mark(waiting);
  }

  exit(): never {
    process.exit(1);
  }
}

export const Caller = actor(CallerClass);

/** Runs code of which no method waits for the end. */
export class StarterClass {
  #seen: string | undefined;

  start(): void {
    setImmediate(() => (this.#seen = context().actorId));
  }

  async seen(): Promise<string | undefined> {
    await nextTurn();
    await nextTurn();
    return this.#seen;
  }
}

export const Starter = actor(StarterClass);
