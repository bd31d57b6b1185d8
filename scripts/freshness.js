import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './toolchain.js';

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

/**
 * Whether the addon's sources are older than the build that this file dates.
 * @param {string} file
 * @returns {boolean}
 */
export function isFresh(file) {
  if (!existsSync(file)) return false;
  return Math.max(...inputs.map((path) => newestIn(join(root, path)))) < statSync(file).mtimeMs;
}

/**
 * Dates a file by the start of its build: a source may have changed since.
 * @param {string} file
 * @param {Date} started
 */
export function date(file, started) {
  utimesSync(file, started, started);
}
