import test from 'ava';
import { Command } from '../support/command.js';
import { isolations } from '../support/runtime.js';
import { manyLines } from '../support/writing.js';

const output = 'test/process/fixtures/output.js';

/** The lines without their prefix, which must be the same before each of them. */
function linesOf(text: string): string[] {
  const [prefix = ''] = /^\(worker 1, pid \d+\) /.exec(text) ?? [];
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => (line.startsWith(prefix) ? line.slice(prefix.length) : line));
}

for (const isolation of isolations) {
  for (const end of ['shutdown', 'natural']) {
    test.serial(
      `what workers write arrives line by line, each with its worker and pid [${isolation}, ${end}]`,
      async (t) => {
        await using command = await Command.start(output, () => [isolation, 'parts', end]);
        const { code, stdout, stderr } = await command.outcome;
        t.is(code, 0);
        t.regex(stdout, /^(\(worker 1, pid \d+\)) one\n\1 two\n\1 three: ä\n$/);
        t.regex(stderr, /^\(worker 1, pid \d+\) wrong\n$/);
      },
    );

    for (const writer of ['much', 'much-and-exit']) {
      test.serial(
        `nothing of what workers write is lost [${isolation}, ${writer}, ${end}]`,
        async (t) => {
          await using command = await Command.start(output, () => [isolation, writer, end]);
          const { code, stdout } = await command.outcome;
          t.is(code, 0);
          t.deepEqual(
            linesOf(stdout),
            Array.from({ length: manyLines }, (_, i) => `line ${i} of many`),
          );
        },
      );
    }
  }

  test.serial(
    `a driver goes on when nobody reads what its workers write [${isolation}]`,
    async (t) => {
      await using command = await Command.start(output, () => [isolation, 'much', 'shutdown']);
      command.closeStdout();
      const { code, stderr } = await command.outcome;
      t.is(stderr, '');
      t.is(code, 0);
    },
  );

  test.serial(`without logToDriver output goes its own way, as it is [${isolation}]`, async (t) => {
    await using command = await Command.start(output, () => [isolation, 'parts', 'shutdown', 'no']);
    const { code, stdout, stderr } = await command.outcome;
    t.is(code, 0);
    t.is(stdout, 'one\ntwo\nthree: ä');
    t.is(stderr, 'wrong');
  });
}
