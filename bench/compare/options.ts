/** The command line of a comparison. */
import { parseArgs } from 'node:util';
import { planOf, type Plan } from '../harness/plan.js';
import { choosing, parsed, suitesFrom, trialsOf, UsageError } from '../options.js';
import { suiteNames } from '../workloads/suites.js';

/** What to compare with this checkout, or two results files. */
export type CompareOptions =
  | { readonly mode: 'help' }
  | { readonly mode: 'files'; readonly base: string; readonly head: string }
  | {
      readonly mode: 'checkouts';
      readonly base: string;
      readonly suites: readonly string[];
      readonly only: string;
      readonly plan: Plan;
    };

/** Fewer cannot give an interval of 95 %. */
const defaultTrials = 7;

export const usage = `Usage: npm run bench:compare -- BASE [suites] [options]
       npm run bench:compare -- BASE.json HEAD.json

Runs Mobula's benchmarks in two checkouts in turns, this one and BASE, and prints what has changed
beyond the noise. BASE is a directory with a checkout that is built, or a git revision, which is
built in a temporary folder. Suites: ${suiteNames.join(', ')} (default: all).
With two results files of 'npm run bench' in place of BASE it compares those, if they were made on
the same machine.

Options:
  --quick         less time, smaller objects, wider intervals
  --only TEXT     the workloads that have the text in their names
  --trials N      processes per contender and side (default: ${defaultTrials}; fewer than 6 show no change)
  --help          show this text`;

/** @throws UsageError */
export function parseCompareOptions(args: readonly string[]): CompareOptions {
  const { values, positionals } = parsed(() =>
    parseArgs({ args: [...args], allowPositionals: true, options: choosing }),
  );
  if (values.help === true) return { mode: 'help' };
  const [base, head, ...others] = positionals;
  if (base === undefined) throw new UsageError('BASE is missing; --help says what it is');
  if (isFile(base) || (head !== undefined && isFile(head))) {
    if (head !== undefined && isFile(base) && isFile(head) && others.length === 0) {
      return { mode: 'files', base, head };
    }
    throw new UsageError('results files are compared with each other: give two of them');
  }
  return {
    mode: 'checkouts',
    base,
    suites: suitesFrom(positionals.slice(1)),
    only: values.only ?? '',
    plan: planOf(values.quick ?? false, trialsOf(values.trials) ?? defaultTrials),
  };
}

function isFile(name: string): boolean {
  return name.endsWith('.json');
}
