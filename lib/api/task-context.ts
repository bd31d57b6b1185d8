import { requireContext } from '../runtime/context.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';
import { nodeId } from '../runtime/node-id.js';

/** Where the running code stands. */
export interface TaskContext {
  /** The runtime. */
  readonly jobId: string;
  /** The machine. */
  readonly nodeId: string;
  /** The thread. */
  readonly workerId: string;
  /** The task or call that the code is part of. */
  readonly taskId?: string;
  /** The actor whose method it is. */
  readonly actorId?: string;
  /** How often the task was run before. */
  readonly attempt: number;
  /** Aborted when the task is cancelled or out of time. */
  readonly signal: AbortSignal;
  /** What the task holds while it runs. */
  readonly resources: Readonly<Record<string, number>>;
  /** Whether this thread is no worker: it has started the runtime, or joined it. */
  readonly isDriver: boolean;
}

const oneCpu = { cpu: 1 } as const;
const never = new AbortController().signal;

/** The task, the worker and the runtime that the running code is part of. */
export function context(): TaskContext {
  assertNotImporting('context()');
  const { core, isDriver } = requireContext();
  const task = core.executor?.currentTask();
  const place = {
    jobId: core.storeId,
    nodeId: nodeId(),
    workerId: core.ids.peerId,
    isDriver,
  };
  if (task === undefined) return { ...place, attempt: 0, signal: never, resources: {} };
  const { actor, incoming, attempt, actorId, terms } = task;
  return {
    ...place,
    taskId: core.taskIdOf(incoming),
    ...(actorId !== undefined && { actorId }),
    attempt,
    resources: actor?.resources ?? terms.resources ?? oneCpu,
    get signal() {
      return task.signal;
    },
  };
}
