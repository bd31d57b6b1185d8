import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Command } from '../support/command.js';

/** Imports Mobula and writes the code and the message of the error. */
const report = "await import('mobula').catch(({ code, message }) => console.log(code, message));";

async function load(before: string): Promise<string> {
  await using command = await Command.node('--input-type=module', '--eval', before + report);
  return (await command.outcome).stdout;
}

for (const platform of ['darwin', 'win32']) {
  test(`loading on ${platform} says that it is not supported yet`, async (t) => {
    const stdout = await load(
      `Object.defineProperty(process, 'platform', { value: '${platform}' });`,
    );
    t.regex(stdout, /^MOBULA_UNSUPPORTED_PLATFORM /);
    t.regex(stdout, new RegExp(`not supported yet on ${platform}-${process.arch}`));
    t.notRegex(stdout, /node-gyp/);
  });
}

test('without an addon, loading names platform, C library, Node and the command that builds one', async (t) => {
  const stdout = await load("process.env.MOBULA_PREBUILD = '/nowhere';");
  const system = `${process.platform}-${process.arch} with (glibc \\d+\\.\\d+|musl)`;
  t.regex(stdout, /^MOBULA_ADDON /);
  t.regex(stdout, new RegExp(`${system} and Node ${process.version}: No native build was found`));
  t.regex(stdout, /cd ".*" && npm run build:native$/m);
});

test('loading an addon that the system refuses says why', async (t) => {
  await using command = await Command.start('test/process/fixtures/loading.js', (directory) => {
    const folder = join(directory, `prebuilds/${process.platform}-${process.arch}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'mobula.node'), 'not an addon');
    return [directory];
  });
  const { stdout } = await command.outcome;
  t.regex(stdout, /^MOBULA_ADDON .*(file too short|invalid ELF header)/);
});
