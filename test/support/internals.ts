import type { StoreHandle } from 'mobula/store';
import type * as BindingModule from '../../lib/store/binding.js';
import type * as ContextModule from '../../lib/runtime/context.js';

/** A module of the package that is no entry point. */
export async function load(path: string): Promise<unknown> {
  return import(new URL(`../../../dist/${path}`, import.meta.url).href);
}

const { native } = (await load('store/binding.js')) as typeof BindingModule;
const { requireContext } = (await load('runtime/context.js')) as typeof ContextModule;

/** Attaches to the store of the running runtime. */
export function runtimeStoreHandle(): StoreHandle {
  const [pid, fd, storeId] = native.storeHandle(requireContext().core.store);
  return { pid, fd, storeId };
}

/** How long what waits for room in this thread has hope, in milliseconds. */
export function setHope(hopeMs: number): void {
  requireContext().core.room.hopeMs = hopeMs;
}

/** Whether a result or promised value of the running runtime waits for room. */
export function isRoomAwaited(): boolean {
  return !native.storeIsFirstForRoom(requireContext().core.store, Number.MAX_SAFE_INTEGER);
}

/** Asks all threads that have the running runtime's store open to collect garbage. */
export function askAllToCollect(): void {
  native.storeAskToCollect(requireContext().core.store);
}
