// Builds and runs a fuzzer, or one after the other: npm run fuzz -- [hostile|operations] [seconds].
// What it learns stays in build/fuzz-corpus; an input that fails is written to build/ and named.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fail, requireTool, root } from './toolchain.js';

const targets = ['hostile', 'operations'];
const args = process.argv.slice(2);
const chosen = targets.includes(args[0] ?? '') ? args.splice(0, 1) : targets;
const seconds = Number(args[0] ?? 60);
if (!Number.isInteger(seconds) || seconds < 1) {
  fail(`usage: npm run fuzz -- [${targets.join('|')}] [seconds]`);
}

const versions = ['', '-21', '-20', '-19', '-18', '-17', '-16', '-15', '-14'];
const clang = requireTool(
  'clang with libFuzzer',
  versions.map((version) => `clang++${version}`),
  'clang libclang-rt-dev cmake make',
);
requireTool('CMake', ['cmake']);

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

const build = join(root, 'build/fuzz');
run('cmake', ['-S', root, '-B', build, '-DMOBULA_FUZZ=ON', `-DCMAKE_CXX_COMPILER=${clang}`]);
run('cmake', ['--build', build, '--parallel', String(availableParallelism())]);
for (const target of chosen) {
  const corpus = join(root, 'build/fuzz-corpus', target);
  mkdirSync(corpus, { recursive: true });
  run(join(build, target), [
    `-max_total_time=${String(seconds)}`,
    '-max_len=512',
    '-len_control=0',
    '-timeout=100',
    '-detect_leaks=0', // a client is destroyed by its own thread, in its own time
    `-artifact_prefix=${join(root, `build/${target}-`)}`,
    corpus,
  ]);
}
