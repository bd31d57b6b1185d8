import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './toolchain.js';

/**
 * The Node executables that a folder's package.json names, installed when they are not there.
 * @param {string} folder
 * @returns {string[]} paths
 */
export function nodesOf(folder) {
  const installed = join(root, folder, 'node_modules');
  if (!existsSync(installed)) {
    // By force: one of them may be for another machine, to be emulated.
    execFileSync('npm', ['ci', '--force'], { cwd: join(root, folder), stdio: 'inherit' });
  }
  return readdirSync(installed)
    .filter((name) => name.startsWith('node'))
    .sort()
    .map((name) => join(installed, name, 'bin/node'));
}
