import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { ExecutionContext } from 'ava';
import type { StoreHandle } from 'mobula/store';

/** What an agent can be told to do to the store it has attached to. */
export interface Commands {
  put(bytes: Uint8Array): string;
  /** A private copy. */
  read(id: string): Uint8Array | undefined;
  /** Gets the object, and never releases it. */
  hold(id: string): void;
  /** Keeps what is posted to it. */
  keep(value: unknown): void;
  create(size: number): string;
  write(id: string, bytes: Uint8Array): void;
  seal(id: string): string;
  pin(id: string): boolean;
  unpin(id: string): boolean;
  wait(id: string): Promise<Uint8Array>;
  /** Works on the store and never comes back. */
  churn(): void;
  /** Does one thing for ever; answers once it has begun. */
  repeat(operation: Operation): void;
  close(): void;
}

export const operations = [
  'put',
  'evict',
  'create and seal',
  'create and abort',
  'get',
  'wait',
  'pin and unpin',
  'delete',
  'list',
  'attach and close',
] as const;
export type Operation = (typeof operations)[number];

export interface Request {
  readonly number: number;
  readonly command: keyof Commands;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly number: number;
  readonly value: unknown;
}

interface Place {
  readonly pid: number;
  post(request: Request): void;
  end(): Promise<unknown>;
}

export type PlaceName = 'thread' | 'process';
export const places: readonly PlaceName[] = ['thread', 'process'];

const main = new URL('./store-agent-main.js', import.meta.url);

/** Another thread or process that has attached to a store, and does there what it is told. */
export class StoreAgent {
  readonly #place: Place;
  readonly #pending = new Map<number, (value: unknown) => void>();
  #number = 0;

  static start(t: ExecutionContext, where: PlaceName, target: StoreHandle): StoreAgent {
    const agent = new StoreAgent(where, target);
    t.teardown(() => agent.end());
    return agent;
  }

  /** A process that knows of the store no more than its name. */
  static startByName(t: ExecutionContext, name: string): StoreAgent {
    const agent = new StoreAgent('process', name);
    t.teardown(() => agent.end());
    return agent;
  }

  private constructor(where: PlaceName, target: StoreHandle | string) {
    const answered = (answer: Answer) => this.#answered(answer);
    this.#place =
      where === 'thread' ? startThread(target, answered) : startProcess(target, answered);
  }

  /** Of the process that it is in. */
  get pid(): number {
    return this.#place.pid;
  }

  do<Name extends keyof Commands>(
    command: Name,
    ...args: Parameters<Commands[Name]>
  ): Promise<Awaited<ReturnType<Commands[Name]>>> {
    const number = this.#number++;
    return new Promise((resolve) => {
      this.#pending.set(number, resolve as (value: unknown) => void);
      this.#place.post({ number, command, args });
    });
  }

  #answered({ number, value }: Answer): void {
    this.#pending.get(number)?.(value);
    this.#pending.delete(number);
  }

  /** Terminates the thread, kills the process with SIGKILL; resolves when it is gone. */
  async end(): Promise<void> {
    await this.#place.end();
  }
}

function startThread(target: unknown, answered: (answer: Answer) => void): Place {
  const worker = new Worker(main, { workerData: target });
  worker.on('message', answered);
  return {
    pid: process.pid,
    post: (request) => worker.postMessage(request),
    end: () => worker.terminate(),
  };
}

function startProcess(target: unknown, answered: (answer: Answer) => void): Place {
  const child = fork(fileURLToPath(main), [JSON.stringify(target)], { serialization: 'advanced' });
  const exited = once(child, 'exit');
  child.on('message', (message) => answered(message as Answer));
  return {
    pid: child.pid!,
    post: (request) => child.send(request),
    end: () => {
      child.kill('SIGKILL');
      return exited;
    },
  };
}
