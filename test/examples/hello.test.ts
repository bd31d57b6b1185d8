import { readFileSync } from 'node:fs';
import test from 'ava';
import { Command } from '../support/command.js';
import { codeBlocksOf, root } from '../support/guides.js';

test('hello is the first example of the README', (t) => {
  const [first] = codeBlocksOf('README.md');
  t.is(first!.code, readFileSync(`${root}examples/hello.ts`, 'utf8'));
});

test('hello sums a shared array by tasks, and an actor adds up', async (t) => {
  await using command = await Command.start('examples/hello.js');
  const { code, stdout, stderr } = await command.outcome;
  t.is(stderr, '');
  t.is(stdout, '1000000\n');
  t.is(code, 0);
  t.deepEqual(await command.remains(5000), { processes: [], files: [] });
});
