/** A message to a worker thread and back, with nothing around it. */
import { Worker } from 'node:worker_threads';
import type { Subject } from '../harness/workload.js';
import { serial } from './submission.js';

export function postMessageEcho(): Subject {
  const worker = new Worker(new URL('./echo-worker.js', import.meta.url));
  let answered: () => void = () => undefined;
  worker.on('message', () => answered());
  const roundTrip = () =>
    new Promise<void>((resolve) => {
      answered = resolve;
      worker.postMessage(undefined);
    });
  return {
    run: serial(roundTrip),
    async stop() {
      await worker.terminate();
    },
  };
}
