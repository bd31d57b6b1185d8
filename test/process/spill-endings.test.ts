/** However a runtime ends, its spill files go: with it, or with the next one that spills to the same place. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Command } from '../support/command.js';
import { isolations, type Isolation } from '../support/runtime.js';
import { spillFiles, spillPlace } from '../support/spilling.js';

const spilling = 'test/process/fixtures/spilling.js';
const nothing = { processes: [], files: [] };
const graceMs = 5000;

const spill = (isolation: Isolation, place: string, ending: string) =>
  Command.start(spilling, () => [isolation, place, ending]);

for (const isolation of isolations) {
  for (const [ending, code] of [
    ['return', 0],
    ['exit', 0],
    ['throw', 1],
  ] as const) {
    test.serial(
      `a driver with spilled objects leaves no file when it ends [${ending}, ${isolation}]`,
      async (t) => {
        const place = await spillPlace(t);
        await using command = await spill(isolation, place, ending);
        const outcome = await command.outcome;
        t.is(outcome.code, code, outcome.stderr);
        t.is(outcome.stderr.includes('the driver fails'), ending === 'throw');
        t.deepEqual(await command.remains(graceMs), nothing);
        t.deepEqual(await readdir(place), []);
      },
    );
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    test.serial(
      `what a driver that ${signal} ends has spilled is removed by the next one [${isolation}]`,
      async (t) => {
        const place = await spillPlace(t);
        {
          await using killed = await spill(isolation, place, 'forever');
          await killed.untilStdoutHas('at work');
          killed.kill(signal);
          await killed.outcome;
          t.deepEqual(await killed.remains(graceMs), nothing);
        }
        await using next = await spill(isolation, place, 'return');
        const { code, stderr } = await next.outcome;
        t.is(code, 0, stderr);
        t.deepEqual(await readdir(place), []);
      },
    );
  }
}

test.serial('a next runtime leaves alone what is not of a dead one', async (t) => {
  const place = await spillPlace(t);
  const others = join(place, 'mobula');
  await mkdir(others);
  await writeFile(join(others, '1'), '');
  await using running = await spill('thread', place, 'forever');
  await running.untilStdoutHas('at work');
  await using next = await spill('thread', place, 'return');
  const { code, stderr } = await next.outcome;
  t.is(code, 0, stderr);
  t.is((await readdir(place)).length, 2);
  t.true(spillFiles(place).length > 0);
  t.deepEqual(await readdir(others), ['1']);
});
