import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { ResultsDocument } from '../../bench/harness/results.js';
import { parseOptions, UsageError } from '../../bench/options.js';
import { Command } from '../support/command.js';

const SCRIPT = 'bench/main.js';
/** Milliseconds after which nothing may remain. */
const GRACE = 5000;

const start = (...args: string[]) =>
  Command.start(SCRIPT, (directory) => [...args, '--quick', '--results', directory]);

test.serial('every trial is a process of its own, and contenders take turns', async (t) => {
  await using command = await start(
    'store',
    '--only',
    'into cold memory',
    '--trials',
    '2',
    '--json',
  );
  const { code, stdout, stderr } = await command.outcome;
  t.is(code, 0, stderr);
  const [workload, ...others] = (JSON.parse(stdout) as ResultsDocument).workloads;
  t.is(others.length, 0);
  const pids = workload!.contenders.flatMap(({ trials }) => trials.map(({ pid }) => pid));
  t.is(new Set(pids).size, 4);
  const turns = stderr.matchAll(/: (\w+), trial (\d)/g);
  const expected = ['mobula 1', 'memcpy 1', 'mobula 2', 'memcpy 2'];
  t.deepEqual(
    [...turns].map(([, name, trial]) => `${name} ${trial}`),
    expected,
  );
  const { processes, files } = await command.remains(GRACE);
  t.deepEqual(processes, []);
  t.deepEqual([files.length, await readdir(command.directory)], [1, files]);
  const saved = await readFile(join(command.directory, files[0]!), 'utf8');
  t.deepEqual(JSON.parse(saved), JSON.parse(stdout));
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test.serial(`a benchmark that ends by ${signal} leaves nothing behind`, async (t) => {
    const args = ['tasks', '--only', 'round trip', '--no-peers', '--trials', '99'];
    await using command = await start(...args);
    // A trial and the process worker that it has started.
    while (command.descendants().length < 2) await delay(10);
    command.kill(signal);
    t.not((await command.outcome).code, 0);
    t.deepEqual(await command.remains(GRACE), { processes: [], files: [] });
  });
}

for (const args of [['stores'], ['--unknown'], ['--trials', '0'], ['--trials', 'many']]) {
  test(`'${args.join(' ')}' is refused in one line`, (t) => {
    const { message } = t.throws(() => parseOptions(args), { instanceOf: UsageError });
    t.regex(message, /^.+$/);
  });
}
