import { fileURLToPath } from 'node:url';
import test from 'ava';
import { nodeLines } from '../support/nodes.js';
import { EXPECTED, outputOf, programRuns } from '../support/programs.js';

const folder = fileURLToPath(new URL('programs', import.meta.url));

for (const { version, executable } of nodeLines()) {
  for (const { program, isolation } of programRuns) {
    test.serial(
      `objects, tasks and actors work on arm64, Node ${version}: ${program} [${isolation}]`,
      async (t) => {
        const print = ['--print', 'process.arch'];
        t.is(await outputOf(executable, print, { cwd: folder }), 'arm64\n');
        t.is(await outputOf(executable, [program, isolation], { cwd: folder }), EXPECTED);
      },
    );
  }
}
