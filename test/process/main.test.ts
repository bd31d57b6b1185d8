import test from 'ava';
import { Command } from '../support/command.js';
import { isolations } from '../support/runtime.js';

const fixtures = 'test/process/fixtures';
const nothing = { processes: [], files: [] };

for (const isolation of isolations) {
  test(`main runs once, in the driver, after the module with its top-level awaits [${isolation}]`, async (t) => {
    await using command = await Command.start(`${fixtures}/order.js`, () => [isolation]);
    const { code, stdout, stderr } = await command.outcome;
    t.is(stderr, '');
    t.is(stdout, 'module starts\nmodule ends\nmain\n1\n');
    t.is(code, 0);
  });

  test(`a driver without main is told to wrap its code [${isolation}]`, async (t) => {
    await using command = await Command.start(`${fixtures}/without-main.js`, () => [isolation]);
    const { code, stdout } = await command.outcome;
    t.regex(stdout, /wrap the code .* main\(/);
    t.is(code, 0);
    t.deepEqual(await command.remains(5000), nothing);
  });

  test(`a driver that declares no functions needs no main and no shutdown [${isolation}]`, async (t) => {
    await using command = await Command.start(`${fixtures}/imports-functions.js`, () => [
      isolation,
    ]);
    const { code, stdout, stderr } = await command.outcome;
    t.is(stderr, '');
    t.is(stdout, '3 4\n');
    t.is(code, 0);
    t.deepEqual(await command.remains(5000), nothing);
  });

  test(`a pending task keeps the driver up [${isolation}]`, async (t) => {
    await using command = await Command.start(`${fixtures}/pending.js`, () => [isolation]);
    const { code, stdout, stderr } = await command.outcome;
    t.is(stderr, '');
    t.is(stdout, 'done\n');
    t.is(code, 0);
  });

  test(`a driver can be written in CommonJS [${isolation}]`, async (t) => {
    await using command = await Command.start(`${fixtures}/common.cjs`, () => [isolation]);
    const { code, stdout } = await command.outcome;
    t.is(stdout, '3\n');
    t.is(code, 0);
  });

  test(`errors keep the classes that a driver in CommonJS exports [${isolation}]`, async (t) => {
    await using command = await Command.start(`${fixtures}/common-errors.cjs`, () => [isolation]);
    const { code, stdout } = await command.outcome;
    t.is(stdout, 'true\n');
    t.is(code, 0);
  });

  test(`a failed ref that nobody looks at does not end the driver [${isolation}]`, async (t) => {
    await using command = await Command.start(`${fixtures}/unobserved.js`, () => [isolation]);
    const { code, stdout } = await command.outcome;
    t.is(stdout, '1\n');
    t.is(code, 0);
  });

  test(`a failed ref that nobody looks at is reported once at shutdown [${isolation}]`, async (t) => {
    await using command = await Command.start(`${fixtures}/unobserved.js`, () => [isolation]);
    const { stderr } = await command.outcome;
    t.is(stderr.split('[MOBULA_UNOBSERVED]').length, 2, stderr);
    t.regex(stderr, /nobody looks/);
  });
}

test('a failed ref that nobody looks at is reported at the natural end of a driver', async (t) => {
  const code = "const { fail } = await import('./build/test/support/tasks.js'); fail.remote('no')";
  await using command = await Command.node('--input-type=module', '-e', code);
  const { stderr } = await command.outcome;
  t.is(stderr.split('[MOBULA_UNOBSERVED]').length, 2, stderr);
});

test('what main throws or rejects with is printed and sets exit code 1', async (t) => {
  for (const [what, message] of [
    ['error', 'thrown by main'],
    ['rejection', 'rejected by main'],
    ['nothing', 'undefined'],
  ] as const) {
    await using command = await Command.start(`${fixtures}/main-throws.js`, () => [what]);
    const { code, stdout, stderr } = await command.outcome;
    t.true(stderr.includes(message), stderr);
    t.is(stdout, '');
    t.is(code, 1);
  }
});

test('main twice is an error', async (t) => {
  await using command = await Command.start(`${fixtures}/main-twice.js`);
  const { code, stdout } = await command.outcome;
  t.is(stdout, 'MOBULA_MAIN\nfirst\n');
  t.is(code, 0);
});

test('main does not run when its module throws', async (t) => {
  await using command = await Command.start(`${fixtures}/module-throws.js`);
  const { code, stdout, stderr } = await command.outcome;
  t.is(stdout, '');
  t.is(stderr.split('thrown by the module').length, 3);
  t.is(code, 1);
});

const declare = (name: string) => `
  try { mobula.${name}(${name === 'actor' ? 'class {}' : '() => 1'}) } catch (error) {
    console.log(error instanceof TypeError, error.message);
  }`;

for (const name of ['remote', 'actor']) {
  test(`${name}() in node -e is a TypeError that says to use a file`, async (t) => {
    const code = declare(name);
    const modules = [
      ['--input-type=module', '-e', `import * as mobula from 'mobula';${code}`],
      ['--input-type=commonjs', '-e', `const mobula = require('mobula');${code}`],
      ['-e', `import('mobula').then((mobula) => {${code}})`],
    ];
    for (const args of modules) {
      await using command = await Command.node(...args);
      const { stdout, stderr } = await command.outcome;
      t.regex(stdout, /^true .*file/, stderr);
    }
  });

  test(`${name}() on standard input is a TypeError`, async (t) => {
    await using command = await Command.node('--input-type=module');
    command.feed(`import * as mobula from 'mobula';${declare(name)}`);
    const { stdout } = await command.outcome;
    t.regex(stdout, /^true .*file/);
  });
}

for (const waiter of ['task', 'store']) {
  test(`what is thrown from a tick after a ${waiter} has answered is uncaught in that turn`, async (t) => {
    await using command = await Command.start(`${fixtures}/throws-late.js`, () => [waiter]);
    const { stdout } = await command.outcome;
    t.is(stdout, 'uncaught: from a tick\n');
  });
}
