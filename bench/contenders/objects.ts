/** Mobula's ObjectRefs. */
import { get, init, put, remote, wait, type ObjectRef } from 'mobula';
import type { Subject } from '../harness/workload.js';
import { serial } from './submission.js';
import { noop } from './work.js';

function countArguments(...values: unknown[]): number {
  return values.length;
}

const countTask = remote(countArguments);
const noopTask = remote(noop);

function subject(start: () => Subject['run']): Subject {
  const runtime = init({ workers: 1, memory: '256MB' });
  return { run: start(), stop: () => runtime.shutdown() };
}

const refsTo = (objects: number): ObjectRef[] =>
  Array.from({ length: objects }, (_, number) => put({ number }));

/** One operation is a task with so many refs as arguments. */
export function taskWithRefs(refs: number): Subject {
  return subject(() => {
    const args = refsTo(refs);
    return serial(() => countTask.remote(...args));
  });
}

/** One operation gets so many objects. */
export function getOfObjects(objects: number): Subject {
  return subject(() => {
    const refs = refsTo(objects);
    return serial(() => get(refs));
  });
}

/** One operation gets an object that contains so many refs, each time another one. */
export function getOfRefs(refs: number): Subject {
  const runtime = init({ workers: 1, memory: '256MB' });
  const inner = refsTo(refs);
  let outer: ObjectRef<ObjectRef[]>[] = [];
  return {
    prepare(count) {
      for (const ref of outer) ref[Symbol.dispose]();
      outer = Array.from({ length: count }, () => put(inner));
    },
    async run() {
      for (const ref of outer) {
        for (const one of await ref) one[Symbol.dispose]();
      }
    },
    stop: () => runtime.shutdown(),
  };
}

/** One operation waits for all of so many tasks. */
export function waitOfTasks(tasks: number): Subject {
  return subject(() =>
    serial(async () => {
      const refs = Array.from({ length: tasks }, () => noopTask.remote());
      await wait(refs, { count: tasks });
    }),
  );
}

/** One operation waits until each of so many objects that exist has been reported, one at a time. */
export function waitOneByOne(objects: number): Subject {
  return subject(() => {
    const refs = refsTo(objects);
    return serial(async () => {
      let pending = refs;
      while (pending.length > 0) ({ pending } = await wait(pending, { count: 1 }));
    });
  });
}

/** One operation makes an object and drops it. */
export function putAndDrop(): Subject {
  return subject(() => (count) => {
    for (let i = 0; i < count; i++) put(i)[Symbol.dispose]();
  });
}
