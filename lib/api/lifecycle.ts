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
  checkSize,
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
  /** Default `'spill'`: what is referenced stays, what is not may go. */
  eviction?: 'spill' | 'clru' | 'none';
  /** Default true: values got from the store are mapped read-only. */
  guard?: boolean;
  /**
   * Default true: what workers write to stdout and stderr arrives at the driver's, line by line, each
   * behind the worker's number and pid. Without it processes write where the driver does, and threads
   * as Node's threads do.
   */
  logToDriver?: boolean;
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

const optionNames = ['memory', 'workers', 'isolation', 'eviction', 'guard', 'logToDriver'];

function checkOptions(options: InitOptions): DriverOptions {
  checkObject('options', options);
  checkKeys('options', options, optionNames);
  const { isolation = 'thread', eviction = 'spill', guard = true, logToDriver = true } = options;
  const { memory = defaultMemory(), workers = defaultWorkers() } = options;
  checkBoolean('options.guard', guard);
  checkBoolean('options.logToDriver', logToDriver);
  return {
    memory: checkSize('options.memory', memory, minMemory),
    workers: checkInteger('options.workers', workers, 1, 256),
    isolation: checkOneOf('options.isolation', isolation, ['thread', 'process']),
    eviction: checkOneOf('options.eviction', eviction, ['spill', 'clru', 'none']),
    guard,
    logToDriver,
  };
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
