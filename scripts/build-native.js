// Builds the addon and the core's test runner with node-gyp, unless both are newer than all of
// their sources.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildEnvironment } from './toolchain.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'build/native.stamp');
const outputs = ['mobula.node', 'mobula_core_test'].map((name) => join(root, 'build/Release', name));

/**
 * The newest modification time in a tree, folders included: adding and removing a file touches them.
 * @param {string} path
 * @returns {number}
 */
function newestIn(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  return Math.max(status.mtimeMs, ...readdirSync(path).map((name) => newestIn(join(path, name))));
}

function isFresh() {
  if (![stamp, ...outputs].every((path) => existsSync(path))) return false;
  const sources = ['native', 'binding.gyp', 'package-lock.json'].map((name) => join(root, name));
  return Math.max(...sources.map(newestIn)) < statSync(stamp).mtimeMs;
}

if (!isFresh()) {
  const started = new Date();
  const { status } = spawnSync(
    join(root, 'node_modules/.bin/node-gyp'),
    ['configure', 'build', '--loglevel=warn', `--jobs=${String(availableParallelism())}`],
    { cwd: root, env: buildEnvironment('make'), stdio: 'inherit' },
  );
  if (status !== 0) process.exit(1);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, '');
  utimesSync(stamp, started, started);
}
