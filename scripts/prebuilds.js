// Builds the addon that is published, prebuilds/<platform>-<arch>/mobula.<libc>.node, with
// prebuildify. It cleans the build folder that it works in, so it gets one of its own.
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { build, root } from './toolchain.js';

const staging = join(root, 'build/prebuilds');
rmSync(staging, { recursive: true, force: true });
mkdirSync(staging, { recursive: true });
mkdirSync(join(staging, 'native'));
const native = readdirSync(join(root, 'native')).filter((name) => name !== 'test');
for (const path of [
  ...['binding.gyp', 'node_modules', 'package.json', 'scripts'],
  ...native.map((name) => join('native', name)),
]) {
  symlinkSync(join(root, path), join(staging, path));
}

build('make', 'prebuildify', [
  '--napi',
  '--strip',
  '--tag-libc',
  ...['--target', process.version],
  ...['--cwd', staging],
  ...['--out', root],
  ...['--cache', join(staging, 'cache')],
  ...['--node-gyp', join(root, 'node_modules/.bin/node-gyp')],
]);
rmSync(staging, { recursive: true });
