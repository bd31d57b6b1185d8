import test from 'ava';
import { ActorNotFoundError, getActor, init, kill, shutdown, stats } from 'mobula';
import { children } from '../support/children.js';
import { Command } from '../support/command.js';
import { testOneByOneInEach, type ActorIsolation } from '../support/in-each.js';
import { enter, Journal } from '../support/journal.js';
import { Mortal, type MortalClass } from '../support/mortals.js';
import { until } from '../support/until.js';

const nothing = { processes: [], files: [] };
const graceMs = 5000;

test.afterEach.always(() => shutdown());

test.serial(
  '4a: an actor that is killed five times under load loses no call, and repeats none that was answered',
  async (t) => {
    init({ workers: 1, memory: '64MiB' });
    const [calls, callers, perKill] = [1200, 50, 200];
    const journal = new Journal(t);
    const options = { isolation: 'process', maxRestarts: -1, maxTaskRetries: -1 } as const;
    const mortal = Mortal.options(options).remote(journal.handle, 'a');
    let [next, answered] = [0, 0];
    const callOneByOne = async () => {
      while (next < calls) {
        const n = next++;
        await mortal.note(`run ${n}`);
        enter(journal.handle, `answered ${n}`);
        answered++;
      }
    };
    const load = Promise.all(Array.from({ length: callers }, callOneByOne));
    for (let n = 1; n <= 5; n++) {
      await until('calls are answered', () => answered >= n * perKill);
      for (const pid of children()) process.kill(pid, 'SIGKILL');
    }
    await load;
    const { entries } = journal;
    t.is(entries.filter((entry) => entry === 'a starts').length, 6);
    const runs = entries.filter((entry) => entry.startsWith('run'));
    t.deepEqual(
      [...new Set(runs)],
      Array.from({ length: calls }, (_, n) => `run ${n}`),
    );
    const repeated = Array.from({ length: calls }, (_, n) => n).filter(
      (n) => entries.lastIndexOf(`run ${n}`) > entries.indexOf(`answered ${n}`),
    );
    t.deepEqual(repeated, []);
  },
);

function join(
  address: string,
  journal: Journal,
  isolation: ActorIsolation,
  deed: 'make' | 'leave' | 'find',
): Promise<Command> {
  const args = [address, JSON.stringify(journal.handle), isolation, deed];
  return Command.start('test/process/fixtures/actor-joiner.js', () => args);
}

for (const end of ['its own', 'SIGKILL'] as const) {
  testOneByOneInEach(
    `9: the end of a joiner, by ${end}, is that of its actors, but not of detached ones, which others find`,
    async (t, isolation) => {
      const { address } = init({ workers: 1, memory: '64MiB' });
      const journal = new Journal(t);
      await using joiner = await join(address, journal, isolation, 'make');
      await joiner.untilStdoutHas('made');
      t.is(await getActor<MortalClass>('own').count(), 2);
      if (end === 'SIGKILL') joiner.kill(end);
      else joiner.feed('');
      await joiner.outcome;
      await until('its actor has ended', () => stats().actors.alive === 1);
      t.throws(() => getActor('own'), { instanceOf: ActorNotFoundError });
      await using other = await join(address, journal, isolation, 'find');
      const { stdout, stderr } = await other.outcome;
      t.is(stdout, '2\n', stderr);
      const kept = getActor<MortalClass>('kept');
      t.is(await kept.count(), 3);
      await kill(kept);
      t.deepEqual(journal.entries.sort(), ['kept starts', 'own starts']);
    },
  );
}

testOneByOneInEach(
  '9: a detached actor is made though its maker exits at once',
  async (t, isolation) => {
    const { address } = init({ workers: 1, memory: '64MiB' });
    const journal = new Journal(t);
    await using joiner = await join(address, journal, isolation, 'leave');
    const { code, stderr } = await joiner.outcome;
    t.is(code, 0, stderr);
    await journal.until(1);
    t.is(await getActor<MortalClass>('kept').count(), 1);
    t.deepEqual(journal.entries, ['kept starts']);
  },
);

function drive(journal: Journal, deed: 'end' | 'leave' | 'loop'): Promise<Command> {
  const args = [JSON.stringify(journal.handle), deed];
  return Command.start('test/process/fixtures/actor-driver.js', () => args);
}

for (const [end, deed] of [
  ['end of main()', 'end'],
  ['natural exit', 'leave'],
] as const) {
  test.serial(`10: the ${end} runs onStop of the actors`, async (t) => {
    const journal = new Journal(t);
    await using driver = await drive(journal, deed);
    const { code, stdout, stderr } = await driver.outcome;
    t.is(code, 0, stderr);
    t.is(stdout, '[ 1, 1, 1 ]\n');
    const stops = journal.entries.filter((entry) => entry.endsWith('stops'));
    t.deepEqual(stops.sort(), ['process stops', 'shared stops', 'thread stops']);
    t.deepEqual(await driver.remains(graceMs), nothing);
  });
}

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test.serial(`10: ${signal} to a driver ends its actors, even in loops`, async (t) => {
    await using driver = await drive(new Journal(t), 'loop');
    await driver.untilStdoutHas('at work');
    driver.kill(signal);
    const outcome = await driver.outcome;
    t.is(outcome.signal, signal, outcome.stderr);
    t.deepEqual(await driver.remains(graceMs), nothing);
  });
}
