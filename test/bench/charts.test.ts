import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { drawChart } from '../../bench/charts/chart.js';
import { colours, grid, label, text, type Colour } from '../../bench/charts/palette.js';
import { chartsOf, writeCharts } from '../../bench/charts/write.js';
import type { ResultsDocument, WorkloadOutcome } from '../../bench/harness/results.js';
import { benchResults } from '../support/bench-results.js';

const results = benchResults();
const drawn = new Map<string, string>();
for (const chart of chartsOf(results)) drawn.set(chart.name, await drawChart(chart));

const isPlain = ({ suite, payload }: WorkloadOutcome) => suite === 'peers' && payload === undefined;
const hasPayload = ({ payload }: WorkloadOutcome) => payload !== undefined;
const isScaling = ({ suite }: WorkloadOutcome) => suite === 'scaling';

/** Of each chart: its rows, what it draws for each of them, and what it calls a contender. */
const expected = [
  { name: 'peers', rows: isPlain, nameOf: (name: string) => name },
  { name: 'payload', rows: hasPayload, nameOf: (name: string) => name },
  {
    name: 'scaling',
    rows: isScaling,
    nameOf: (name: string) => name.replace(/\d (\w+) workers?$/, '$1 workers'),
  },
];

function only(document: ResultsDocument, rows: (row: WorkloadOutcome) => boolean): ResultsDocument {
  return { ...document, workloads: document.workloads.filter(rows) };
}

/** The text of its elements; throws unless every element is closed by a tag of its name. */
function textsOf(xml: string): string[] {
  const open: string[] = [];
  const texts: string[] = [];
  let end = 0;
  for (const { 0: tag, 1: slash, 2: name, index } of xml.matchAll(
    /<(\/?)([\w:-]+)(?:\s+[\w:-]+="[^"<]*")*\s*\/?>/g,
  )) {
    texts.push(xml.slice(end, index));
    end = index + tag.length;
    if (slash === '/') {
      if (open.pop() !== name) throw new Error(`<${tag}> closes nothing`);
    } else if (!tag.endsWith('/>')) open.push(name!);
  }
  texts.push(xml.slice(end));
  if (open.length > 0) throw new Error(`<${open.at(-1)}> is not closed`);
  const stray = texts.find((text) => /[<>]|&(?!amp;|lt;|gt;|quot;|#)/.test(text));
  if (stray !== undefined) throw new Error(`not escaped: ${stray}`);
  return texts.map((text) =>
    text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
  );
}

for (const { name, rows, nameOf } of expected) {
  const contenders = results.workloads
    .filter(rows)
    .flatMap((row) => row.contenders)
    .filter(({ name }) => name !== 'one thread, no workers');

  test(`${name}: well-formed XML that names every contender of its rows`, (t) => {
    const texts = new Set(textsOf(drawn.get(name)!));
    // Long names have a line for each of their parts.
    const isShown = (text: string) =>
      texts.has(text) || text.split(', ').every((part) => texts.has(part));
    for (const contender of contenders) t.true(isShown(nameOf(contender.name)), contender.name);
  });

  test(`${name}: every figure has an error bar, from end to end of its interval`, (t) => {
    const svg = drawn.get(name)!;
    const bars = [
      ...svg.matchAll(/<line [^>]*x2="(-?[\d.]+)" y2="(-?[\d.]+)"[^>]*stroke-width="1.5"/g),
    ];
    t.is(bars.length, contenders.length);
    const lengths = bars.map(([, x, y]) => Math.abs(Number(x)) + Math.abs(Number(y)));
    const measured =
      name === 'scaling' ? contenders.filter(({ workers }) => workers !== 1) : contenders;
    t.is(lengths.filter((length) => length > 0).length, measured.length);
  });

  test(`${name}: without its rows there is no such chart`, (t) => {
    const other = only(results, (row) => !rows(row));
    t.deepEqual(
      chartsOf(other).map((chart) => chart.name),
      expected.map((chart) => chart.name).filter((one) => one !== name),
    );
  });
}

test('a contender that has failed is left out', async (t) => {
  const workloads = results.workloads.map((row) => ({
    ...row,
    contenders: row.contenders.map((contender) =>
      contender.name === 'workerpool' ? { ...contender, estimate: undefined } : contender,
    ),
  }));
  for (const chart of chartsOf({ ...results, workloads })) {
    t.false((await drawChart(chart)).includes('workerpool'), chart.name);
  }
});

test('a chart has a title and a description, which says every median', (t) => {
  for (const [name, svg] of drawn) {
    t.regex(svg, /<svg[^>]* role="img"><title>[^<]+<\/title><desc>[^<]+<\/desc>/, name);
  }
  t.regex(drawn.get('peers')!, /<desc>[^<]*piscina 61\.2[^<]*workerpool 2\.40/);
});

test('every colour of a chart has one for dark schemes, and its background is transparent', (t) => {
  const lights = new Set(colours.map(({ light }) => light));
  for (const [name, svg] of drawn) {
    const [style = ''] =
      /<style>@media \(prefers-color-scheme: dark\)\{.*?\}<\/style>/.exec(svg) ?? [];
    const used = [...svg.matchAll(/(fill|stroke)="(#\w+|black|white)"/g)];
    t.true(used.length > 0);
    for (const [, property, colour] of used) {
      t.true(lights.has(colour!), `${name}: ${colour}`);
      t.true(style.includes(`[${property}="${colour}"]{`), `${name}: ${property} ${colour}`);
    }
  }
});

/** As WCAG defines it. */
function contrast(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const backgrounds: Colour = { light: '#ffffff', dark: '#0d1117' };

for (const scheme of ['light', 'dark'] as const) {
  test(`the ${scheme} colours stand out from the background, those of text more so`, (t) => {
    const background = backgrounds[scheme];
    const drawnWith = colours.filter((colour) => colour !== grid);
    for (const colour of drawnWith)
      t.true(contrast(colour[scheme], background) >= 3, colour[scheme]);
    for (const colour of [text, label]) t.true(contrast(colour[scheme], background) >= 4.5);
  });
}

test('charts are files beside each other, named after what they show', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'mobula-test-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const paths = await writeCharts(results, directory, 'run-');
  const files = ['run-peers.svg', 'run-payload.svg', 'run-scaling.svg'];
  t.deepEqual(
    paths,
    files.map((file) => join(directory, file)),
  );
  t.deepEqual(await readdir(directory), files.sort());
});
