import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { processEnvironment, threadData, type WorkerConfig } from './worker-config.js';

/** A worker as its driver sees it: threads and processes differ in how they start and end only. */
export interface WorkerHandle {
  /** Ends it at once. */
  kill(): void;
  /** Whether the driver's event loop stays up for it. */
  keepAlive(keep: boolean): void;
}

/** Called once, when the worker has ended, with what is known of the reason. */
type OnExit = (reason: string) => void;

const entry = new URL('../../worker-entry.js', import.meta.url);

export function startWorker(config: WorkerConfig, onExit: OnExit): WorkerHandle {
  return config.isolation === 'thread' ? startThread(config, onExit) : startProcess(config, onExit);
}

function startThread(config: WorkerConfig, onExit: OnExit): WorkerHandle {
  const worker = new Worker(entry, { workerData: threadData(config), name: 'mobula' });
  let reason: string | undefined;
  worker.on('error', (error: unknown) => {
    reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  });
  worker.on('exit', (code) => onExit(reason ?? `exit code ${code}`));
  worker.unref();
  return {
    kill: () => void worker.terminate(),
    keepAlive: (keep) => (keep ? worker.ref() : worker.unref()),
  };
}

function startProcess(config: WorkerConfig, onExit: OnExit): WorkerHandle {
  const child = spawn(process.execPath, [...inheritedArguments(), fileURLToPath(entry)], {
    env: processEnvironment(config),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  let ended = false;
  const end = (reason: string) => {
    if (!ended) onExit(reason);
    ended = true;
  };
  child.on('error', (error) => end(error.message));
  child.on('exit', (code, signal) => end(signal ?? `exit code ${code}`));
  child.unref();
  return {
    kill: () => child.kill('SIGKILL'),
    keepAlive: (keep) => (keep ? child.ref() : child.unref()),
  };
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
