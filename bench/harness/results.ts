/** The file that a run leaves: enough to judge and repeat it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Commit, Machine } from './machine.js';
import type { Plan } from './plan.js';
import type { WorkloadResult } from './run.js';
import type { Estimate } from './statistics.js';
import { estimateOf, verdictsOf, type Verdict } from './summary.js';
import type { Trial } from './trial.js';

/** How a run was made. */
export interface Setting {
  readonly startedAt: string;
  readonly plan: Plan;
  readonly machine: Machine;
  readonly commit: Commit | undefined;
  readonly loadBefore: number;
  readonly loadAfter: number;
}

export interface ResultsDocument extends Setting {
  /** Of this format. */
  readonly version: 1;
  readonly workloads: readonly {
    readonly suite: string;
    readonly name: string;
    readonly unit: string;
    readonly statistic: 'mean' | 'p50';
    readonly contenders: readonly {
      readonly name: string;
      readonly estimate: Estimate | undefined;
      readonly bars: readonly Verdict[];
      readonly failure: string | undefined;
      readonly trials: readonly Trial[];
    }[];
  }[];
}

export function documentOf(setting: Setting, results: readonly WorkloadResult[]): ResultsDocument {
  return {
    version: 1,
    ...setting,
    workloads: results.map((result) => ({
      suite: result.suite,
      name: result.workload.name,
      unit: result.workload.unit.label,
      statistic: result.workload.statistic,
      contenders: result.contenders.map((contender) => ({
        name: contender.name,
        estimate: estimateOf(contender),
        bars: verdictsOf(result, contender.name),
        failure: contender.failure,
        trials: contender.trials,
      })),
    })),
  };
}

/** Returns the path of the file. */
export async function save(document: ResultsDocument, directory: string): Promise<string> {
  const path = join(directory, `${document.startedAt.replaceAll(/[:.]/g, '-')}.json`);
  await mkdir(directory, { recursive: true });
  await writeFile(path, `${JSON.stringify(document, null, 2)}\n`);
  return path;
}
