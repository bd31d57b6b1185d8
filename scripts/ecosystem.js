// The package examples/ecosystem: examples with libraries that an ordinary install does without.
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './toolchain.js';

export const ecosystemFolder = join(root, 'examples/ecosystem');

/** Installs its libraries, unless that has happened since its lock file changed. */
export function installEcosystem() {
  const installed = join(ecosystemFolder, 'node_modules/.package-lock.json');
  const wanted = join(ecosystemFolder, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return;
  console.error('Installing the libraries of examples/ecosystem, some 400 MB');
  execFileSync('npm', ['ci'], { cwd: ecosystemFolder, stdio: ['ignore', 'ignore', 'inherit'] });
}
