import type { InfoRow } from './binding.js';

/** What a store knows of an object. */
export interface ObjectInfo {
  /** 32 hex digits. */
  id: string;
  /** Bytes of data, without metadata. */
  size: number;
  /** Being written; readable; on disk, which only a runtime's store does. */
  state: 'created' | 'sealed' | 'spilled';
  /** Processes that hold the object by a pin or a view. */
  pins: number;
  /** Milliseconds since the epoch. */
  createdAt: number;
}

/**
 * Counts of a store, of all who have it open, at one moment. Sizes are bytes as they are charged:
 * data and metadata, rounded up to 64.
 */
export interface StoreStats {
  /** The limit. */
  memory: number;
  /** Charged for the objects that there are, unsealed ones too. */
  usedBytes: number;
  /** `memory - usedBytes` */
  freeBytes: number;
  /** The largest object that can be put now with no eviction. */
  largestFreeBlock: number;
  /** Sealed, unsealed and spilled ones. */
  objects: number;
  /** Readable, in memory. */
  sealed: number;
  /** Being written. */
  unsealed: number;
  /** Held by a process, by a pin or a view. */
  pinnedObjects: number;
  /** Charged for them. */
  pinnedBytes: number;
  /** Objects sealed so far. */
  puts: number;
  /** `hits + misses` */
  gets: number;
  /** Gets so far that found their object. */
  hits: number;
  /** Gets so far that did not. */
  misses: number;
  /** Objects evicted so far. */
  evictions: number;
  /** Charged for them. */
  evictedBytes: number;
  /** Objects written to disk so far, each once. */
  spilled: number;
  /** Bytes written. */
  spilledBytes: number;
  /** Objects read back from disk so far. */
  restored: number;
  /** Bytes read. */
  restoredBytes: number;
  /** Processes that have the store open. */
  clients: number;
  /** Processes so far whose holds were given back by others, since they had died. */
  reclaimedClients: number;
  /** How often somebody died inside of an operation, which was undone. */
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
