// Runs the core's tests and AVA on what is built; --long runs the long versions of the tests that have
// one, then the proofs that need builds of their own.
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { conclude, runAva, runCounted, runWhole } from './test-runs.js';
import { root } from './toolchain.js';

const { values } = parseArgs({ options: { long: { type: 'boolean', default: false } } });
const env = values.long ? { ...process.env, MOBULA_LONG_TESTS: '1' } : process.env;
const proofs = values.long ? ['test:sanitizers', 'test:mutation', 'fuzz'] : [];

const counts = [
  await runCounted(join(root, 'build/Release/mobula_core_test'), [], env),
  await runAva(process.execPath, values.long ? ['--timeout=60m'] : [], env),
];
for (const proof of proofs) counts.push(await runWhole('npm', ['run', proof], process.env));
conclude(counts);
