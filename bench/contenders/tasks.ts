/** Mobula's tasks, with one worker. */
import { allocate, get, getSync, init, put, remote, type ObjectRef } from 'mobula';
import type { Subject } from '../harness/workload.js';
import { serial, windowed, type Submit } from './submission.js';
import { burn, countArguments, lastOf, noop } from './work.js';

const noopTask = remote(noop);
const lastOfTask = remote(lastOf);
const countTask = remote(countArguments);
const burnTask = remote(burn);

type Isolation = 'thread' | 'process';

function subject(
  isolation: Isolation,
  memory: string,
  run: () => Subject['run'],
  workers = 1,
): Subject {
  const runtime = init({ workers, isolation, memory });
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

export function blockingNoopTasks(): Subject {
  return subject('thread', '64MB', () => (count) => {
    for (let i = 0; i < count; i++) getSync(noopTask.remote());
  });
}

/** One operation submits so many tasks at once and waits for all. */
export function drainedTasks(tasks: number): Subject {
  return subject('thread', '64MB', () => async (count) => {
    for (let i = 0; i < count; i++)
      await get(Array.from({ length: tasks }, () => noopTask.remote()));
  });
}

/** One operation is a task with so many refs as arguments. */
export function taskWithRefs(refs: number): Subject {
  return subject('thread', '256MB', () => {
    const args = Array.from({ length: refs }, (_, i) => put(i));
    return serial(() => countTask.remote(...args));
  });
}

/** One operation gets so many objects. */
export function getOfObjects(objects: number): Subject {
  return subject('thread', '256MB', () => {
    const refs: ObjectRef[] = Array.from({ length: objects }, (_, i) => put({ number: i }));
    return serial(() => get(refs));
  });
}

export function cpuBoundTasks(workers: number): Subject {
  return subject('thread', '64MB', () => windowed(() => burnTask.remote(), 2 * workers), workers);
}
