/** Modules in TypeScript are task modules wherever Node, or a loader, runs them. */
import test from 'ava';
import { Command } from '../support/command.js';
import { isolations } from '../support/runtime.js';

const { typescript } = process.features as { typescript?: unknown };
const withTypes = typescript ? [] : ['--import', 'tsx'];

for (const isolation of isolations) {
  test.serial(`tasks and actors can be declared in a .ts module [${isolation}]`, async (t) => {
    await using command = await Command.node(
      ...withTypes,
      'test/smoke/fixtures/typed.ts',
      isolation,
    );
    const { code, stdout, stderr } = await command.outcome;
    t.is(stdout, '5\n', stderr);
    t.is(code, 0);
    t.deepEqual((await command.remains(5000)).processes, []);
  });
}
