import test from 'ava';
import { Command } from '../support/command.js';
import { isolations } from '../support/runtime.js';
import { until } from '../support/until.js';

const work = 'test/process/fixtures/work.js';
const nothing = { processes: [], files: [] };
const graceMs = 5000;

for (const isolation of isolations) {
  for (const ending of ['succeed', 'fail'] as const) {
    test.serial(
      `a driver leaves nothing behind when its main ${ending}s [${isolation}]`,
      async (t) => {
        await using command = await Command.start(work, () => [isolation, ending]);
        const { code, stdout, stderr } = await command.outcome;
        t.is(stdout, '[ 500000, 500000, 500000 ]\n');
        t.is(code, ending === 'succeed' ? 0 : 1, stderr);
        t.is(stderr.includes('the driver fails'), ending === 'fail');
        t.deepEqual(await command.remains(graceMs), nothing);
      },
    );
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    test.serial(
      `${signal} to a driver at work ends all its workers and leaves nothing [${isolation}]`,
      async (t) => {
        await using command = await Command.start(work, () => [isolation, 'forever']);
        await command.untilStdoutHas('at work');
        t.true(command.descendants().length > 0);
        command.kill(signal);
        const outcome = await command.outcome;
        t.is(outcome.signal, signal, outcome.stderr);
        t.deepEqual(await command.remains(graceMs), nothing);
      },
    );
  }

  test.serial(
    `Ctrl-C ends a driver at work and all its workers, and leaves nothing [${isolation}]`,
    async (t) => {
      await using command = await Command.start(work, () => [isolation, 'forever']);
      await command.untilStdoutHas('at work');
      command.killGroup('SIGINT');
      const { signal, stderr } = await command.outcome;
      t.is(signal, 'SIGINT');
      t.is(stderr, '');
      t.deepEqual(await command.remains(graceMs), nothing);
    },
  );

  test.serial(
    `workers that are still starting end with a driver that is killed [${isolation}]`,
    async (t) => {
      await using command = await Command.start(work, () => [isolation, 'forever']);
      await until('a worker starts, or it is too late', () => command.descendants().length > 0);
      command.kill('SIGKILL');
      await command.outcome;
      t.deepEqual(await command.remains(graceMs), nothing);
    },
  );
}

const family = 'test/process/fixtures/family.js';

for (const task of ['await', 'spin'] as const) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    test.serial(
      `${signal} to a driver ends also what its worker processes have started [tasks that ${task}]`,
      async (t) => {
        await using command = await Command.start(family, () => [task]);
        await command.untilStdoutHas('at work');
        t.true(command.descendants().length >= 2);
        command.kill(signal);
        const outcome = await command.outcome;
        t.is(outcome.signal, signal, outcome.stderr);
        t.deepEqual(await command.remains(graceMs), nothing);
      },
    );
  }
}

for (const end of ['exit', 'kill'] as const) {
  test.serial(`what a worker process has started ends with it [${end}]`, async (t) => {
    await using command = await Command.start(family, () => [end]);
    const { code, stdout, stderr } = await command.outcome;
    t.is(stdout, 'at work\na child has ended\n', stderr);
    t.is(code, 0, stderr);
    t.deepEqual(await command.remains(graceMs), nothing);
  });
}

test.serial('shutdown ends also what worker processes have started', async (t) => {
  await using command = await Command.start(family, () => ['succeed']);
  const { code, stderr } = await command.outcome;
  t.is(code, 0, stderr);
  t.deepEqual(await command.remains(graceMs), nothing);
});
