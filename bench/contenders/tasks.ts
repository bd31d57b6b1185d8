/** Mobula's tasks, with one worker. */
import { allocate, init, put, remote } from 'mobula';
import type { Subject } from '../harness/workload.js';
import { serial, windowed, type Submit } from './submission.js';
import { lastOf, noop } from './work.js';

const noopTask = remote(noop);
const lastOfTask = remote(lastOf);

type Isolation = 'thread' | 'process';

function subject(isolation: Isolation, memory: string, run: () => Subject['run']): Subject {
  const runtime = init({ workers: 1, isolation, memory });
  return { run: run(), stop: () => runtime.shutdown() };
}

const submitNoop: Submit = () => noopTask.remote();

export function noopTasks(isolation: Isolation, size: number): Subject {
  return subject(isolation, '64MB', () => windowed(submitNoop, size));
}

export function serialNoopTasks(isolation: Isolation): Subject {
  return subject(isolation, '64MB', () => serial(submitNoop));
}

export function arrayByRef(length: number): Subject {
  return subject('thread', '256MB', () => {
    const array = put(allocate(Float64Array, length).fill(1));
    return serial(() => lastOfTask.remote(array));
  });
}
