import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { native } from '../../store/binding.js';
import { ProcessOutput } from './process-output.js';
import { ThreadOutput } from './thread-output.js';
import { exitReason } from './worker-ends.js';
import { processEnvironment, type ThreadData, type WorkerConfig } from './worker-config.js';
import type { WorkerOutput } from './worker-output.js';

/** A worker as its driver sees it: threads and processes differ in how they start and end only. */
export interface WorkerHandle {
  /** Of a process. */
  readonly pid?: number | undefined;
  /** What it writes, unless that goes its own way. */
  readonly output?: WorkerOutput;
  /** Ends it at once. */
  kill(): void;
  /** Of a process: how it has ended, if it has, before the event loop gets to know. */
  findEnd?(): string | undefined;
  /** Whether the driver's event loop stays up for it. */
  keepAlive(keep: boolean): void;
}

/** Called once, when the worker has ended, with what is known of the reason. */
type OnExit = (reason: string) => void;

const entry = new URL('../../worker-entry.js', import.meta.url);

export function startWorker(config: WorkerConfig, onExit: OnExit): WorkerHandle {
  try {
    return config.isolation === 'thread'
      ? startThread(config, onExit)
      : startProcess(config, onExit);
  } catch (error) {
    setImmediate(onExit, messageOf(error));
    return { kill: () => undefined, keepAlive: () => undefined };
  }
}

function startThread(config: WorkerConfig, onExit: OnExit): WorkerHandle {
  const output = config.log ? new ThreadOutput(prefixOf(config.worker, process.pid)) : undefined;
  const data: ThreadData = { mobula: config, output: output?.port };
  const worker = new Worker(entry, {
    workerData: data,
    transferList: output === undefined ? [] : [output.port],
    name: 'mobula',
  });
  let reason: string | undefined;
  worker.on('error', (error: unknown) => {
    reason = reasonOf(error);
    output?.writeError(stackOf(error));
  });
  worker.on('exit', (code) => {
    output?.end();
    onExit(reason ?? exitReason(code));
  });
  worker.unref();
  return {
    ...(output && { output }),
    kill: () => void worker.terminate(),
    keepAlive: (keep) => (keep ? worker.ref() : worker.unref()),
  };
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? code : `uncaught exception: ${messageOf(error)}`;
}

function startProcess(config: WorkerConfig, onExit: OnExit): WorkerHandle {
  let child!: ChildProcess;
  const start = (stdout: number | 'inherit', stderr: number | 'inherit') => {
    child = spawn(process.execPath, [...inheritedArguments(), fileURLToPath(entry)], {
      env: processEnvironment(config),
      stdio: ['ignore', stdout, stderr],
      // A group of its own: Ctrl-C is for the driver, and what tasks start ends with their worker.
      detached: true,
    });
    return prefixOf(config.worker, child.pid);
  };
  const output = config.log ? new ProcessOutput(start) : undefined;
  if (output === undefined) start('inherit', 'inherit');
  let ended = false;
  const end = (reason: string) => {
    if (ended) return;
    ended = true;
    killGroup(child.pid);
    onExit(reason);
  };
  child.on('error', (error) => end(error.message));
  child.on('exit', (code, signal) => end(signal ?? exitReason(code!)));
  child.unref();
  return {
    ...(output && { output }),
    pid: child.pid,
    kill: () => killGroup(child.pid),
    keepAlive: (keep) => (keep ? child.ref() : child.unref()),
    findEnd: () => (child.pid === undefined ? undefined : findEnd(child.pid)),
  };
}

function findEnd(pid: number): string | undefined {
  const status = native.childEnd(pid);
  if (status === undefined || status >= 0)
    return status === undefined ? status : exitReason(status);
  const signal = Object.entries(constants.signals).find(([, number]) => number === -status);
  return signal?.[0] ?? `signal ${-status}`;
}

function prefixOf(worker: number, pid: number | undefined): string {
  return `(worker ${worker}, pid ${pid}) `;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** A group keeps the number of its first process for as long as anybody is in it. */
function killGroup(group: number | undefined): void {
  if (group === undefined) return;
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

const withValue = new Set(['-e', '--eval', '-p', '--print', '--input-type']);
const notForWorkers = /^(?:--(?:eval|print|input-type|inspect|test|watch)|-[ep]$|-pe$|-i$)/;

/** The driver's Node options, without those that say what to run or that only one can have. */
function inheritedArguments(): string[] {
  const kept: string[] = [];
  for (let i = 0; i < process.execArgv.length; i++) {
    const argument = process.execArgv[i]!;
    if (!notForWorkers.test(argument)) kept.push(argument);
    else if (withValue.has(argument)) i++;
  }
  return kept;
}
