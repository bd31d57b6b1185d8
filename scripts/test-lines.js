// Runs the smoke suites on every Node line of .ci/node-lines with the one published addon.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { conclude, runAva } from './test-runs.js';
import { root } from './toolchain.js';

const linesFolder = join(root, '.ci/node-lines');
// node-gyp-build then passes build/Release over.
process.env.PREBUILDS_ONLY = '1';

function installLines() {
  if (existsSync(join(linesFolder, 'node_modules'))) return;
  execFileSync('npm', ['ci'], { cwd: linesFolder, stdio: 'inherit' });
}

function nodeExecutables() {
  return readdirSync(join(linesFolder, 'node_modules'))
    .filter((name) => name.startsWith('node'))
    .sort()
    .map((name) => join(linesFolder, 'node_modules', name, 'bin/node'));
}

/** Prints which addon file the package loads. */
function printAddon() {
  /** @type {unknown} */
  const loader = createRequire(import.meta.url)('node-gyp-build');
  const addon = /** @type {{ resolve(folder: string): string }} */ (loader).resolve(root);
  const digest = createHash('sha256').update(readFileSync(addon)).digest('hex');
  console.log(`${addon.slice(root.length + 1)} sha256 ${digest}`);
}

installLines();
printAddon();
const counts = [];
for (const node of nodeExecutables()) {
  console.log(`Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}`);
  counts.push(await runAva(node, ['build/test/smoke/**/*.test.js'], process.env));
}
conclude(counts);
