// Builds the addon with node-gyp, or with --tests the core's tests, unless it is newer than its
// sources.
import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { date, isFresh } from './freshness.js';
import { build, root } from './toolchain.js';

const { values } = parseArgs({ options: { tests: { type: 'boolean', default: false } } });
const target = values.tests ? 'mobula_core_test' : 'mobula';
const output = join(root, 'build/Release', values.tests ? target : `${target}.node`);
const stamp = join(root, `build/${target}.stamp`);

if (!existsSync(output) || !isFresh(stamp)) {
  const started = new Date();
  const jobs = String(availableParallelism());
  build('make', 'node-gyp', ['--loglevel=warn', `--jobs=${jobs}`, 'configure', 'build', target]);
  writeFileSync(stamp, '');
  date(stamp, started);
}
