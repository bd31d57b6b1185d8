import type { Histogram } from 'node:perf_hooks';
import { requireContext } from '../runtime/context.js';
import { listMemory, type ObjectMemory } from '../runtime/objects/memory.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';
import { TaskHistograms } from '../runtime/tasks/task-times.js';
import { native } from '../store/binding.js';
import { statsOf, type StoreStats } from '../store/object-info.js';

/** Counts of a whole runtime, of all who take part in it. */
export interface RuntimeStats {
  /** Of the runtime's object store. */
  readonly store: StoreStats;
  /** Threads and processes that are up to run tasks and to host actors. */
  readonly workers: number;
  /** Calls of actors are not among them. */
  readonly tasks: {
    /** Wait for a worker. Tasks whose arguments are still to come are not among them. */
    readonly queued: number;
    /** Taken by a worker; those that await others too. */
    readonly running: number;
    /** Tasks so far that ended with a value; streams that were left early too. */
    readonly finished: number;
    /** Tasks so far that ended with an error: cancelled ones, and those that never ran, too. */
    readonly failed: number;
    /** Runs so far that were not their task's first one. */
    readonly retried: number;
  };
  /** Each actor is counted in one of these. */
  readonly actors: {
    /** Created and not ended, on their way to a host too. */
    readonly alive: number;
    /** Waiting for a host that takes the place of the last one. */
    readonly restarting: number;
    /** Ended so far, in whatever way. */
    readonly dead: number;
  };
}

/** What the runtime has, does and has done, counted exactly and at one moment for each part. */
export function stats(): RuntimeStats {
  assertNotImporting('stats()');
  const { store, peer } = requireContext().core;
  peer.flush();
  const [queued, running, finished, failed, retried, , workers, actors, restarting, dead] =
    native.peerCounts(peer.handle);
  return {
    store: statsOf(native.storeStats(store)),
    workers: workers!,
    tasks: {
      queued: queued!,
      running: running!,
      finished: finished!,
      failed: failed!,
      retried: retried!,
    },
    actors: { alive: actors! - restarting!, restarting: restarting!, dead: dead! },
  };
}

/** Nanoseconds, as perf_hooks has them. */
export interface TaskTimeHistograms {
  /** From `.remote()` to the start of the code, with the wait for arguments and earlier runs. */
  readonly wait: Histogram;
  /** From the start of the code to its answer. */
  readonly run: Histogram;
}

/**
 * How long the tasks of this runtime that have ended by now had waited and run, whoever in the
 * runtime has submitted them; a tenth of a second late. Each run counts, when a task is run again
 * for what it has thrown; none whose worker has died. Undefined without `trackTaskTimes`, in
 * workers, and in processes that have joined.
 */
export function taskTimes(): TaskTimeHistograms | undefined {
  assertNotImporting('taskTimes()');
  const { taskTimes: times } = requireContext().core;
  return times instanceof TaskHistograms ? times : undefined;
}

/**
 * The objects of this runtime that refs stand for: those in the store, whoever has the refs, and
 * those in the memory of this thread. For diagnosis: it collects garbage and searches the heap.
 */
export function memory(): ObjectMemory[] {
  assertNotImporting('memory()');
  return listMemory(requireContext().core);
}
