import { put } from 'mobula';
import { runtimeStore } from './runtime.js';

/** Whether putting this array seals it where it lies; a copy would take room in the store. */
export function isSealedInPlace(array: Uint8Array | Int16Array | Float32Array): boolean {
  using store = runtimeStore();
  const { usedBytes } = store.stats();
  using ref = put(array);
  return store.contains(ref.id) && store.stats().usedBytes - usedBytes < array.byteLength;
}
