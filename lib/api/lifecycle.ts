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
  outOfRange,
} from '../common/validate.js';
import { currentContext, onFirstUse } from '../runtime/context.js';
import { defaultMemory, defaultWorkers, Driver, type DriverOptions } from '../runtime/driver.js';
import { callerModule } from '../runtime/tasks/functions.js';
import { isWorker } from '../runtime/tasks/modules.js';

export interface InitOptions {
  /** Store limit; default 30 % of the memory that this process may use. */
  memory?: number | string;
  /** Task workers; default `os.availableParallelism()`. */
  workers?: number;
  /** What a task worker is; default `'thread'`. */
  isolation?: 'thread' | 'process';
  /** What tasks can ask for: `cpu` (default {@link workers}), `gpu` (default 0), and any others. */
  resources?: Record<string, number>;
  /** Default `'spill'`: what is referenced stays, what is not may go. */
  eviction?: 'spill' | 'clru' | 'none';
  /** Default true: values got from the store are mapped read-only. */
  guard?: boolean;
}

export interface ShutdownOptions {
  /** How long workers may take to end by themselves; default 2 s. */
  timeout?: number | string;
}

/** A running runtime. */
export interface Runtime extends AsyncDisposable {
  shutdown(options?: ShutdownOptions): Promise<void>;
}

const defaultShutdownTimeout = 2000;
const minMemory = 1024 * 1024;

function checkOptions(options: InitOptions): DriverOptions {
  checkObject('options', options);
  checkKeys('options', options, ['memory', 'workers', 'isolation', 'resources', 'eviction', 'guard']);
  const { isolation = 'thread', eviction = 'spill', guard = true } = options;
  const { memory = defaultMemory(), workers = defaultWorkers() } = options;
  checkBoolean('options.guard', guard);
  checkInteger('options.workers', workers, 1, 256);
  return {
    memory: checkSize('options.memory', memory, minMemory),
    workers,
    resources: checkResources(options.resources, workers),
    isolation: checkOneOf('options.isolation', isolation, ['thread', 'process']),
    eviction: checkOneOf('options.eviction', eviction, ['spill', 'clru', 'none']),
    guard,
  };
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

/**
 * Starts a runtime with these options. Optional: the first use starts one with the defaults. While
 * a worker imports a module it does nothing.
 */
export function init(options: InitOptions = {}): Runtime {
  const checked = checkOptions(options);
  if (!isWorker()) {
    if (currentContext() !== undefined) {
      throw new MobulaError('MOBULA_STARTED', 'A runtime runs already: call shutdown() first');
    }
    new Driver(checked);
  }
  return { shutdown, [Symbol.asyncDispose]: () => shutdown() };
}

onFirstUse(() => new Driver(checkOptions({})));

let lastShutdown: Promise<void> = Promise.resolve();

/**
 * Ends the runtime: refs that are pending fail, workers run their actors' stop hooks and end, all
 * memory is given back. Idempotent.
 */
export function shutdown(options: ShutdownOptions = {}): Promise<void> {
  checkObject('options', options);
  const { timeout = defaultShutdownTimeout } = options;
  const checkedTimeout = checkDuration('options.timeout', timeout);
  const context = currentContext();
  if (context instanceof Driver) lastShutdown = context.shutdown(checkedTimeout);
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
