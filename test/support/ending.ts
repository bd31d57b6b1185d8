/** Tasks that end their worker, each in its way. */
import { actor, get, remote, type ObjectRef } from 'mobula';
import { squareSlowly } from './crashing.js';

const ends = {
  exit: () => process.exit(3),
  kill: () => process.kill(process.pid, 'SIGKILL'),
  throw() {
    setTimeout(() => {
      throw new RangeError('thrown outside of the task');
    });
    return new Promise<void>(() => undefined);
  },
  reject() {
    void Promise.reject(new RangeError('rejected outside of the task'));
    return new Promise<void>(() => undefined);
  },
  fill() {
    const memory: number[][] = [];
    for (;;) memory.push(new Array<number>(100_000).fill(memory.length));
  },
};

export type End = keyof typeof ends;

export const end = remote((how: End): unknown => ends[how]());

export const Ender = actor(
  class {
    end(how: End): unknown {
      return ends[how]();
    }

    /** Submits a task that ends its worker, which is another one; gives the error's message. */
    async messageOfTask(how: End): Promise<string> {
      const error = await end
        .options({ retries: 0 })
        .remote(how)
        .catch((reason: unknown) => reason);
      return (error as Error).message;
    }
  },
);

/** Submits tasks from a thread of the driver's process. */
export class SubmitterClass {
  #refs: ObjectRef<number>[] = [];

  submit(count: number): void {
    this.#refs = Array.from({ length: count }, () =>
      squareSlowly.options({ retries: 9 }).remote(1),
    );
  }

  async sum(): Promise<number> {
    const squares = await get(this.#refs);
    return squares.reduce((total, square) => total + square, 0);
  }
}

export const Submitter = actor(SubmitterClass);
