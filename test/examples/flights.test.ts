import test from 'ava';
import {
  countDelays,
  divide,
  groupingNames,
  groupings,
  rankWorst,
  Totals,
  type Columns,
  type Part,
} from '../../examples/flights/analysis.js';
import { bundledFile, InputError, readFlights } from '../../examples/flights/columns.js';
import { modeLabel } from '../../examples/flights/report.js';
import { findDeviating, PARTS, run, type Mode } from '../../examples/flights/run.js';
import { bytesOf } from '../../examples/flights/tasks.js';
import { computeReference } from './reference.js';

const wholeFile = Promise.all([readFlights(bundledFile()), computeReference(bundledFile())]);

const modes: Mode[] = [
  { workers: 0, isolation: 'thread' },
  { workers: 1, isolation: 'thread' },
  { workers: 2, isolation: 'thread' },
  { workers: 1, isolation: 'process' },
  { workers: 2, isolation: 'process' },
];

for (const mode of modes) {
  test.serial(`${modeLabel(mode)}: the findings are those of a plain computation`, async (t) => {
    const [flights, reference] = await wholeFile;
    const gathered: number[] = [];
    const { findings } = await run(flights, mode, undefined, (parts) => gathered.push(parts));
    t.deepEqual(findings, reference);
    t.is(Math.max(...gathered), PARTS);
  });
}

for (const isolation of ['thread', 'process'] as const) {
  test.serial(`tasks see the columns in place, each worker being a ${isolation}`, async (t) => {
    const [flights] = await wholeFile;
    const columnBytes = bytesOf(Object.values(flights.columns));
    const { traffic } = await run(flights, { workers: 2, isolation }, undefined, () => undefined);
    t.true(traffic.shared > 100 * columnBytes, `shared: ${traffic.shared}`);
    t.true(traffic.copied < 1.2 * columnBytes, `copied: ${traffic.copied}`);
  });
}

test.serial('a run with other findings is noticed', async (t) => {
  const [flights] = await wholeFile;
  const here = await run(flights, modes[0]!, undefined, () => undefined);
  const [worst, ...others] = here.findings.worst;
  const other = { ...worst!, delay: worst!.delay - 1 };
  const deviating = { ...here, findings: { ...here.findings, worst: [other, ...others] } };
  t.is(findDeviating([here, here, deviating]), deviating);
  t.is(findDeviating([here, structuredClone(here)]), undefined);
});

test('the bundled file holds three million flights among 229 airports', async (t) => {
  const [{ columns, airports }] = await wholeFile;
  t.is(columns.departure.length, 3_000_000);
  t.is(airports.length, 229);
});

test('the summary does not depend on how rows are divided nor on the order of parts', (t) => {
  const columns = sampleColumns(10_000);
  const whole = summarize(partsOf(columns, 1));
  for (const ranges of [2, 7, 64]) {
    const parts = partsOf(columns, ranges);
    t.deepEqual(summarize(parts), whole);
    t.deepEqual(summarize(parts.toReversed()), whole);
  }
});

test('the 95th percentile is the least delay that 95 of 100 flights do not exceed', (t) => {
  const p95 = (delays: number[]) => summarize([countAll(delays)]).all.p95;
  const hundred = Array.from({ length: 100 }, (_, index) => index - 50);
  t.is(p95([7]), 7);
  t.is(p95([1, 2]), 2);
  t.is(p95(hundred), 44);
  t.is(p95([...hundred, 50]), 45);
  t.is(p95([-32_768, 32_767]), 32_767);
});

test('the mean is the sum of delays over the number of flights', (t) => {
  t.is(summarize([countAll([-3, 0, 4])]).all.mean, 1 / 3);
  t.is(summarize([countAll([-32_768, -32_768])]).all.mean, -32_768);
});

test('of equally late flights the earlier row is worse', (t) => {
  const delays = Int16Array.of(5, -32_768, 32_767, 5, 0, -1);
  const parts = [countAll([...delays]), rankWorst(delays, 3, 6), rankWorst(delays, 0, 3)];
  t.deepEqual(summarize(parts).worst, [2, 0, 3, 4, 5, 1]);
});

test('delays beyond the histogram are counted in its first and last bins', (t) => {
  const { histogram } = summarize([countAll([-1000, -61, -60, -46, -45, 179, 180, 1000])]);
  const filled = histogram.filter(({ flights }) => flights > 0);
  t.deepEqual(filled, [
    { from: -60, flights: 4 },
    { from: -45, flights: 1 },
    { from: 165, flights: 1 },
    { from: 180, flights: 2 },
  ]);
});

test('ranges cover every row once', (t) => {
  for (const [rows, count] of [
    [10, 3],
    [2, 5],
    [3_000_000, 64],
  ] as const) {
    const ranges = divide(rows, count);
    t.is(ranges.length, count);
    t.is(ranges[0]!.from, 0);
    t.is(ranges.at(-1)!.to, rows);
    t.true(ranges.every(({ from }, index) => index === 0 || from === ranges[index - 1]!.to));
  }
});

test('a file that is missing or no Parquet is an error that names it', async (t) => {
  for (const path of ['no/such.parquet', 'package.json', 'lib']) {
    const error = await t.throwsAsync(readFlights(path), { instanceOf: InputError });
    t.true(error.message.startsWith(`cannot read ${path}: `), error.message);
    t.false(error.message.includes('\n'), error.message);
  }
});

function sampleColumns(rows: number): Columns {
  let state = 1;
  const below = (limit: number) => (state = (state * 48_271) % 2_147_483_647) % limit;
  return {
    departure: new Uint32Array(rows).map(() => 16_000_000 + below(20_000)),
    delay: new Int16Array(rows).map(() => below(300) - 60),
    distance: new Uint16Array(rows).map(() => below(5_000)),
    origin: new Uint16Array(rows),
    destination: new Uint16Array(rows),
  };
}

function partsOf(columns: Columns, ranges: number): Part[] {
  return divide(columns.delay.length, ranges).flatMap(({ from, to }) => [
    ...groupingNames.map((grouping) =>
      countDelays(grouping, columns[groupings[grouping].column], columns.delay, from, to),
    ),
    rankWorst(columns.delay, from, to),
  ]);
}

function countAll(delays: number[]): Part {
  const column = Int16Array.from(delays);
  return countDelays('all', column, column, 0, column.length);
}

function summarize(parts: Part[]) {
  const totals = new Totals();
  for (const part of parts) totals.add(part);
  return totals.summarize();
}
