import { put, type ObjectRef } from 'mobula';
import { runtimeStore } from './runtime.js';

const largest = 400_000;

/** Live refs that leave less room in the running runtime's store than `left` bytes. */
export function fill(left: number): ObjectRef[] {
  using store = runtimeStore();
  const refs: ObjectRef[] = [];
  for (;;) {
    const { freeBytes } = store.stats();
    if (freeBytes <= left) return refs;
    refs.push(put(new Uint8Array(Math.max(16, Math.min(freeBytes, largest) - 4096))));
  }
}
