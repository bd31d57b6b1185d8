import { actor, context, remote, type Queue } from 'mobula';
import { ObjectStore, type StoreHandle } from 'mobula/store';

export const putAll = remote(async (queue: Queue<number>, items: readonly number[]) => {
  for (const item of items) await queue.put(item);
});

export const getMany = remote(async <T>(queue: Queue<T>, count: number): Promise<T[]> => {
  const items: T[] = [];
  for (let i = 0; i < count; i++) items.push(await queue.get());
  return items;
});

/** Gives the queue back, inside a value. */
export const boxQueue = remote((queue: Queue<number>) => ({ queues: new Map([['one', queue]]) }));

/** Waits for an item. One mark says that it does, another that its cancellation has arrived. */
export const markAndGet = remote(async (queue: Queue<number>, marks: StoreHandle) => {
  const store = ObjectStore.attach(marks);
  // What one thread sends arrives in its order.
  const markLater = async () => {
    await queue.size();
    store.put(new Uint8Array(1));
  };
  context().signal.addEventListener('abort', () => setImmediate(() => void markLater()));
  const item = queue.get();
  await markLater();
  return await item;
});

/** Waits for an item, after it has said in which process. */
export const pidAndGet = remote(async (queue: Queue<number>, answers: Queue<number>) => {
  const item = queue.get();
  await queue.size();
  await answers.put(process.pid);
  return await item;
});

export const sumFromQueue = remote(async (queue: Queue<Float64Array>) => {
  const array = await queue.get();
  return {
    sum: array.reduce((sum, n) => sum + n, 0),
    isShared: array.buffer instanceof SharedArrayBuffer,
  };
});

/** Has a queue as its state. */
export class MailmanClass {
  readonly #queue: Queue<string>;

  constructor(queue: Queue<string>) {
    this.#queue = queue;
  }

  async deliver(item: string): Promise<void> {
    await this.#queue.put(item);
  }

  queue(): Queue<string> {
    return this.#queue;
  }
}

export const Mailman = actor(MailmanClass);
