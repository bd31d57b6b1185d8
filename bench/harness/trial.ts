/** A trial: one contender measured once, in a fresh process. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Measurement } from './measure.js';
import type { Plan } from './plan.js';

/** What a trial's process is told; plain data. */
export interface TrialJob {
  readonly suite: string;
  readonly workload: string;
  readonly contender: string;
  readonly plan: Plan;
}

/** In the workload's unit. */
export interface Trial extends Measurement {
  readonly pid: number;
}

/** A trial's process ended without a result; the message is the last that it said. */
export class TrialError extends Error {}

/** The program of a trial, of this checkout. */
export const trialEntry = fileURLToPath(new URL('../trial.js', import.meta.url));

/** The longest trials take some 90 s on two cores. */
const timeout = 300_000;

/** Resolves after the process and its own workers have ended; an abort kills them. */
export async function runTrial(
  job: TrialJob,
  signal: AbortSignal,
  entry = trialEntry,
): Promise<Trial> {
  const child = fork(entry, [JSON.stringify(job)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout,
    killSignal: 'SIGKILL',
  });
  let measurement: Measurement | undefined;
  child.on('message', (message) => (measurement = message as Measurement));
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  // Workers inherit stderr: it closes with the last of them.
  const [code, cause] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  signal.removeEventListener('abort', kill);
  signal.throwIfAborted();
  if (measurement === undefined || code !== 0) {
    throw new TrialError(said.trim() || `the process ended with ${cause ?? `exit code ${code}`}`);
  }
  return { pid: child.pid!, ...measurement };
}
