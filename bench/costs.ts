/**
 * `npm run bench:costs`: counts what operations take, and fails when a figure has risen beyond the
 * committed one; `-- --update` commits the figures to the file.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import {
  committedValue,
  coreFigures,
  keyOf,
  limitFor,
  readCommitted,
  runtimeFigures,
  type Committed,
  type Figure,
} from './costs/figures.js';
import { number } from './harness/format.js';

const file = fileURLToPath(new URL('../../bench/costs/committed.json', import.meta.url));

function update(committed: Committed, figures: readonly Figure[]): void {
  for (const maker of new Set(figures.map((figure) => figure.maker))) {
    const own = figures.filter((figure) => figure.maker === maker);
    committed[maker] = Object.fromEntries(own.map((figure) => [keyOf(figure), figure.value]));
  }
  writeFileSync(file, `${JSON.stringify(committed, null, 2)}\n`);
}

function verdict(figure: Figure, before: number | undefined): 'ok' | 'RISEN' | 'new' {
  if (before === undefined) return 'new';
  return figure.value <= limitFor(before, figure.unit) ? 'ok' : 'RISEN';
}

function report(committed: Committed, figures: readonly Figure[]): void {
  const table = new Table({
    head: ['made by', 'an operation', 'committed', 'now', ''],
    colAligns: ['left', 'left', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  const verdicts = figures.map((figure) => {
    const before = committedValue(committed, figure);
    const text = verdict(figure, before);
    const known = before === undefined ? '' : number(before);
    table.push([figure.maker, keyOf(figure), known, number(figure.value), text]);
    return text;
  });
  console.log(table.toString());
  const failed = verdicts.filter((text) => text === 'RISEN').length;
  if (verdicts.includes('new')) {
    console.log(
      'Nothing is committed for what is new: `npm run bench:costs -- --update` does that.',
    );
  }
  console.log(`${verdicts.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

const { values } = parseArgs({ options: { update: { type: 'boolean', default: false } } });
const committed = readCommitted(file);
const figures = [...coreFigures(), ...(await runtimeFigures())];
if (values.update) update(committed, figures);
report(committed, figures);
