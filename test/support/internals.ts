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

/** Whether this thread remembers how to make its result of that id again. */
export function isRemembered(id: string): boolean {
  const { ids, lineage } = requireContext().core;
  return lineage.find(ids.ownSequence(id)!) !== undefined;
}

/** How much this thread may remember of tasks; gives what takes that back. */
export function limitLineage(limits: { tasks: number; bytes: number }): () => void {
  const { lineage } = requireContext().core;
  const before = lineage.limits;
  lineage.limits = limits;
  return () => (lineage.limits = before);
}

/** Evicts that object; false when somebody reads it. */
export function evictObject(id: string): boolean {
  return native.storeEvictObject(requireContext().core.store, id);
}
