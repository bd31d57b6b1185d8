// Formats the C++ sources; with --check it changes nothing and fails on a difference.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { root } from './toolchain.js';

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

const sources = readdirSync(join(root, 'native'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(cc|h)$/.test(name))
  .map((name) => join('native', name));
const mode = values.check ? ['--dry-run', '-Werror'] : ['-i'];
const { status } = spawnSync(join(root, 'node_modules/.bin/clang-format'), [...mode, ...sources], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
