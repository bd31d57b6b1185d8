/** `mobula`: tasks, actors and object refs over a shared-memory object store. */

export { actor } from './api/actor.js';
export type { ActorClass, ActorHandle, CallOptions, ActorMethod } from './api/actor.js';
export type { ActorOptions } from './api/actor-options.js';
export { ActorPool } from './api/actor-pool.js';
export type { GetNextOptions } from './api/actor-pool.js';
export { getActor, kill, stop } from './api/actor-lifetime.js';
export type { KillOptions } from './api/actor-lifetime.js';
export { init, main, shutdown } from './api/lifecycle.js';
export type { InitOptions, Runtime, ShutdownOptions } from './api/lifecycle.js';
export { cancel } from './api/cancel.js';
export type { CancelOptions } from './api/cancel.js';
export { getSync } from './api/get-sync.js';
export type { GetSyncOptions } from './api/get-sync.js';
export { map } from './api/map.js';
export type { Mappable, MapOptions } from './api/map.js';
export { allocate, free, get, put, wait } from './api/objects.js';
export type { GetOptions, PutOptions, WaitOptions, WaitResult } from './api/objects.js';
export { Queue } from './api/queue.js';
export type { QueueBatchOptions, QueueOptions, QueueWaitOptions } from './api/queue.js';
export { supervise } from './api/supervise.js';
export type { Supervisor, SuperviseOptions } from './api/supervise.js';
export { context } from './api/task-context.js';
export type { TaskContext } from './api/task-context.js';
export { remote } from './api/remote.js';
export type { RemoteFunction, TaskOptions } from './api/remote.js';
export type { Argument } from './api/submitted.js';
export { memory, stats, taskTimes } from './api/stats.js';
export type { RuntimeStats, TaskTimeHistograms } from './api/stats.js';
export { register, release } from './api/values.js';
export type { Serializer } from './api/values.js';
export type { ActorEvent, TaskEvent, WorkerEvent } from './runtime/diagnostics.js';
export type { StoreStats } from './store/object-info.js';
export type { ObjectMemory } from './runtime/objects/memory.js';
export { ObjectStream } from './runtime/tasks/object-stream.js';
export { ObjectRef } from './runtime/objects/object-ref.js';
export {
  ActorDiedError,
  ActorError,
  ActorExistsError,
  ActorNotFoundError,
  ActorUnavailableError,
  FunctionNotFoundError,
  GetTimeoutError,
  MobulaError,
  ObjectError,
  ObjectExistsError,
  ObjectFreedError,
  ObjectLostError,
  ObjectNotFoundError,
  OutOfDiskError,
  OutOfMemoryError,
  PendingCallsLimitError,
  QueueEmptyError,
  QueueFullError,
  RuntimeShutdownError,
  SerializationError,
  StoreClosedError,
  StoreCorruptError,
  StoreFullError,
  StoreStalledError,
  TaskCancelledError,
  TaskError,
  TaskTimeoutError,
  UnschedulableError,
  WorkerCrashedError,
} from './common/errors.js';
