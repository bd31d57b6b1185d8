// Runs the smoke suites, or with --all every suite, on each Node line of .ci/node-lines, or on those
// named (node26), with the one published addon.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { nodesOf } from './node-lines.js';
import { conclude, runAva } from './test-runs.js';
import { fail, root } from './toolchain.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean', default: false } },
});
const suites = values.all ? [] : ['build/test/smoke/**/*.test.js'];
// node-gyp-build then passes build/Release over.
process.env.PREBUILDS_ONLY = '1';

/** Prints which addon file the package loads. */
function printAddon() {
  /** @type {unknown} */
  const loader = createRequire(import.meta.url)('node-gyp-build');
  const addon = /** @type {{ resolve(folder: string): string }} */ (loader).resolve(root);
  const digest = createHash('sha256').update(readFileSync(addon)).digest('hex');
  console.log(`${addon.slice(root.length + 1)} sha256 ${digest}`);
}

/** @param {string} node */
const isWanted = (node) =>
  positionals.length === 0 || positionals.some((line) => node.includes(`/${line}/`));

const nodes = nodesOf('.ci/node-lines').filter(isWanted);
if (nodes.length === 0) fail(`.ci/node-lines has no ${positionals.join(', ')}`);
printAddon();
const counts = [];
for (const node of nodes) {
  console.log(`Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}`);
  counts.push(await runAva(node, suites, process.env));
}
conclude(counts);
