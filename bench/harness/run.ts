import type { Plan } from './plan.js';
import { runTrial, TrialError, type Trial } from './trial.js';
import type { Contender, Suite, Workload } from './workload.js';

/** What the trials of a contender gave, or why they gave nothing. */
export interface ContenderResult {
  readonly name: string;
  readonly isPeer: boolean;
  readonly workers: number | undefined;
  readonly trials: Trial[];
  failure?: string;
}

export interface WorkloadResult {
  readonly suite: string;
  readonly workload: Workload;
  readonly contenders: readonly ContenderResult[];
}

/** Called before each trial. */
export type OnTrial = (what: string, trial: number) => void;

export function countTrials(suites: readonly Suite[], { trials }: Plan): number {
  const contenders = suites.flatMap(({ workloads }) => workloads.flatMap((one) => one.contenders));
  return contenders.length * trials;
}

/**
 * One process at a time; the contenders of a workload take turns, and so do all workloads, so that the
 * trials of each are spread over the whole run. Rejects when aborted.
 */
export async function runSuites(
  suites: readonly Suite[],
  plan: Plan,
  onTrial: OnTrial,
  signal: AbortSignal,
): Promise<WorkloadResult[]> {
  const results = suites.flatMap(({ name: suite, workloads }) =>
    workloads.map((workload) => {
      return { suite, workload, contenders: workload.contenders.map(resultOf) };
    }),
  );
  for (let trial = 1; trial <= plan.trials; trial++) {
    for (const result of results) {
      await runTurn(result, plan, (what) => onTrial(what, trial), signal);
    }
  }
  return results;
}

async function runTurn(
  { suite, workload, contenders }: WorkloadResult,
  plan: Plan,
  onTrial: (what: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const contender of contenders) {
    onTrial(`${suite}: ${workload.name}: ${contender.name}`);
    if (contender.failure !== undefined) continue;
    const job = { suite, workload: workload.name, contender: contender.name, plan };
    try {
      contender.trials.push(await runTrial(job, signal));
    } catch (error) {
      if (!(error instanceof TrialError)) throw error;
      contender.failure = error.message;
    }
  }
}

function resultOf({ name, isPeer = false, workers }: Contender): ContenderResult {
  return { name, isPeer, workers, trials: [] };
}

/** Leaves out the contenders that do not pass, and what then has none. */
export function select(
  suites: readonly Suite[],
  passes: (contender: Contender, workload: Workload) => boolean,
): Suite[] {
  return suites
    .map(({ name, workloads }) => ({
      name,
      workloads: workloads
        .map((workload) => ({
          ...workload,
          contenders: workload.contenders.filter((contender) => passes(contender, workload)),
        }))
        .filter(({ contenders }) => contenders.length > 0),
    }))
    .filter(({ workloads }) => workloads.length > 0);
}
