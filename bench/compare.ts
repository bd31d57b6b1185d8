/** `npm run bench:compare`: what has changed beyond the noise. */
import type { Change } from './compare/changes.js';
import { Checkout } from './compare/checkout.js';
import { changeBetween, checkComparable, matchRuns } from './compare/files.js';
import { parseCompareOptions, usage, type CompareOptions } from './compare/options.js';
import { comparisonText, type Comparison } from './compare/report.js';
import { match, rowsOf, type Row } from './compare/rows.js';
import { compareRow, type Failure } from './compare/turns.js';
import { commitText } from './harness/format.js';
import { stopOnSignals } from './harness/interrupt.js';
import { startProgress } from './harness/progress.js';
import { readResults, type ResultsDocument } from './harness/results.js';
import { UsageError } from './options.js';

type Of<Mode> = Extract<CompareOptions, { mode: Mode }>;

async function compareFiles(options: Of<'files'>): Promise<Comparison> {
  const [base, head] = [await readResults(options.base), await readResults(options.head)];
  checkComparable(base, head);
  const { both, ...rest } = matchRuns(base, head);
  const label = ({ startedAt, commit }: ResultsDocument) => `${startedAt}, ${commitText(commit)}`;
  const changes = both.map((pair) => changeBetween(...pair));
  return { base: label(base), head: label(head), changes, failures: [], ...rest };
}

async function compareCheckouts(
  { base: name, suites, only, plan }: Of<'checkouts'>,
  signal: AbortSignal,
): Promise<Comparison> {
  const head = Checkout.own();
  await using base = await Checkout.open(name, signal);
  const labels = { base: base.label, head: head.label };
  const isWanted = ({ suite, workload }: Row) => suites.includes(suite) && workload.includes(only);
  const [baseRows, headRows] = [await rowsOf(base, plan, signal), await rowsOf(head, plan, signal)];
  const { both, ...rest } = match(baseRows.filter(isWanted), headRows.filter(isWanted));
  if (both.length === 0) throw new UsageError('the checkouts have no such workload in common');
  const changes: Change[] = [];
  const failures: Failure[] = [];
  const progress = startProgress(2 * both.length * plan.trials);
  const onTrial = (what: string, trial: number) => progress.next(what, trial);
  try {
    for (const [, row] of both) {
      const outcome = await compareRow(row, { base, head }, plan, onTrial, signal);
      if ('reason' in outcome) failures.push(outcome);
      else changes.push(outcome);
    }
  } finally {
    progress.stop();
  }
  return { ...labels, changes, failures, ...rest };
}

async function run(): Promise<void> {
  const options = parseCompareOptions(process.argv.slice(2));
  if (options.mode === 'help') {
    console.log(usage);
    return;
  }
  const comparison =
    options.mode === 'files'
      ? await compareFiles(options)
      : await compareCheckouts(options, stopOnSignals());
  console.log(comparisonText(comparison));
  if (comparison.failures.length > 0) process.exitCode = 1;
}

try {
  await run();
} catch (error) {
  console.error(`bench:compare: ${(error as Error).message}`);
  process.exitCode = 1;
}
