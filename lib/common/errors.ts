/**
 * Every error that Mobula raises, with its stable `code`. Match on `code`: it stays the same across
 * versions and across copies of the package; messages may change.
 */

const brand = Symbol.for('mobula.MobulaError');

/** The class of all errors of Mobula. */
export class MobulaError extends Error {
  /** Stable across versions, e.g. `'MOBULA_STORE_FULL'`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  static {
    Object.defineProperty(this.prototype, 'name', { value: 'MobulaError', configurable: true });
    Object.defineProperty(this.prototype, brand, { value: true });
  }

  /** True for errors of other copies of the package too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== MobulaError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && brand in value;
  }
}

type Constructor<E extends MobulaError> = new (message: string, options?: ErrorOptions) => E;

const constructors = new Map<string, Constructor<MobulaError>>();

/** Gives a class its name on the prototype and makes it known to {@link errorClass}. */
function declare(name: string, type: Constructor<MobulaError>): void {
  Object.defineProperty(type.prototype, 'name', { value: name, configurable: true });
  constructors.set(name, type);
}

/** The class of that name, for errors that arrive from another thread or process. */
export function errorClass(name: string): Constructor<MobulaError> | undefined {
  return constructors.get(name);
}

/** A task or actor method threw; `cause` is what it threw. */
export class TaskError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_TASK', message, options);
  }
}

/** The worker that ran the task died too often. */
export class WorkerCrashedError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_WORKER_CRASHED', message, options);
  }
}

/**
 * The task or call was cancelled: by `cancel`, by one of the calls that cancel what is left, or
 * with its caller.
 */
export class TaskCancelledError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_TASK_CANCELLED', message, options);
  }
}

/** The task or call took longer than its `timeout`; it is not retried. */
export class TaskTimeoutError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_TASK_TIMEOUT', message, options);
  }
}

/** `get`, `wait` or `ObjectStore.wait` ran out of time; the object may still come. */
export class GetTimeoutError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_GET_TIMEOUT', message, options);
  }
}

/** A worker imported the module that should declare a function, and it did not. */
export class FunctionNotFoundError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_FUNCTION_NOT_FOUND', message, options);
  }
}

/** What became of an actor is why a call has failed. */
export class ActorError extends MobulaError {}

/**
 * The actor has ended, and is not restarted; the message says how. `cause` is what its constructor
 * or `onStart` has thrown, if that was it.
 */
export class ActorDiedError extends ActorError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_ACTOR_DIED', message, options);
  }
}

/**
 * The call may have begun when its actor was interrupted, and has no retries left; the actor is
 * restarted, and takes calls.
 */
export class ActorUnavailableError extends ActorError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_ACTOR_UNAVAILABLE', message, options);
  }
}

/** No living actor has the name that `getActor` was given. */
export class ActorNotFoundError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_ACTOR_NOT_FOUND', message, options);
  }
}

/** A living actor has the name already. */
export class ActorExistsError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_ACTOR_EXISTS', message, options);
  }
}

/**
 * As many calls of the actor are unanswered as its `maxPendingCalls` allows; this one was not
 * made.
 */
export class PendingCallsLimitError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_PENDING_CALLS_LIMIT', message, options);
  }
}

/** What became of an object is why it cannot be had. */
export class ObjectError extends MobulaError {}

/** There is no object, or no store, of that id, name or handle. */
export class ObjectNotFoundError extends ObjectError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_OBJECT_NOT_FOUND', message, options);
  }
}

/** The id, or the name of a store, is taken. */
export class ObjectExistsError extends ObjectError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_OBJECT_EXISTS', message, options);
  }
}

/** The object's bytes are gone and cannot be made again. */
export class ObjectLostError extends ObjectError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_OBJECT_LOST', message, options);
  }
}

/** Somebody has given the object up by `free`. */
export class ObjectFreedError extends ObjectError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_OBJECT_FREED', message, options);
  }
}

/** The writer has been sealed, aborted or closed with its store: it publishes nothing more. */
export class ObjectNotSealedError extends ObjectError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_OBJECT_NOT_SEALED', message, options);
  }
}

/**
 * The object does not fit beside what is in use, or is larger than the store. Nothing has changed;
 * the message says who holds how much.
 */
export class StoreFullError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_STORE_FULL', message, options);
  }
}

/** The store was closed. */
export class StoreClosedError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_STORE_CLOSED', message, options);
  }
}

/** The shared memory of a store has been damaged: the store cannot be used any more. */
export class StoreCorruptError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_STORE_CORRUPT', message, options);
  }
}

/** A process is stopped while it holds the store's lock; the message names its pid. */
export class StoreStalledError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_STORE_STALLED', message, options);
  }
}

/** A value cannot be encoded or decoded; the message names the path to the culprit. */
export class SerializationError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_SERIALIZATION', message, options);
  }
}

/**
 * Objects cannot be written to disk: it is full, `spillLimit` is reached, or the directory cannot
 * be used. What is there can still be read.
 */
export class OutOfDiskError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_OUT_OF_DISK', message, options);
  }
}

/**
 * The worker was stopped as memory was short, and the task may not run again. The message says who
 * had how much.
 */
export class OutOfMemoryError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_OUT_OF_MEMORY', message, options);
  }
}

/** The runtime has ended, or this process has left it. */
export class RuntimeShutdownError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_RUNTIME_SHUTDOWN', message, options);
  }
}

export function hasShutDown(): RuntimeShutdownError {
  return new RuntimeShutdownError('The runtime has shut down: call init() to start another one');
}

/** No worker of this runtime can ever run the task. */
export class UnschedulableError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_UNSCHEDULABLE', message, options);
  }
}

/** The queue had no room in time, or can never have as much. */
export class QueueFullError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_QUEUE_FULL', message, options);
  }
}

/** The queue had no item in time, or can never have as many. */
export class QueueEmptyError extends MobulaError {
  constructor(message: string, options?: ErrorOptions) {
    super('MOBULA_QUEUE_EMPTY', message, options);
  }
}

for (const [name, type] of Object.entries({
  TaskError,
  WorkerCrashedError,
  TaskCancelledError,
  TaskTimeoutError,
  GetTimeoutError,
  FunctionNotFoundError,
  ActorDiedError,
  ActorUnavailableError,
  ActorNotFoundError,
  ActorExistsError,
  PendingCallsLimitError,
  ObjectNotFoundError,
  ObjectExistsError,
  ObjectLostError,
  ObjectFreedError,
  ObjectNotSealedError,
  StoreFullError,
  StoreClosedError,
  StoreCorruptError,
  StoreStalledError,
  SerializationError,
  OutOfDiskError,
  OutOfMemoryError,
  RuntimeShutdownError,
  UnschedulableError,
  QueueFullError,
  QueueEmptyError,
})) {
  declare(name, type);
}
