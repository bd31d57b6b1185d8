import type { InfoRow } from './binding.js';

export interface ObjectInfo {
  id: string;
  /** Bytes of data, without metadata. */
  size: number;
  state: 'created' | 'sealed' | 'spilled';
  /** Processes that hold the object by a pin or a view. */
  pins: number;
  /** Milliseconds since the epoch. */
  createdAt: number;
}

export interface StoreStats {
  memory: number;
  usedBytes: number;
  freeBytes: number;
  largestFreeBlock: number;
  objects: number;
  sealed: number;
  unsealed: number;
  pinnedObjects: number;
  pinnedBytes: number;
  puts: number;
  gets: number;
  hits: number;
  misses: number;
  evictions: number;
  evictedBytes: number;
  /** Objects written to disk so far, each once, and read back. */
  spilled: number;
  spilledBytes: number;
  restored: number;
  restoredBytes: number;
  clients: number;
  reclaimedClients: number;
  recoveries: number;
  /**
   * How many views and writers of this instance, in this thread, stand on copies, since the runtime
   * refuses buffers over shared memory (Electron). 0 anywhere else.
   */
  copiedViews: number;
}

const states = ['created', 'sealed', 'spilled'] as const;

export function infoOf([id, size, state, pins, createdAt]: InfoRow): ObjectInfo {
  return { id, size, state: states[state]!, pins, createdAt };
}

export function statsOf(row: Float64Array): StoreStats {
  const [memory, used, largest, sealed, unsealed, pinnedObjects, pinnedBytes] = row;
  const [puts, hits, misses, evictions, evictedBytes, clients, reclaimed, recoveries, onDisk] =
    row.subarray(7);
  const [spilled, spilledBytes, restored, restoredBytes, copiedViews] = row.subarray(16);
  return {
    memory: memory!,
    usedBytes: used!,
    freeBytes: memory! - used!,
    largestFreeBlock: largest!,
    objects: sealed! + unsealed! + onDisk!,
    sealed: sealed!,
    unsealed: unsealed!,
    pinnedObjects: pinnedObjects!,
    pinnedBytes: pinnedBytes!,
    puts: puts!,
    gets: hits! + misses!,
    hits: hits!,
    misses: misses!,
    evictions: evictions!,
    evictedBytes: evictedBytes!,
    spilled: spilled!,
    spilledBytes: spilledBytes!,
    restored: restored!,
    restoredBytes: restoredBytes!,
    clients: clients!,
    reclaimedClients: reclaimed!,
    recoveries: recoveries!,
    copiedViews: copiedViews!,
  };
}
