/** The operations of an ObjectStore. */
import { ObjectStore } from 'mobula/store';
import type { Subject } from '../harness/workload.js';

const smallBytes = 64;

export function hotGet(): Subject {
  const store = ObjectStore.create({ memory: '1MB' });
  const id = store.put(new Uint8Array(smallBytes));
  const held = store.get(id)!;
  return {
    run(count) {
      for (let i = 0; i < count; i++) store.get(id)!.release();
    },
    stop() {
      held.release();
      store.close();
    },
  };
}

/** Every operation gets an object that this process has not looked at before. */
export function firstGet(): Subject {
  const bytes = new Uint8Array(smallBytes);
  const store = ObjectStore.create({ memory: '16MB' });
  let ids: string[] = [];
  return {
    prepare(count) {
      for (const id of ids) store.delete(id);
      ids = Array.from({ length: count }, () => store.put(bytes));
    },
    run() {
      for (const id of ids) store.get(id)!.release();
    },
    stop: () => store.close(),
  };
}

/** One operation a window, so what comes before it must not leave the caches cold. */
export function firstLargeGet(bytes: number): Subject {
  const store = ObjectStore.create({ memory: bytes + 1e6 });
  const small = new Uint8Array(smallBytes);
  let id: string | undefined;
  return {
    prepare() {
      if (id !== undefined) store.delete(id);
      id = store.create(bytes).seal();
      for (let i = 0; i < 1000; i++) {
        const other = store.put(small);
        store.get(other)!.release();
        store.delete(other);
      }
    },
    run: () => store.get(id!)!.release(),
    stop: () => store.close(),
  };
}

export function smallPut(): Subject {
  const bytes = new Uint8Array(smallBytes);
  const store = ObjectStore.create({ memory: '16MB' });
  const ids: string[] = [];
  return {
    prepare() {
      for (const id of ids) store.delete(id);
      ids.length = 0;
    },
    run(count) {
      for (let i = 0; i < count; i++) ids.push(store.put(bytes));
    },
    stop: () => store.close(),
  };
}

/** Every operation evicts the object that was used least recently. */
export function evictingPut(): Subject {
  const bytes = new Uint8Array(smallBytes);
  const store = ObjectStore.create({ memory: '1MB' });
  while (store.stats().evictions === 0) store.put(bytes);
  return {
    run(count) {
      for (let i = 0; i < count; i++) store.put(bytes);
    },
    stop: () => store.close(),
  };
}

/** Every operation puts where the one before has put. */
export function warmPut(bytes: number): Subject {
  const source = new Uint8Array(bytes).fill(1);
  const store = ObjectStore.create({ memory: bytes });
  let id: string | undefined;
  return {
    prepare() {
      if (id !== undefined) store.delete(id);
    },
    run() {
      id = store.put(source);
    },
    stop: () => store.close(),
  };
}

/** Every operation puts into a store that has had no object yet. */
export function coldPut(bytes: number): Subject {
  const source = new Uint8Array(bytes).fill(1);
  let store: ObjectStore | undefined;
  return {
    prepare() {
      store?.close();
      store = ObjectStore.create({ memory: bytes });
    },
    run: () => void store!.put(source),
    stop: () => store?.close(),
  };
}

export function createFillSeal(bytes: number): Subject {
  const store = ObjectStore.create({ memory: bytes });
  let id: string | undefined;
  return {
    prepare() {
      if (id !== undefined) store.delete(id);
    },
    run() {
      const writer = store.create(bytes);
      writer.data.fill(1);
      id = writer.seal();
    },
    stop: () => store.close(),
  };
}
