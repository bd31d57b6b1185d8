// Builds the addon with cmake-js into build/cmake-js/Release.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildEnvironment } from './toolchain.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { status } = spawnSync(
  join(root, 'node_modules/.bin/cmake-js'),
  ['build', '--out', 'build/cmake-js', '--parallel', '2'],
  { cwd: root, env: buildEnvironment('cmake'), stdio: 'inherit' },
);
process.exit(status ?? 1);
