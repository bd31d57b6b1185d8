// Builds the addon and the core's tests with node-gyp, unless they are newer than their
// sources.
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { build, root } from './toolchain.js';

const inputs = ['native', 'binding.gyp', 'package.json'];
const addon = join(root, 'build/Release/mobula.node');
const stamp = join(root, 'build/native.stamp');

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
  if (!existsSync(addon) || !existsSync(stamp)) return false;
  return Math.max(...inputs.map((path) => newestIn(join(root, path)))) < statSync(stamp).mtimeMs;
}

if (!isFresh()) {
  const started = new Date();
  const jobs = String(availableParallelism());
  build('make', 'node-gyp', ['configure', 'build', '--loglevel=warn', `--jobs=${jobs}`]);
  writeFileSync(stamp, '');
  utimesSync(stamp, started, started);
}
