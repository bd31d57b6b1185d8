import test from 'ava';
import { Command } from '../support/command.js';

test('hello sums a shared array by tasks, and an actor adds up', async (t) => {
  await using command = await Command.start('examples/hello.js');
  const { code, stdout, stderr } = await command.outcome;
  t.is(stderr, '');
  t.is(stdout, '1000000\n');
  t.is(code, 0);
  t.deepEqual(await command.remains(5000), { processes: [], files: [] });
});
