// Builds the core and its tests with AddressSanitizer and UndefinedBehaviorSanitizer, then with
// ThreadSanitizer, in build/sanitizers, and runs the claims with each. Sweeps are left out: they
// look for no faults of memory, and an instrumented process takes too many steps.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { conclude, runCounted } from './test-runs.js';
import { root } from './toolchain.js';

const sanitizers = ['address,undefined', 'thread'];
const jobs = '2';

/** @param {string[]} args */
function cmake(args) {
  const { status } = spawnSync('cmake', args, { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

/**
 * Damage that a test does to a segment is a race by itself, and no fault of the core.
 * @param {string} executable
 * @param {string} sanitizer
 */
function claims(executable, sanitizer) {
  const { stdout } = spawnSync(executable, ['--list'], { encoding: 'utf8' });
  const left = sanitizer === 'thread' ? /^(a kill while|whatever the bytes)/ : /^a kill while/;
  return stdout
    .trim()
    .split('\n')
    .filter((claim) => !left.test(claim));
}

// A failed check ends the process, so that its test fails; roles of processes are left to be killed.
const env = {
  ...process.env,
  ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
  TSAN_OPTIONS: 'halt_on_error=1',
};

const counts = [];
for (const sanitizer of sanitizers) {
  const folder = join(root, 'build/sanitizers', sanitizer.split(',')[0] ?? sanitizer);
  const options = [
    `-DMOBULA_SANITIZE=${sanitizer}`,
    '-DCMAKE_BUILD_TYPE=None',
    '-DCMAKE_CXX_FLAGS=-O1',
  ];
  cmake(['-S', root, '-B', folder, ...options]);
  cmake(['--build', folder, '-j', jobs]);
  const executable = join(folder, 'mobula_core_test');
  console.log(`With ${sanitizer}:`);
  counts.push(await runCounted(executable, claims(executable, sanitizer), env));
}
conclude(counts);
