// Packs the package and proves the tarball, which it installs on each Node line of .ci/node-lines.
import process from 'node:process';
import { nodesOf } from './node-lines.js';
import { conclude, runAva } from './test-runs.js';

const env = { ...process.env, MOBULA_NODES: nodesOf('.ci/node-lines').join(':') };
const config = ['--config', 'test/pack/ava.config.js'];
conclude([
  await runAva(process.execPath, [...config, 'build/test/pack/{prebuild,tarball}.test.js'], env),
]);
