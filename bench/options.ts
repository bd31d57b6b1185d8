/** The command line. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { planOf, type Plan } from './harness/plan.js';
import { suiteNames } from './workloads/suites.js';

export interface Options {
  readonly help: boolean;
  /** Names of suites. */
  readonly suites: readonly string[];
  readonly only: string | undefined;
  /** With the packages of bench/peers. */
  readonly peers: boolean;
  readonly plan: Plan;
  readonly json: boolean;
  readonly results: string;
}

/** The command line cannot be used; the message says why, in one line. */
export class UsageError extends Error {}

export const usage = `Usage: npm run bench -- [suites] [options]

Measures Mobula beside what it is to be compared with: every contender in a process of its own, in
turns. Suites: ${suiteNames.join(', ')} (default: all).

Options:
  --quick         less time, smaller objects, wider intervals
  --only TEXT     the workloads that have the text in their names
  --no-peers      without other packages, which the first run with them installs
  --trials N      processes per contender (default: 7, with --quick 3)
  --json          print the results as JSON instead of a table
  --results DIR   where the JSON file and the charts go (default: bench/results)
  --help          show this text`;

const defaultResults = fileURLToPath(new URL('../../bench/results', import.meta.url));

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parsed(() =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...choosing,
        'no-peers': { type: 'boolean' },
        json: { type: 'boolean' },
        results: { type: 'string' },
      },
    }),
  );
  return {
    help: values.help ?? false,
    suites: suitesFrom(positionals),
    only: values.only,
    peers: values['no-peers'] !== true,
    plan: planOf(values.quick ?? false, trialsOf(values.trials)),
    json: values.json ?? false,
    results: values.results ?? defaultResults,
  };
}

/** The options of all commands that measure: what, and how much. */
export const choosing = {
  quick: { type: 'boolean' },
  only: { type: 'string' },
  trials: { type: 'string' },
  help: { type: 'boolean' },
} as const;

/** What Node says of a command line that it cannot parse becomes a UsageError. */
export function parsed<Result>(parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    // The first sentence says what is wrong; those that follow are about shells and quoting.
    const [sentence] = (error as Error).message.split(/\.\s/);
    throw new UsageError(`${sentence}; --help lists the options`);
  }
}

/**
 * All suites when none is named.
 *
 * @throws UsageError
 */
export function suitesFrom(names: readonly string[]): readonly string[] {
  const unknown = names.find((name) => !suiteNames.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`there is no suite '${unknown}'; there are ${suiteNames.join(', ')}`);
  }
  return names.length === 0 ? suiteNames : names;
}

/** @throws UsageError */
export function trialsOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^[1-9]\d{0,2}$/.test(value)) return Number(value);
  throw new UsageError(`--trials must be a whole number from 1 to 999, not '${value}'`);
}
