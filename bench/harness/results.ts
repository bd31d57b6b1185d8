/** The file that a run leaves: enough to judge and repeat it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Commit, Machine } from './machine.js';
import type { Plan } from './plan.js';
import type { WorkloadResult } from './run.js';
import type { Percentiles } from './measure.js';
import type { Estimate } from './statistics.js';
import { estimateOf, percentilesOf, verdictsOf, type Verdict } from './summary.js';
import type { Trial } from './trial.js';
import type { Payload, Published } from './workload.js';

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
  readonly version: 2;
  readonly workloads: readonly WorkloadOutcome[];
}

export interface WorkloadOutcome {
  readonly suite: string;
  readonly name: string;
  readonly unit: string;
  readonly statistic: 'mean' | 'p50';
  readonly payload: Payload | undefined;
  readonly published: readonly Published[];
  readonly contenders: readonly ContenderOutcome[];
}

export interface ContenderOutcome {
  readonly name: string;
  readonly isPeer: boolean;
  readonly workers: number | undefined;
  readonly estimate: Estimate | undefined;
  readonly percentiles: Percentiles<Estimate> | undefined;
  readonly bars: readonly Verdict[];
  readonly failure: string | undefined;
  readonly trials: readonly Trial[];
}

export function documentOf(setting: Setting, results: readonly WorkloadResult[]): ResultsDocument {
  return {
    version: 2,
    ...setting,
    workloads: results.map((result) => ({
      suite: result.suite,
      name: result.workload.name,
      unit: result.workload.unit.label,
      statistic: result.workload.statistic,
      payload: result.workload.payload,
      published: result.workload.published ?? [],
      contenders: result.contenders.map((contender) => ({
        name: contender.name,
        isPeer: contender.isPeer,
        workers: contender.workers,
        estimate: estimateOf(contender),
        percentiles: percentilesOf(contender),
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

/** Rejects when the file is none of {@link save}'s, or of another format. */
export async function readResults(path: string): Promise<ResultsDocument> {
  let document: Partial<ResultsDocument>;
  try {
    document = JSON.parse(await readFile(path, 'utf8')) as Partial<ResultsDocument>;
  } catch (error) {
    throw new Error(`'${path}' is no results file: ${(error as Error).message}`, { cause: error });
  }
  if (document.version !== 2) {
    throw new Error(`'${path}' is no results file of format 2; run the benchmark again`);
  }
  return document as ResultsDocument;
}
