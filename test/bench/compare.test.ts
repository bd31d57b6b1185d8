import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { changeOf, verdictOf } from '../../bench/compare/changes.js';
import { parseCompareOptions } from '../../bench/compare/options.js';
import { match, type Row } from '../../bench/compare/rows.js';
import type { ResultsDocument } from '../../bench/harness/results.js';
import { independentRatio } from '../../bench/harness/statistics.js';
import { UsageError } from '../../bench/options.js';
import { benchResults } from '../support/bench-results.js';
import { Command } from '../support/command.js';

const SCRIPT = 'bench/compare.js';
/** Milliseconds after which nothing may remain. */
const GRACE = 5000;

const row: Row = { suite: 'tasks', workload: 'round trip', unit: 'us', contender: 'mobula' };
const noise = [1, 9, 3, 1.5, 2, 6, 4];

test('a change of every turn is seen through noise that both sides have', (t) => {
  const change = changeOf(
    row,
    noise,
    noise.map((value) => value / 1.01),
  );
  t.is(verdictOf(change), 'faster');
  t.deepEqual([change.base, change.speed.median], [3, 1.01]);
  t.is(
    verdictOf(
      changeOf(
        row,
        noise,
        noise.map((value) => value * 1.01),
      ),
    ),
    'slower',
  );
});

test('more of a rate is faster', (t) => {
  const rate = { ...row, unit: 'k/s' };
  t.is(
    verdictOf(
      changeOf(
        rate,
        noise,
        noise.map((value) => value * 1.01),
      ),
    ),
    'faster',
  );
});

test('an interval that includes 1 is no change', (t) => {
  t.is(
    verdictOf(
      changeOf(
        row,
        noise,
        noise.with(3, 2).map((value) => value / 1.01),
      ),
    ),
    'unchanged',
  );
});

test('too few trials show no change, however large', (t) => {
  t.is(verdictOf(changeOf(row, [2, 2, 2, 2, 2], [1, 1, 1, 1, 1])), 'unchanged');
});

test('the ratio of runs that were not made in turns has the noise of both', (t) => {
  const one = { median: 4, low: 3, high: 6, confidence: 0.98 };
  const other = { median: 2, low: 1.5, high: 3, confidence: 0.98 };
  const { confidence, ...ratio } = independentRatio(one, other);
  t.deepEqual(ratio, { median: 2, low: 1, high: 4 });
  t.true(confidence < 0.98 && confidence > 0.95);
});

test('rows match by all that names them and by their unit', (t) => {
  const inMilliseconds = { ...row, unit: 'ms' };
  const { both, onlyBase, onlyHead } = match(
    [row, inMilliseconds],
    [row, { ...row, suite: 'ray' }],
  );
  t.deepEqual(both, [[row, row]]);
  t.deepEqual([onlyBase, onlyHead], [[inMilliseconds], [{ ...row, suite: 'ray' }]]);
});

/** The command on two results files. */
async function compared(t: ExecutionContext, base: unknown, head: ResultsDocument) {
  const directory = await mkdtemp(join(tmpdir(), 'mobula-test-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const paths = ['base.json', 'head.json'].map((name) => join(directory, name));
  await writeFile(paths[0]!, JSON.stringify(base));
  await writeFile(paths[1]!, JSON.stringify(head));
  await using command = await Command.start(SCRIPT, () => paths);
  return await command.outcome;
}

const results = benchResults();

/** The same run, but every value of the workload is this many times what it was. */
function scaled(name: string, factor: number): ResultsDocument {
  return benchResults({}, (median, workload) => (workload === name ? median * factor : median));
}

test('two results files: what has changed is told from what has not and what one lacks', async (t) => {
  const { workloads, ...head } = scaled('flights', 0.5);
  const fewer = workloads.filter(({ name }) => name !== 'no-op tasks');
  const outcome = await compared(t, results, { ...head, workloads: fewer });
  const { code, stdout, stderr } = outcome;
  t.is(code, 0, stderr);
  const [, faster, slower, unchanged, onlyBase] = stdout.split(
    /(?=faster than|slower than|no change|only in)/,
  );
  t.regex(faster!, /flights: mobula, 2 thread workers .* 2\.00 x/);
  t.regex(slower!, /nothing/);
  t.regex(unchanged!, /CPU-bound tasks: mobula, thread worker .* 1\.00 x/);
  t.notRegex(unchanged!, /flights|piscina/);
  t.regex(onlyBase!, /only in the base:\n {2}peers: no-op tasks: mobula, thread worker/);
});

const others = {
  cpu: 'Another',
  cores: 8,
  memory: 1,
  kernel: 'Linux 7',
  arch: 'arm64',
  node: 'v26',
};

for (const [key, value] of Object.entries(others)) {
  test(`results of machines that differ in ${key} are refused in one line`, async (t) => {
    const other = benchResults({ machine: { ...results.machine, [key]: value } });
    const { code, stdout, stderr } = await compared(t, results, other);
    t.deepEqual([code, stdout], [1, '']);
    t.regex(stderr, new RegExp(`^bench:compare: .*different machines: ${key} .*${value}\n$`));
  });
}

test('results of another format are refused in one line', async (t) => {
  const { code, stdout, stderr } = await compared(t, { ...results, version: 1 }, results);
  t.deepEqual([code, stdout], [1, '']);
  t.regex(stderr, /^bench:compare: .*base\.json.* format 2.*\n$/);
});

const quick = ['store', '--only', 'first get and release, 64 B', '--quick', '--trials'];

test.serial('two checkouts take turns, and at being first', async (t) => {
  await using command = await Command.start(SCRIPT, () => ['.', ...quick, '2']);
  const { code, stdout, stderr } = await command.outcome;
  t.is(code, 0, stderr);
  const turns = stderr.matchAll(/: first get and release, 64 B: mobula: (\w+), trial (\d)/g);
  const sides = [...turns].map(([, side, trial]) => `${side} ${trial}`);
  t.deepEqual(sides, ['base 1', 'head 1', 'head 2', 'base 2']);
  t.regex(stdout, /store: first get and release, 64 B: mobula .* x /);
  t.regex(stdout, /too few trials/);
  t.deepEqual(await command.remains(GRACE), { processes: [], files: [] });
});

test.serial(
  'a checkout that cannot be measured is a failure, and the exit code says so',
  async (t) => {
    await using command = await Command.start(SCRIPT, async (directory) => {
      const entries = {
        'bench/trial.js': 'throw new Error("broken trial")',
        'bench/workloads/suites.js': `export * from ${JSON.stringify(import.meta.resolve('../../bench/workloads/suites.js'))}`,
      };
      for (const [path, source] of Object.entries(entries)) {
        const file = join(directory, 'build', path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, source);
      }
      await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
      return [directory, ...quick, '1'];
    });
    const { code, stdout, stderr } = await command.outcome;
    t.is(code, 1, stderr);
    t.regex(
      stdout,
      /failed:\n {2}store: first get and release, 64 B: mobula: base: Error: broken trial\n/,
    );
  },
);

test.serial('a comparison with a revision that ends by Ctrl-C leaves nothing behind', async (t) => {
  await using command = await Command.start(SCRIPT, () => ['HEAD', ...quick, '1']);
  await command.untilStderrHas('Building');
  while (command.descendants().length === 0) await delay(10);
  command.killGroup('SIGINT');
  const { code, stderr } = await command.outcome;
  t.is(code, 1);
  t.regex(stderr, /stopped by SIGINT\n$/);
  t.false(
    execFileSync('git', ['worktree', 'list'], { encoding: 'utf8' }).includes(command.directory),
  );
  t.deepEqual(await command.remains(GRACE), { processes: [], files: [] });
});

const refused = [[], ['.', 'stores'], ['a.json'], ['a.json', 'store'], ['.', '--trials', '0']];

for (const args of refused) {
  test(`'${args.join(' ')}' is refused in one line`, (t) => {
    const { message } = t.throws(() => parseCompareOptions(args), { instanceOf: UsageError });
    t.regex(message, /^.+$/);
  });
}
