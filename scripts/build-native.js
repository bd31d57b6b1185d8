// Builds the addon with node-gyp, or with --tests the core's tests, unless it is newer than its
// sources.
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, root } from './toolchain.js';

const { values } = parseArgs({ options: { tests: { type: 'boolean', default: false } } });
const target = values.tests ? 'mobula_core_test' : 'mobula';
const output = join(root, 'build/Release', values.tests ? target : `${target}.node`);
const stamp = join(root, `build/${target}.stamp`);
const inputs = ['native', 'binding.gyp', 'package.json'];

/**
 * The newest modification time in a tree, folders included: a file that comes or goes touches its
 * folder.
 * @param {string} path
 * @returns {number}
 */
function newestIn(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  return Math.max(status.mtimeMs, ...readdirSync(path).map((name) => newestIn(join(path, name))));
}

function isFresh() {
  if (!existsSync(output) || !existsSync(stamp)) return false;
  return Math.max(...inputs.map((path) => newestIn(join(root, path)))) < statSync(stamp).mtimeMs;
}

if (!isFresh()) {
  const started = new Date();
  const jobs = String(availableParallelism());
  build('make', 'node-gyp', ['--loglevel=warn', `--jobs=${jobs}`, 'configure', 'build', target]);
  writeFileSync(stamp, '');
  utimesSync(stamp, started, started);
}
