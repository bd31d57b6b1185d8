import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Requests, type Answer } from './messages.js';
import type { Pool, PoolSettings } from './pool.js';

/** Messages by structured clone, which JSON is no match for on arrays, to the children in turn. */
export function openChildProcess({ workers }: PoolSettings): Pool {
  const requests = new Requests();
  const script = fileURLToPath(new URL('./child-process-worker.js', import.meta.url));
  const children = Array.from({ length: workers }, () =>
    fork(script, { serialization: 'advanced' }).on('message', (answer) =>
      requests.settle(answer as Answer),
    ),
  );
  return {
    run: (name, argument) =>
      requests.make(name, argument, (request) => children[request.id % workers]!.send(request)),
    close: () =>
      Promise.all(
        children.map((child) => {
          child.disconnect();
          return once(child, 'exit');
        }),
      ),
  };
}
