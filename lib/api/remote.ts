import {
  checkFunction,
  checkInteger,
  checkKeys,
  checkObject,
  checkOneOf,
  checkString,
} from '../common/validate.js';
import { requireContext } from '../runtime/context.js';
import {
  callerModule,
  declare,
  type AnyFunction,
  type Declaration,
} from '../runtime/tasks/functions.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';
import type { ObjectRef } from '../runtime/objects/object-ref.js';
import { Op, RunQueue } from '../transport/wire.js';

export interface TaskOptions {
  /** For messages; default the function's name. */
  name?: string;
  /** How often the task is run again after its worker died; default 3. */
  retries?: number;
  /** The kind of worker it runs in; default the runtime's. */
  isolation?: 'thread' | 'process';
}

/** An argument of a task: a value, or a ref that is resolved before the call. */
export type Argument<T> = T | ObjectRef<T>;
type Arguments<A extends readonly unknown[]> = { [Index in keyof A]: Argument<A[Index]> };

/** What a ref to the result of a function gives: promises, and refs in them, are awaited. */
type Result<R> = ObjectRef<Awaited<R>>;

/** Submits a task that calls the function in a worker. */
type Submit<F extends AnyFunction> = (...args: Arguments<Parameters<F>>) => Result<ReturnType<F>>;

/** The function itself, to be called here and now, which can also be submitted as a task. */
export type RemoteFunction<F extends AnyFunction = AnyFunction> = F & {
  readonly remote: Submit<F>;
  options(options: TaskOptions): { readonly remote: Submit<F> };
};

interface CheckedOptions {
  readonly name: string | undefined;
  readonly retries: number;
  readonly isolation: 'thread' | 'process' | undefined;
}

const defaultRetries = 3;

function checkOptions(options: TaskOptions): CheckedOptions {
  checkObject('options', options);
  checkKeys('options', options, ['name', 'retries', 'isolation']);
  const { name, retries = defaultRetries, isolation } = options;
  if (name !== undefined) checkString('options.name', name);
  if (isolation !== undefined) checkOneOf('options.isolation', isolation, ['thread', 'process']);
  return { name, retries: checkInteger('options.retries', retries, 0), isolation };
}

function submit(
  declaration: Declaration,
  { name = declaration.name, retries, isolation }: CheckedOptions,
  args: readonly unknown[],
): ObjectRef {
  assertNotImporting(`${name}.remote()`);
  const context = requireContext();
  const queue = RunQueue[isolation ?? context.isolation];
  return context.core.requests.send({
    destination: { op: Op.submit, target: context.core.shape(queue), targetUid: 0, queue },
    declaration,
    what: name,
    args,
    flags: 0,
    retries,
  });
}

/**
 * Makes a function that can run in workers. To be called at the top level of a module: a worker
 * imports that module to find it.
 */
export function remote<F extends AnyFunction>(fn: F, options: TaskOptions = {}): RemoteFunction<F> {
  checkFunction('fn', fn);
  const defaults = checkOptions(options);
  const module = callerModule(remote);
  if (module === undefined) {
    throw new TypeError('remote() needs a module that workers can import: put the code in a file');
  }
  const declaration = declare(fn, module);
  const submitWith =
    (checked: CheckedOptions): Submit<F> =>
    (...args) =>
      submit(declaration, checked, args) as Result<ReturnType<F>>;
  const local = ((...args) => fn(...args)) as F;
  Object.defineProperty(local, 'name', { value: declaration.name });
  return Object.assign(local, {
    remote: submitWith(defaults),
    options(more: TaskOptions) {
      checkObject('options', more);
      return { remote: submitWith(checkOptions({ ...options, ...more })) };
    },
  });
}
