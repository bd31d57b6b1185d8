import { Worker } from 'node:worker_threads';
import { Requests, type Answer } from './messages.js';
import type { Pool, PoolSettings } from './pool.js';

/** Nothing but postMessage, to the workers in turn. Results are transferred. */
export function openWorkerThreads({ workers }: PoolSettings): Pool {
  const requests = new Requests();
  const script = new URL('./worker-threads-worker.js', import.meta.url);
  const threads = Array.from({ length: workers }, () =>
    new Worker(script).on('message', (answer: Answer) => requests.settle(answer)),
  );
  return {
    run: (name, argument, transfer) =>
      requests.make(name, argument, (request) =>
        threads[request.id % workers]!.postMessage(request, transfer),
      ),
    close: () => Promise.all(threads.map((thread) => thread.terminate())),
  };
}
