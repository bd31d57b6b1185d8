// Builds the addons that are published, prebuilds/<platform>-<arch>/mobula.<libc>.node, with
// prebuildify, unless they are newer than their sources: those of the targets named, or of all that
// this machine has a compiler for. With --all a missing compiler is a failure.
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { newerSymbols } from './addon-symbols.js';
import { date, isFresh } from './freshness.js';
import { build, fail, isExecutable, root } from './toolchain.js';

/**
 * @typedef {object} Target
 * @property {string} arch
 * @property {string} libc
 * @property {string} compilers what stands before g++ and the names of the other tools
 * @property {string} install what gives the compiler
 */

/** @type {Record<string, Target>} */
const targets = {
  'linux-x64-glibc': {
    arch: 'x64',
    libc: 'glibc',
    compilers: process.arch === 'x64' ? '' : 'x86_64-linux-gnu-',
    install: process.arch === 'x64' ? 'g++' : 'g++-x86-64-linux-gnu',
  },
  'linux-arm64-glibc': {
    arch: 'arm64',
    libc: 'glibc',
    compilers: process.arch === 'arm64' ? '' : 'aarch64-linux-gnu-',
    install: process.arch === 'arm64' ? 'g++' : 'g++-aarch64-linux-gnu',
  },
};

// prebuildify cleans the build folder that it works in, so it gets one of its own.
const staging = join(root, 'build/prebuild');

function makeStaging() {
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(join(staging, 'native'), { recursive: true });
  const native = readdirSync(join(root, 'native')).filter((name) => name !== 'test');
  for (const path of [
    ...['binding.gyp', 'node_modules', 'package.json', 'scripts'],
    ...native.map((name) => join('native', name)),
  ]) {
    symlinkSync(join(root, path), join(staging, path));
  }
}

/** @param {Target} target */
function prebuild({ arch, libc, compilers }) {
  const started = new Date();
  makeStaging();
  const args = [
    '--napi',
    '--strip',
    ...['--arch', arch],
    ...['--tag-libc', libc],
    ...['--target', process.version],
    ...['--cwd', staging],
    ...['--out', root],
    ...['--cache', join(staging, 'cache')],
    ...['--node-gyp', join(root, 'node_modules/.bin/node-gyp')],
    ...['--strip-bin', `${compilers}strip`],
  ];
  build('make', 'prebuildify', args, {
    CC: `${compilers}gcc`,
    CXX: `${compilers}g++`,
    AR: `${compilers}gcc-ar`,
    JOBS: String(availableParallelism()),
  });
  rmSync(staging, { recursive: true });
  return started;
}

/** @param {string} addon */
function check(addon) {
  const newer = newerSymbols(join(root, addon));
  if (newer.length === 0) return;
  fail(`${addon} needs ${newer.join(', ')}, newer than glibc 2.28; bind it in native/port/glibc.S`);
}

/**
 * @param {string} name
 * @param {Target} target
 */
function provide(name, target) {
  const addon = `prebuilds/linux-${target.arch}/mobula.${target.libc}.node`;
  if (!isFresh(join(root, addon))) {
    const started = prebuild(target);
    date(join(root, addon), started);
  }
  check(addon);
  console.log(`${name}: ${addon}`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean', default: false } },
});
const names = positionals.length > 0 ? positionals : Object.keys(targets);
const mayBeSkipped = positionals.length === 0 && !values.all;

for (const name of names) {
  const target = targets[name];
  if (!target) fail(`there is no target ${name}; there are ${Object.keys(targets).join(', ')}`);
  if (isExecutable(`${target.compilers}g++`)) {
    provide(name, target);
    continue;
  }
  const message = `${name} needs ${target.compilers}g++ (Debian: apt-get install ${target.install})`;
  if (!mayBeSkipped) fail(message);
  console.warn(`mobula: skipped: ${message}`);
}
