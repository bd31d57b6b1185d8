import { pathToFileURL } from 'node:url';
import { MobulaError } from '../common/errors.js';
import {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkInteger,
  checkKeys,
  checkObject,
  checkOneOf,
  checkQuantity,
  checkSize,
  checkString,
  outOfRange,
} from '../common/validate.js';
import { currentContext, onFirstUse, requireContext } from '../runtime/context.js';
import { isAddress, isName } from '../runtime/address.js';
import { defaultMemory, defaultWorkers, Driver, type DriverOptions } from '../runtime/driver.js';
import { Joiner } from '../runtime/joiner.js';
import type { SpillOptions } from '../runtime/spill-directory.js';
import { callerModule } from '../runtime/tasks/functions.js';
import { isWorker } from '../runtime/tasks/modules.js';

/**
 * What a runtime has and how it works. Sizes are bytes, or strings such as `'512MB'` and `'4GiB'`.
 * What is out of range, or has an unknown name, is a TypeError or RangeError.
 */
export interface InitOptions {
  /** Store limit; default 30 % of the memory that this process may use. */
  memory?: number | string;
  /** Task workers; default `os.availableParallelism()`. */
  workers?: number;
  /** What a task worker is; default `'thread'`. */
  isolation?: 'thread' | 'process';
  /** What tasks can ask for: `cpu` (default {@link workers}), `gpu` (default 0), and any others. */
  resources?: Record<string, number>;
  /**
   * Default `'spill'`: what is referenced goes to disk when its memory is needed, what is not,
   * goes.
   */
  eviction?: 'spill' | 'clru' | 'none';
  /**
   * Where objects spill to, in a directory of the runtime's own that ends with it; made if it is
   * not there. Default: `/var/tmp`, or else `os.tmpdir()`.
   */
  spillDirectory?: string;
  /** The most bytes of spill files. Default: what the disk has. */
  spillLimit?: number | string;
  /** Default true: values got from the store are mapped read-only. */
  guard?: boolean;
  /**
   * A task worker with more memory of its own is replaced when it has nothing to do. Of a process
   * that is what it shares with no other; of a thread its heap and what that holds outside. Objects
   * in the store do not count. Hosts of actors are not replaced.
   */
  workerMemoryLimit?: number | string;
  /**
   * Default 0.5: the most of the store that arguments of running tasks may pin, above 0 and at most
   * 1. Tasks wait for their turn; what one task asks for may be more, if that fits the store.
   */
  argumentShare?: number;
  /**
   * Default true: what workers write to stdout and stderr arrives at the driver's, line by line,
   * each behind the worker's number and pid. Without it processes write where the driver does, and
   * threads as Node's threads do.
   */
  logToDriver?: boolean;
  /**
   * Default false: `memory()` then says where each ref was made, and a warning of refs that pile up
   * (`MOBULA_REFS_GROW`) where most of their bytes were. Each ref costs a stack trace.
   */
  trackCallSites?: boolean;
  /**
   * Default false: `taskTimes()` then says how long tasks wait and run. Each task carries the
   * time of its submission, and its worker tells the driver.
   */
  trackTaskTimes?: boolean;
  /** Under which other processes of this user on this machine can join the runtime. */
  name?: string;
  /**
   * Joins the runtime that has this address, `'mobula:<name>'` or its {@link Runtime.address}, in
   * place of starting one. Its workers are its owner's children, and it ends with its owner.
   */
  address?: string;
}

/** How `shutdown` ends a runtime. */
export interface ShutdownOptions {
  /** How long workers may take to end by themselves; default 2 s. */
  timeout?: number | string;
}

/** A running runtime. */
export interface Runtime extends AsyncDisposable {
  /** As given to `init`; undefined for one that has none. */
  readonly name?: string;
  /** With which other processes of this user on this machine join: `init({ address })`. */
  readonly address: string;
  /** As the function of that name. */
  shutdown(options?: ShutdownOptions): Promise<void>;
}

const defaultShutdownTimeout = 2000;
const minMemory = 1024 * 1024;

const optionNames = [
  'memory',
  'workers',
  'isolation',
  'resources',
  'eviction',
  'spillDirectory',
  'spillLimit',
  'guard',
  'logToDriver',
  'trackCallSites',
  'trackTaskTimes',
  'workerMemoryLimit',
  'argumentShare',
  'name',
  'address',
];

function checkOptions(options: InitOptions): DriverOptions {
  const { isolation = 'thread', eviction = 'spill', guard = true, logToDriver = true } = options;
  const { memory = defaultMemory(), workers = defaultWorkers(), name } = options;
  const { trackCallSites = false, trackTaskTimes = false } = options;
  const { workerMemoryLimit, argumentShare = 0.5 } = options;
  checkInteger('options.workers', workers, 1, 256);
  checkBoolean('options.guard', guard);
  checkBoolean('options.logToDriver', logToDriver);
  checkBoolean('options.trackCallSites', trackCallSites);
  checkBoolean('options.trackTaskTimes', trackTaskTimes);
  checkQuantity('options.argumentShare', argumentShare, 1);
  if (argumentShare === 0) throw outOfRange('options.argumentShare', 'above 0', argumentShare);
  if (name !== undefined) checkRuntimeName(name);
  return {
    memory: checkSize('options.memory', memory, minMemory),
    workers,
    resources: checkResources(options.resources, workers),
    isolation: checkOneOf('options.isolation', isolation, ['thread', 'process']),
    eviction: checkOneOf('options.eviction', eviction, ['spill', 'clru', 'none']),
    spill: eviction === 'spill' ? checkSpill(options) : undefined,
    guard,
    logToDriver,
    trackCallSites,
    trackTaskTimes,
    workerMemoryLimit:
      workerMemoryLimit === undefined
        ? undefined
        : checkSize('options.workerMemoryLimit', workerMemoryLimit, minMemory),
    argumentShare,
    name,
  };
}

function checkSpill({ spillDirectory, spillLimit }: InitOptions): SpillOptions {
  if (spillDirectory !== undefined) {
    checkString('options.spillDirectory', spillDirectory);
    if (spillDirectory === '') throw outOfRange('options.spillDirectory', 'a path', spillDirectory);
  }
  const limit =
    spillLimit === undefined ? undefined : checkSize('options.spillLimit', spillLimit, 0);
  return { directory: spillDirectory, limit };
}

const maxResources = 32;
const maxGpus = 64;
const maxNameBytes = 63;
const maxAmount = 2 ** 31;

function checkResources(given: unknown = {}, workers: number): Record<string, number> {
  checkObject('options.resources', given);
  const resources: Record<string, number> = { cpu: workers, gpu: 0, ...given };
  for (const [name, amount] of Object.entries(resources)) {
    checkQuantity(`options.resources.${name}`, amount, maxAmount);
    if (Buffer.byteLength(name) <= maxNameBytes && name !== '') continue;
    throw outOfRange('options.resources', `names of 1 to ${maxNameBytes} bytes`, name);
  }
  checkInteger('options.resources.gpu', resources.gpu, 0, maxGpus);
  const count = Object.keys(resources).length;
  if (count <= maxResources) return resources;
  throw outOfRange('options.resources', `at most ${maxResources} kinds`, count);
}

function checkRuntimeName(name: unknown): void {
  checkString('options.name', name);
  if (isName(name)) return;
  throw outOfRange(
    'options.name',
    'at most 200 letters, digits, dots, dashes and underscores',
    name,
  );
}

/** Everything else is the owner's to say. */
function checkAddress(options: InitOptions): string {
  const { address } = options;
  checkString('options.address', address);
  const others = Object.entries(options).filter(([key]) => key !== 'address');
  const other = others.find(([, value]) => value !== undefined);
  if (other !== undefined) {
    throw Object.assign(
      new TypeError(
        `The property "options.${other[0]}" cannot be used with "options.address": whoever joins a ` +
          'runtime takes it as its owner has started it',
      ),
      { code: 'ERR_INVALID_ARG_VALUE' },
    );
  }
  if (isAddress(address)) return address;
  throw outOfRange('options.address', "'mobula:<name>' or the address of a runtime", address);
}

/**
 * Starts a runtime with these options, or joins one. Optional: the first use starts one with the
 * defaults. While a worker imports a module it does nothing.
 */
export function init(options: InitOptions = {}): Runtime {
  checkObject('options', options);
  checkKeys('options', options, optionNames);
  const start = starter(options);
  if (isWorker()) return runtimeOf(requireContext());
  if (currentContext() !== undefined) {
    throw new MobulaError('MOBULA_STARTED', 'A runtime runs already: call shutdown() first');
  }
  return runtimeOf(start());
}

function starter(options: InitOptions): () => Driver | Joiner {
  if (options.address !== undefined) {
    const address = checkAddress(options);
    return () => new Joiner(address);
  }
  const checked = checkOptions(options);
  return () => new Driver(checked);
}

function runtimeOf({ name, address }: { name?: string | undefined; address: string }): Runtime {
  return {
    ...(name !== undefined && { name }),
    address,
    shutdown,
    [Symbol.asyncDispose]: () => shutdown(),
  };
}

onFirstUse(() => new Driver(checkOptions({})));

let lastShutdown: Promise<void> = Promise.resolve();

/**
 * Ends the runtime, or leaves one that was joined: refs that are pending fail, workers run their
 * actors' stop hooks and end, all memory is given back. Idempotent.
 */
export function shutdown(options: ShutdownOptions = {}): Promise<void> {
  checkObject('options', options);
  const { timeout = defaultShutdownTimeout } = options;
  const checkedTimeout = checkDuration('options.timeout', timeout);
  const context = currentContext();
  if (context instanceof Driver || context instanceof Joiner) {
    lastShutdown = context.shutdown(checkedTimeout);
  }
  return lastShutdown;
}

let hasMain = false;

/**
 * Runs `fn` in the driver only, after the calling module has been evaluated, and shuts down at its
 * end. An error thrown is printed and sets exit code 1. In a worker it does nothing.
 */
export function main(fn: () => unknown): void {
  checkFunction('fn', fn);
  if (isWorker()) return;
  if (hasMain) throw new MobulaError('MOBULA_MAIN', 'main() was called twice: join the two');
  hasMain = true;
  const module = callerModule(main) ?? pathToFileURL(process.argv[1] ?? '').href;
  const run = () => runMain(fn);
  // Resolves once the module has been evaluated; rejects when it threw, which Node has reported.
  import(module).then(run, () => undefined);
}

async function runMain(fn: () => unknown): Promise<void> {
  try {
    await fn();
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    await shutdown();
  }
}
