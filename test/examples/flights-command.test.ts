import { copyFile, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { bundledFile } from '../../examples/flights/columns.js';
import { parseOptions, UsageError } from '../../examples/flights/options.js';
import { Command } from '../support/command.js';

const SCRIPT = 'examples/flights/main.js';
/** Milliseconds after which nothing may remain, not even of a killed driver. */
const GRACE = 5000;

const start = (...args: string[]) =>
  Command.start(SCRIPT, (directory) => ['--output', join(directory, 'flights.svg'), ...args]);

test.serial('--help tells every option and does nothing else', async (t) => {
  await using command = await start('--help');
  const { code, stdout, stderr } = await command.outcome;
  t.is(code, 0);
  t.is(stderr, '');
  for (const option of ['workers', 'isolation', 'memory', 'file', 'output', 'help']) {
    t.regex(stdout, new RegExp(`^  --${option} `, 'm'));
  }
  t.deepEqual(await command.remains(GRACE), { processes: [], files: [] });
});

for (const args of [
  ['--unknown'],
  ['positional'],
  ['--workers'],
  ['--workers', '0'],
  ['--workers', '-1'],
  ['--workers', '1.5'],
  ['--workers', '257'],
  ['--workers', 'many'],
  ['--isolation', 'fibre'],
  ['--memory', '0MB'],
  ['--memory', 'plenty'],
]) {
  test(`'${args.join(' ')}' is refused in one line`, (t) => {
    const { message } = t.throws(() => parseOptions(args), { instanceOf: UsageError });
    t.regex(message, /^.+$/);
  });
}

for (const args of [
  ['--unknown'],
  ['--file', 'no/such.parquet'],
  ['--output', 'no/such/directory/flights.svg'],
]) {
  test.serial(`'${args.join(' ')}' is one line on stderr and exit code 1`, async (t) => {
    await using command = await start(...args);
    const { code, stdout, stderr } = await command.outcome;
    t.is(code, 1);
    t.is(stdout, '');
    t.regex(stderr, /^flights: .+\n$/);
  });
}

test.serial('a truncated file is one line on stderr and exit code 1', async (t) => {
  await using command = await Command.start(SCRIPT, async (directory) => {
    const file = join(directory, 'truncated.parquet');
    await copyFile(bundledFile(), file);
    await truncate(file, 5_000_000);
    return ['--file', file];
  });
  const { code, stdout, stderr } = await command.outcome;
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(stderr, /^flights: cannot read .*truncated\.parquet: .+\n$/);
});

for (const memory of ['16MB', '1KB']) {
  test.serial(`'--memory ${memory}', too little, is one line and exit code 1`, async (t) => {
    await using command = await start('--workers', '1', '--memory', memory);
    const { code, stderr } = await command.outcome;
    t.is(code, 1);
    t.regex(stderr, /^(in this thread: .+\n){4}flights: .+\n$/);
    t.deepEqual(await command.remains(GRACE), { processes: [], files: [] });
  });
}

test.serial('the job ends well in every mode, draws a chart and leaves nothing else', async (t) => {
  await using command = await start('--workers', '2');
  const { code, stdout, stderr } = await command.outcome;
  t.is(code, 0, stderr);
  for (const mode of ['in this thread', '1 thread', '2 threads', '1 process', '2 processes']) {
    t.regex(stdout, new RegExp(`^${mode} +\\d+\\.\\d\\d s`, 'm'));
    t.true(stderr.includes(`${mode}: 320 of 320 parts`));
  }
  const svg = await readFile(join(command.directory, 'flights.svg'), 'utf8');
  t.regex(svg, /^<svg .*prefers-color-scheme: dark.*<\/svg>$/s);
  t.notRegex(svg, /NaN|undefined/);
  t.deepEqual(await command.remains(GRACE), { processes: [], files: ['flights.svg'] });
});

test.serial('the job ends well although a process worker is killed', async (t) => {
  await using command = await start('--workers', '2', '--isolation', 'process');
  await command.untilStderrHas('2 processes: 80 of 320 parts');
  const [worker] = command.descendants();
  process.kill(worker!, 'SIGKILL');
  const { code, stderr } = await command.outcome;
  t.is(code, 0, stderr);
  t.deepEqual(await command.remains(GRACE), { processes: [], files: ['flights.svg'] });
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test.serial(`a driver that ends by ${signal} amid the job leaves nothing behind`, async (t) => {
    await using command = await start('--workers', '1', '--isolation', 'process');
    await command.untilStderrHas('1 process: 80 of 320 parts');
    t.true(command.descendants().length > 0);
    command.kill(signal);
    t.not((await command.outcome).code, 0);
    t.deepEqual(await command.remains(GRACE), { processes: [], files: [] });
  });
}
