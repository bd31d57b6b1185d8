/** The troubleshooting guide has an entry for every code that a user can meet. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import * as mobula from 'mobula';
import * as store from 'mobula/store';
import { headingsOf, root } from '../support/guides.js';

const headings = headingsOf('docs/troubleshooting.md').map(({ text }) => text);
const documented = headings.flatMap((text) => /^MOBULA_\w+/.exec(text) ?? []);
/** Of an error that is made, or of a process warning. */
const codePattern = /(?:\bsuper|MobulaError)\(\s*'(MOBULA_\w+)'|\bcode: '(MOBULA_\w+)'/g;

function sources(): string[] {
  const files = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' });
  const typescript = files.filter((file) => file.endsWith('.ts'));
  return typescript.map((file) => readFileSync(join(root, 'lib', file), 'utf8'));
}

function codesOf(source: string): string[] {
  return [...source.matchAll(codePattern)].map(([, error, warning]) => (error ?? warning)!);
}

const used = [...new Set(sources().flatMap(codesOf))].sort();

test('every code of an error or a warning has an entry, and every entry a code', (t) => {
  t.true(used.includes('MOBULA_STORE_FULL') && used.includes('MOBULA_REFS_GROW'));
  t.deepEqual([...documented].sort(), used);
});

test('the entry of an error names its class', (t) => {
  for (const [name, type] of Object.entries({ ...mobula, ...store })) {
    if (typeof type !== 'function' || !(type.prototype instanceof mobula.MobulaError)) continue;
    const { code } = new (type as new (message: string) => mobula.MobulaError)('');
    if (!documented.includes(code)) continue; // A class of classes, which has no code of its own.
    t.true(headings.includes(`${code}: ${name}`), name);
  }
});
