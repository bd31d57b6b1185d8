/**
 * However a runtime ends, its spill files go: with it, or with the next one that spills to the same
 * place.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { get, init, shutdown, stats } from 'mobula';
import { Command } from '../support/command.js';
import { Killer } from '../support/killer.js';
import { checkPattern, makePattern } from '../support/patterns.js';
import { chooseSeed, Random } from '../support/random.js';
import { isolations, type Isolation } from '../support/runtime.js';
import { spillFiles, spillPlace } from '../support/spilling.js';

const spilling = 'test/process/fixtures/spilling.js';
const nothing = { processes: [], files: [] };
const graceMs = 5000;
const killsAtLeast = process.env.MOBULA_LONG_TESTS === undefined ? 20 : 1000;

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

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test.serial(
      `a driver with spilled objects leaves no file when ${signal} ends it [${isolation}]`,
      async (t) => {
        const place = await spillPlace(t);
        await using command = await spill(isolation, place, 'forever');
        await command.untilStdoutHas('at work');
        command.kill(signal);
        t.is((await command.outcome).signal, signal);
        t.deepEqual(await command.remains(graceMs), nothing);
        t.deepEqual(await readdir(place), []);
      },
    );
  }

  test.serial(
    `what a killed driver has spilled is removed by the next one [${isolation}]`,
    async (t) => {
      const place = await spillPlace(t);
      {
        await using killed = await spill(isolation, place, 'forever');
        await killed.untilStdoutHas('at work');
        killed.kill('SIGKILL');
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

test.serial('a driver that handles SIGINT itself keeps its files until it ends', async (t) => {
  const place = await spillPlace(t);
  await using command = await spill('thread', place, 'handled');
  await command.untilStdoutHas('at work');
  command.kill('SIGINT');
  const { code, stderr } = await command.outcome;
  t.is(code, 0, stderr);
  t.deepEqual(await readdir(place), []);
});

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

test.serial(
  'workers killed while they spill and read back leave no file, and lose nothing',
  async (t) => {
    const seed = chooseSeed();
    t.log(`MOBULA_SEED=${seed}`);
    const place = await spillPlace(t);
    init({ workers: 2, isolation: 'process', memory: '16MiB', spillDirectory: place });
    t.teardown(() => shutdown());
    const length = 65_536;
    const make = makePattern.options({ retries: 1_000_000 });
    const check = checkPattern.options({ retries: 1_000_000 });
    const refs = Array.from({ length: 128 }, (_, n) => make.remote(n, length));
    {
      using killer = new Killer(new Random(seed));
      while (killer.kills < killsAtLeast) {
        const checks = await get(refs.map((ref, n) => check.remote(ref, n, length)));
        t.true(checks.every(Boolean));
        const n = killer.kills % refs.length;
        refs.splice(n, 1, make.remote(n, length))[0]![Symbol.dispose]();
      }
      t.log(`${killer.kills} kills, ${stats().store.restored} objects read back`);
    }
    await shutdown();
    t.deepEqual(await readdir(place), []);
  },
);
