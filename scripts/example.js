// Runs an example: npm run example -- NAME [ARGUMENT ...]
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { ecosystemFolder, installEcosystem } from './ecosystem.js';
import { root } from './toolchain.js';

const examples = join(root, 'examples');

/** @param {string} folder */
function namesIn(folder) {
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'main.ts')));
}

/**
 * What Node is to run.
 * @param {string} name
 */
function programOf(name) {
  if (name === 'hello') return [join(root, 'build/examples/hello.js')];
  if (namesIn(examples).includes(name)) return [join(root, 'build/examples', name, 'main.js')];
  if (!namesIn(ecosystemFolder).includes(name)) return undefined;
  installEcosystem();
  return ['--import', 'tsx', join(ecosystemFolder, name, 'main.ts')];
}

const [name = '', ...args] = process.argv.slice(2);
const program = programOf(name);
if (program === undefined) {
  const names = ['hello', ...namesIn(examples), ...namesIn(ecosystemFolder)];
  console.error(`usage: npm run example -- NAME, one of ${names.join(', ')}`);
  process.exitCode = 1;
} else {
  const env = { ...process.env, TSX_DISABLE_CACHE: '1' }; // it would stay in the temporary folder
  const options = /** @type {const} */ ({ cwd: root, env, stdio: 'inherit' });
  process.exitCode = spawnSync(process.execPath, [...program, ...args], options).status ?? 1;
}
