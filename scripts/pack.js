// npm pack, for a package that can be installed offline: it brings its dependencies along, but not
// their optional ones. Those are for this machine, and Mobula does not use them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { root } from './toolchain.js';

const modules = join(root, 'node_modules');
const optional = ['msgpackr-extract', '@msgpackr-extract'].filter((name) =>
  existsSync(join(modules, name)),
);
const aside = mkdtempSync(join(root, 'build/pack-'));

/** @param {(name: string) => [from: string, to: string]} places */
function move(places) {
  for (const name of optional) {
    const [from, to] = places(name);
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
  }
}

move((name) => [join(modules, name), join(aside, name)]);
try {
  const options = /** @type {const} */ ({ cwd: root, stdio: 'inherit' });
  process.exitCode = spawnSync('npm', ['pack', ...process.argv.slice(2)], options).status ?? 1;
} finally {
  move((name) => [join(aside, name), join(modules, name)]);
  rmSync(aside, { recursive: true });
}
