import { types } from 'node:util';
import {
  checkDuration,
  checkFunction,
  checkInteger,
  checkKeys,
  checkObject,
  checkOneOf,
  checkString,
  invalidType,
  outOfRange,
} from '../common/validate.js';
import { requireContext, type Context } from '../runtime/context.js';
import type { Core } from '../runtime/core.js';
import type { ObjectRef } from '../runtime/objects/object-ref.js';
import { withContext } from '../runtime/tasks/carried-context.js';
import {
  callerModule,
  declare,
  isClass,
  type AnyFunction,
  type Declaration,
} from '../runtime/tasks/functions.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';
import type { ObjectStream } from '../runtime/tasks/object-stream.js';
import { addErrorClass } from '../runtime/tasks/error-classes.js';
import type { Route } from '../runtime/tasks/request.js';
import { checkReturns, usualBackpressure } from '../runtime/tasks/result-options.js';
import type { ErrorType, RetryPolicy } from '../runtime/tasks/retry-policy.js';
import { amountsOf, type Demand } from '../runtime/tasks/shapes.js';
import type { Terms } from '../runtime/tasks/task-spec.js';
import { sharedClock } from '../runtime/tasks/task-times.js';
import { Op, RunQueue } from '../transport/wire.js';
import { checkDemand } from './demand.js';
import type { Arguments, Submitted } from './submitted.js';

/** How a task runs. Durations are milliseconds, or strings such as `'250ms'` and `'5s'`. */
export interface TaskOptions {
  /** For messages; default the function's name. */
  name?: string;
  /** What it holds while it runs; default 1. Fractions are fine. */
  cpus?: number;
  /** Default 0. A process worker sees its gpus in CUDA_VISIBLE_DEVICES. */
  gpus?: number;
  /** Amounts of what `init()` was given as `resources`. */
  resources?: Record<string, number>;
  /** How often the task is run again after it has ended its worker; default 3. */
  retries?: number;
  /** Run it again also when it throws: whatever it is, or one of these. Default false. */
  retryErrors?: boolean | readonly ErrorType[];
  /** Before it is run again; default 0. */
  retryDelay?: number | string;
  /** From the start of the call to its end; also ends a synchronous loop. Default none. */
  timeout?: number | string;
  /** More than 1: the function returns an array of so many results, each with a ref of its own. */
  returns?: number;
  /** The kind of worker it runs in; default the runtime's. */
  isolation?: 'thread' | 'process';
  /** Tasks of a higher priority run first; a whole number, default 0. */
  priority?: number;
  /** How many unread items a generator may be ahead of its reader; default 16. */
  backpressure?: number;
}

/** Submits a task that calls the function in a worker. */
type Submit<F extends AnyFunction, O extends TaskOptions> = (
  ...args: Arguments<Parameters<F>>
) => Submitted<ReturnType<F>, O>;

/** The function itself, to be called here and now, which can also be submitted as a task. */
export type RemoteFunction<
  F extends AnyFunction = AnyFunction,
  O extends TaskOptions = TaskOptions,
> = F & {
  /**
   * Submits a task, whose arguments are values or refs to them; returns at once: a ref to the
   * result, a stream for a generator, with the option `returns` an array of refs.
   */
  readonly remote: Submit<F, O>;
  /** The same, with these options over those that `remote()` was given. */
  options<const More extends TaskOptions>(
    options: More,
  ): {
    /** Submits a task. */
    readonly remote: Submit<F, Omit<O, keyof More> & More>;
  };
};

interface CheckedOptions {
  readonly name: string;
  readonly demand: Demand;
  readonly policy: RetryPolicy;
  readonly terms: Terms | undefined;
  readonly returns: number;
  readonly backpressure: number | undefined;
  readonly isolation: 'thread' | 'process' | undefined;
  readonly priority: number;
}

const known: readonly (keyof TaskOptions)[] = [
  'name',
  'cpus',
  'gpus',
  'resources',
  'retries',
  'retryErrors',
  'retryDelay',
  'timeout',
  'returns',
  'isolation',
  'priority',
  'backpressure',
];
const priorityLimit = 2 ** 31 - 1;
/** One object for all, so that its run queue is looked up once. */
const usualDemand: Demand = { cpus: 1, gpus: 0, resources: {} };

function checkOptions(
  { target, name: ownName }: Declaration,
  options: TaskOptions,
): CheckedOptions {
  checkObject('options', options);
  checkKeys('options', options, known);
  const { name = ownName, isolation, priority = 0, returns = 1 } = options;
  checkString('options.name', name);
  if (name === '') throw outOfRange('options.name', 'not empty', name);
  if (isolation !== undefined) checkOneOf('options.isolation', isolation, ['thread', 'process']);
  checkInteger('options.priority', priority, -priorityLimit, priorityLimit);
  const demand = checkDemand(options, usualDemand);
  const timeout = checkTimeout(options.timeout);
  const backpressure = checkBackpressure(target, options.backpressure);
  checkReturns(returns, backpressure !== undefined);
  const terms: Terms = {
    ...(name !== ownName && { name }),
    ...(timeout !== Infinity && { timeout }),
    ...(returns > 1 && { returns }),
    ...(backpressure !== undefined && { backpressure }),
    ...(demand !== usualDemand && { resources: amountsOf(demand) }),
  };
  return {
    name,
    demand,
    policy: checkPolicy(options),
    terms: Object.keys(terms).length === 0 ? undefined : terms,
    returns,
    backpressure,
    isolation,
    priority,
  };
}

function checkTimeout(timeout: number | string = Infinity): number {
  return checkDuration('options.timeout', timeout);
}

function checkPolicy({
  retries = 3,
  retryErrors = false,
  retryDelay = 0,
}: TaskOptions): RetryPolicy {
  checkInteger('options.retries', retries, 0);
  if (Array.isArray(retryErrors)) retryErrors.forEach(checkErrorClass);
  else if (typeof retryErrors !== 'boolean') {
    throw invalidType('options.retryErrors', 'a boolean or an array of error classes', retryErrors);
  }
  return { retries, retryErrors, retryDelay: checkDuration('options.retryDelay', retryDelay) };
}

function checkErrorClass(value: unknown, index: number): void {
  const isErrorClass =
    typeof value === 'function' &&
    (value === Error || (value.prototype as unknown) instanceof Error);
  if (!isErrorClass) throw invalidType(`options.retryErrors[${index}]`, 'a class of errors', value);
  addErrorClass(value);
}

/** Undefined for a function that is no generator. */
function checkBackpressure(target: unknown, backpressure: number | undefined): number | undefined {
  const isGenerator = types.isGeneratorFunction(target);
  if (backpressure !== undefined) {
    checkInteger('options.backpressure', backpressure, 1);
    if (!isGenerator) throw new TypeError('options.backpressure is for generator functions only');
  }
  return isGenerator ? (backpressure ?? usualBackpressure) : undefined;
}

export type Given = 'ref' | 'refs' | 'stream';

const given = new WeakMap<AnyFunction, Given>();

/** What a call of `submit` gives; undefined when it is no `.remote` of a remote function. */
export function givenBy(submit: AnyFunction): Given | undefined {
  return given.get(submit);
}

/** Submits tasks of a function with the same options. */
class Submitter {
  readonly #declaration: Declaration;
  readonly #options: CheckedOptions;
  readonly #what: string;
  #core: Core | undefined;
  #route!: Route;

  constructor(declaration: Declaration, options: CheckedOptions) {
    this.#declaration = declaration;
    this.#options = options;
    this.#what = `${options.name}.remote()`;
  }

  get gives(): Given {
    if (this.#options.backpressure !== undefined) return 'stream';
    return this.#options.returns > 1 ? 'refs' : 'ref';
  }

  submit(args: readonly unknown[]): ObjectRef | readonly ObjectRef[] | ObjectStream {
    assertNotImporting(this.#what);
    const context = requireContext();
    const { core } = context;
    if (core !== this.#core) this.#enter(context);
    const { backpressure, returns } = this.#options;
    const terms = withContext(this.#declaration, this.#timed(core));
    const request = { route: this.#route, args, flags: 0, terms, order: undefined };
    if (backpressure !== undefined) return core.requests.openStream(request, backpressure);
    if (returns > 1) return core.requests.sendForMany(request, returns);
    return core.requests.send(request);
  }

  #timed({ taskTimes }: Core): Terms | undefined {
    const { terms } = this.#options;
    return taskTimes === undefined ? terms : { ...terms, submittedAt: sharedClock() };
  }

  #enter({ core, isolation: usual }: Context): void {
    const { demand, isolation = usual, name, policy, priority } = this.#options;
    const target = core.shapes.of(isolation, demand);
    const queue = RunQueue[isolation];
    const destination = { op: Op.submit, target, detail: priority, queue };
    this.#route = { destination, declaration: this.#declaration, what: name, policy };
    this.#core = core;
  }
}

/**
 * Makes a function that can run in workers. To be called at the top level of a module: a worker
 * imports that module to find it.
 */
export function remote<F extends AnyFunction, const O extends TaskOptions = object>(
  fn: F,
  options: O = {} as O,
): RemoteFunction<F, O> {
  checkFunction('fn', fn);
  if (isClass(fn))
    throw new TypeError('remote() is for functions: make an actor of a class, by actor()');
  const module = callerModule(remote);
  if (module === undefined) {
    throw new TypeError('remote() needs a module that workers can import: put the code in a file');
  }
  const declaration = declare(fn, module);
  const submitWith = (terms: TaskOptions) => {
    const submitter = new Submitter(declaration, checkOptions(declaration, terms));
    const submit = (...args: unknown[]) => submitter.submit(args);
    given.set(submit, submitter.gives);
    return submit;
  };
  const local = ((...args) => fn(...args)) as F;
  Object.defineProperty(local, 'name', { value: fn.name });
  return Object.assign(local, {
    remote: submitWith(options),
    options(more: TaskOptions) {
      checkObject('options', more);
      return { remote: submitWith({ ...options, ...more }) };
    },
  }) as unknown as RemoteFunction<F, O>;
}
