// Runs what a user would on linux-arm64, with the published addon: under qemu where this machine is
// another one.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { nodesOf } from './node-lines.js';
import { conclude, runAva } from './test-runs.js';
import { fail, requireTool, root } from './toolchain.js';

const sysroot = '/usr/aarch64-linux-gnu';

/** A program that is Node for arm64; workers that are processes are started by it, too. */
function emulated() {
  const packages = 'qemu-user g++-aarch64-linux-gnu';
  const qemu = requireTool(
    'The emulator of arm64',
    ['qemu-aarch64', 'qemu-aarch64-static'],
    packages,
  );
  if (!existsSync(join(sysroot, 'lib/libstdc++.so.6'))) {
    fail(`${sysroot} has no C++ library for arm64; Debian: apt-get install ${packages}`);
  }
  const [node] = nodesOf('.ci/node-arm64');
  const folder = join(root, 'build/arm64');
  const program = join(folder, 'node');
  const identity = join(folder, 'identity.mjs');
  mkdirSync(folder, { recursive: true });
  writeFileSync(identity, `process.execPath = '${program}';\n`);
  writeFileSync(
    program,
    `#!/bin/sh\nexec ${qemu} -L ${sysroot} '${String(node)}' --import '${identity}' "$@"\n`,
    { mode: 0o755 },
  );
  return program;
}

const node = process.arch === 'arm64' ? process.execPath : emulated();
const env = { ...process.env, PREBUILDS_ONLY: '1', MOBULA_NODES: node };
const config = ['--config', 'test/pack/ava.config.js'];
conclude([await runAva(process.execPath, [...config, 'build/test/pack/arm64.test.js'], env)]);
