/** What only Mobula's tasks do, with one worker. */
import { get, getSync, init, remote } from 'mobula';
import type { Subject } from '../harness/workload.js';
import { noop } from './work.js';

const noopTask = remote(noop);

function subject(run: Subject['run']): Subject {
  const runtime = init({ workers: 1, memory: '64MB' });
  return { run, stop: () => runtime.shutdown() };
}

export function blockingNoopTasks(): Subject {
  return subject((count) => {
    for (let i = 0; i < count; i++) getSync(noopTask.remote());
  });
}

/** One operation submits so many tasks at once and waits for all. */
export function drainedTasks(tasks: number): Subject {
  return subject(async (count) => {
    for (let i = 0; i < count; i++)
      await get(Array.from({ length: tasks }, () => noopTask.remote()));
  });
}
