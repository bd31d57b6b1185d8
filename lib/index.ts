/** `mobula`: tasks, actors and object refs over a shared-memory object store. */

export { actor } from './api/actor.js';
export type { ActorClass, ActorHandle, ActorOptions } from './api/actor.js';
export { init, main, shutdown } from './api/lifecycle.js';
export type { InitOptions, Runtime, ShutdownOptions } from './api/lifecycle.js';
export { allocate, free, get, put, wait } from './api/objects.js';
export type { GetOptions, PutOptions, WaitOptions, WaitResult } from './api/objects.js';
export { remote } from './api/remote.js';
export type { Argument, RemoteFunction, TaskOptions } from './api/remote.js';
export { memory } from './api/stats.js';
export type { ObjectMemory } from './runtime/objects/memory.js';
export { ObjectRef } from './runtime/objects/object-ref.js';
export {
  ActorDiedError,
  ActorError,
  FunctionNotFoundError,
  GetTimeoutError,
  MobulaError,
  ObjectError,
  ObjectExistsError,
  ObjectFreedError,
  ObjectLostError,
  ObjectNotFoundError,
  RuntimeShutdownError,
  SerializationError,
  StoreClosedError,
  StoreCorruptError,
  StoreFullError,
  StoreStalledError,
  TaskError,
  WorkerCrashedError,
} from './common/errors.js';
