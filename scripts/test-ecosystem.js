// Checks the types of examples/ecosystem and runs its tests, with its libraries installed.
import { join } from 'node:path';
import process from 'node:process';
import { ecosystemFolder, installEcosystem } from './ecosystem.js';
import { conclude, runAva, runWhole } from './test-runs.js';
import { root } from './toolchain.js';

installEcosystem();
const compiler = join(root, 'node_modules/typescript/bin/tsc');
conclude([
  await runWhole(process.execPath, [compiler, '--project', ecosystemFolder], process.env),
  await runAva(process.execPath, [], process.env, ecosystemFolder),
]);
