// Runs a user's tests of tasks and actors with each of the test runners of test/runners, and as a bundle.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { conclude, runWhole } from './test-runs.js';
import { root } from './toolchain.js';

const folder = join(root, 'test/runners');
const modules = join(folder, 'node_modules');

if (!existsSync(join(modules, 'esbuild'))) {
  // `npm ci` wants the optional packages of all systems in the lock file; registries may lack some.
  const args = ['install', '--no-save', '--no-audit', '--no-fund'];
  execFileSync('npm', args, { cwd: folder, stdio: 'inherit' });
}
mkdirSync(modules, { recursive: true });
rmSync(join(modules, 'mobula'), { force: true });
symlinkSync(root, join(modules, 'mobula'), 'dir');

/** @type {Record<string, string[]>} */
const runs = {
  'tsx, as a loader': ['--import', 'tsx', 'user.tsx.ts'],
  'vitest, in processes': ['node_modules/vitest/vitest.mjs', 'run', '--pool', 'forks'],
  'vitest, in threads': ['node_modules/vitest/vitest.mjs', 'run', '--pool', 'threads'],
  jest: [
    ...['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--testTimeout=60000'],
    ...['--testMatch', '**/*.jest.js', '--transform', '{}'],
  ],
  'ava, in threads': ['node_modules/ava/entrypoints/cli.mjs', '--timeout=1m', 'user.ava.js'],
  'ava, in processes': [
    ...['node_modules/ava/entrypoints/cli.mjs', '--no-worker-threads', '--timeout=1m'],
    'user.ava.js',
  ],
  'esbuild, with mobula outside of the bundle': ['bundle.js'],
};

// Loaders and runners leave their caches in it.
const temporary = mkdtempSync(join(tmpdir(), 'mobula-runners-'));
const counts = [];
for (const [name, args] of Object.entries(runs)) {
  console.log(`--- ${name}`);
  const env = { ...process.env, TMPDIR: temporary };
  counts.push(await runWhole(process.execPath, args, env, folder));
}
rmSync(temporary, { recursive: true });
conclude(counts);
