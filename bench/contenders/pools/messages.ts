/** Requests and answers of the pools that are made by hand from what Node offers. */
import * as work from '../work.js';
import type { WorkName } from './pool.js';

export interface Request {
  readonly id: number;
  readonly name: WorkName;
  readonly argument: unknown;
}

export interface Answer {
  readonly id: number;
  readonly result: unknown;
}

export function answerTo({ id, name, argument }: Request): Answer {
  return { id, result: (work[name] as (argument: unknown) => unknown)(argument) };
}

/** Brings answers to those who wait for them. */
export class Requests {
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #lastId = 0;

  /** Resolves with the result, after `post` has sent the request. */
  make(name: WorkName, argument: unknown, post: (request: Request) => void): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      post({ id, name, argument });
    });
  }

  settle({ id, result }: Answer): void {
    this.#waiting.get(id)!(result);
    this.#waiting.delete(id);
  }
}
