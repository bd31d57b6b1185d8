import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { chartsOf, writeCharts } from '../../bench/charts/write.js';
import { readResults } from '../../bench/harness/results.js';
import { Readme } from '../../bench/readme/readme.js';
import { benchResults } from '../support/bench-results.js';

const own = new Readme();
const results = benchResults();
/** What the README of this checkout would say of them. */
const text = await own.textFor(results);

async function temporary(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mobula-test-'));
  t.teardown(() => rm(directory, { recursive: true }));
  return directory;
}

/** A checkout with the README of this one. */
async function checkout(t: ExecutionContext): Promise<Readme> {
  const readme = new Readme(await temporary(t));
  await cp(own.path, readme.path);
  return readme;
}

const rowsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );

test('the best of Mobula and the best of the others are a row, with the ratio of their trials', (t) => {
  const rows = rowsOf(text);
  const [, own, other, ratio] = rows.find(([work]) => work === 'no-op tasks, k/s')!;
  t.deepEqual([own, other], ['812 (thread worker)', '88.5 (worker\\_threads)']);
  t.regex(ratio!, /^\d+\.\d+ \(\d+\.\d+ \.\. \d+\.\d+\)$/);
});

test('where less is better, the ratio says how many times as fast', (t) => {
  const rows = rowsOf(text);
  const [, own, other, ratio] = rows.find(([work]) => work === 'argument of 80000000 bytes, us')!;
  t.deepEqual([own, other], ['15.0 (put once)', '90.0 (piscina, made anew and transferred)']);
  t.true(Number.parseFloat(ratio!) > 5);
});

test('every bar is a row that says whether it holds', (t) => {
  const rows = rowsOf(text);
  const of = (work: string) => rows.find(([name]) => name === work)!.slice(2);
  t.deepEqual(of('no-op tasks: mobula, thread worker'), ['>= 5 x piscina', 'yes']);
  t.deepEqual(of('no-op tasks: mobula, process worker'), ['>= 490', 'yes?']);
});

test('machine, Node, commit and date are told, and names cannot break the page', (t) => {
  for (const part of ['4 cores, 32 GiB', 'v20.19.0', 'commit 0123456789ab', '2026-01-02']) {
    t.true(text.includes(part), part);
  }
  t.notRegex(text, /(?<!\\)<processor>/);
});

test('an update keeps the results and their charts, no older ones, and changes no other line', async (t) => {
  const readme = await checkout(t);
  const before = await readFile(readme.path, 'utf8');
  await mkdir(readme.folder, { recursive: true });
  await writeFile(join(readme.folder, 'older.svg'), '');
  await readme.update(results);
  const after = await readFile(readme.path, 'utf8');
  const pictures = [...after.matchAll(/\]\(bench\/results\/kept\/(\w+\.svg)\)/g)].map(
    ([, file]) => file!,
  );
  t.deepEqual(
    pictures,
    chartsOf(results).map(({ name }) => `${name}.svg`),
  );
  t.deepEqual(await readdir(readme.folder), [...pictures, 'results.json'].sort());
  const outside = (whole: string) =>
    whole.split(/<!-- [^>]*bench:readme[^>]*-->/).filter((_, i) => i !== 1);
  t.deepEqual(outside(after), outside(before));
});

test('an update from what is kept changes nothing', async (t) => {
  const readme = await checkout(t);
  await readme.update(results);
  const first = [await readFile(readme.path, 'utf8'), await readFile(readme.results, 'utf8')];
  await readme.update(await readResults(readme.results));
  const second = [await readFile(readme.path, 'utf8'), await readFile(readme.results, 'utf8')];
  t.deepEqual(second, first);
});

test('a README without a place for the section is refused and left as it is', async (t) => {
  const readme = new Readme(await temporary(t));
  await writeFile(readme.path, '# Nothing\n');
  await t.throwsAsync(readme.update(results), { message: /README\.md has no lines/ });
  t.is(await readFile(readme.path, 'utf8'), '# Nothing\n');
  t.false(existsSync(readme.folder));
});

test('the README and its pictures are what the kept results make of them', async (t) => {
  const shown = await readFile(own.path, 'utf8');
  if (!existsSync(own.results)) {
    t.notRegex(shown, /bench\/results\/kept/);
    return;
  }
  const kept = await readResults(own.results);
  t.is(await own.textFor(kept), shown);
  const directory = await temporary(t);
  await writeCharts(kept, directory);
  const charts = await readdir(directory);
  t.deepEqual(await readdir(own.folder), [...charts, 'results.json'].sort());
  for (const chart of charts) {
    const [made, present] = [directory, own.folder].map((folder) =>
      readFile(join(folder, chart), 'utf8'),
    );
    t.is(await made, await present!, chart);
  }
});
