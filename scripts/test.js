// Runs the core's tests and AVA on what `npm run build` made. Ends with the sum of both as a line of
// its own, `N passed, N failed`; exits with 1 on any failure and when nothing ran.
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { runAva, runCounted, sum } from './test-runs.js';
import { root } from './toolchain.js';

const { values } = parseArgs({ options: { long: { type: 'boolean', default: false } } });
const env = values.long ? { ...process.env, MOBULA_LONG_TESTS: '1' } : process.env;

const core = await runCounted(join(root, 'build/Release/mobula_core_test'), [], env);
const ava = await runAva(process.execPath, values.long ? ['--timeout=60m'] : [], env);
const total = sum([core, ava]);
console.log(`${String(total.passed)} passed, ${String(total.failed)} failed`);
process.exitCode = total.failed === 0 && core.passed > 0 && ava.passed > 0 ? 0 : 1;
