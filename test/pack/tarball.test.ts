import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { nodeLines, type NodeLine } from '../support/nodes.js';
import { EXPECTED, outputOf, programRuns } from '../support/programs.js';

const LARGEST = 20_000_000;

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const workspace = mkdtempSync(join(tmpdir(), 'mobula-pack-'));
const tarball = join(workspace, 'mobula.tgz');
const unpacked = join(workspace, 'package');
/** The npm that runs this, on whatever Node. */
const npm = process.env.npm_execpath ?? '';

test.before(async () => {
  const script = join(root, 'scripts/pack.js');
  const { stdout } = await run(process.execPath, [script, '--pack-destination', workspace]);
  await run('mv', [join(workspace, stdout.trim()), tarball]);
  await run('tar', ['--extract', '--file', tarball, '--directory', workspace]);
});

test.after.always(() => rmSync(workspace, { recursive: true, force: true }));

/** A new project, and a PATH on which there is Node and nothing else. */
async function install(line: NodeLine) {
  const project = join(workspace, line.version, 'project');
  const bin = join(workspace, line.version, 'bin');
  mkdirSync(project, { recursive: true });
  mkdirSync(bin);
  symlinkSync(line.executable, join(bin, 'node'));
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
  const options = { cwd: project, env: { ...process.env, PATH: bin } };
  const emptyCache = join(workspace, line.version, 'cache');
  const flags = ['--ignore-scripts', '--offline', '--cache', emptyCache, '--no-audit', '--no-fund'];
  // npm would leave one in the folder for temporary files.
  const env = { ...options.env, NODE_DISABLE_COMPILE_CACHE: '1' };
  await run(line.executable, [npm, 'install', ...flags, tarball], { ...options, env });
  return options;
}

for (const line of nodeLines()) {
  test.serial(
    `Node ${line.version}: installed offline with no scripts and no compiler, it runs by import and by require, or says how to build it`,
    async (t) => {
      const options = await install(line);
      for (const { program, isolation } of programRuns) {
        copyFileSync(new URL(`programs/${program}`, import.meta.url), join(options.cwd, program));
        const output = await outputOf(line.executable, [program, isolation], options);
        t.is(output, EXPECTED, `${program} ${isolation}`);
      }
    },
  );
}

interface Manifest {
  gypfile?: boolean;
  os?: string[];
  scripts: Record<string, string>;
}

test('npm has nothing to run or to compile when the package is installed', (t) => {
  const manifest = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8')) as Manifest;
  t.is(manifest.gypfile, false);
  for (const hook of ['preinstall', 'install', 'postinstall', 'prepare']) {
    t.false(hook in manifest.scripts, hook);
  }
});

test('the package brings its dependencies along, and nothing that is for one system only', (t) => {
  const brought = readdirSync(join(unpacked, 'node_modules'));
  t.deepEqual(brought.sort(), ['msgpackr', 'node-gyp-build']);
});

test('the package is installed on every system, and says at load what it does not support', (t) => {
  const manifest = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8')) as Manifest;
  t.is(manifest.os, undefined);
});

test('the tarball has less than 20 MB', (t) => {
  t.true(statSync(tarball).size < LARGEST);
});

test('the sources that the maps name are in the tarball', (t) => {
  const dist = join(unpacked, 'dist');
  const maps = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.map'),
  );
  t.true(maps.some((name) => name.endsWith('.js.map')));
  t.true(maps.some((name) => name.endsWith('.d.ts.map')));
  for (const name of maps) {
    const map = JSON.parse(readFileSync(join(dist, name), 'utf8')) as { sources: string[] };
    for (const source of map.sources) {
      t.true(existsSync(join(dist, dirname(name), source)), `${name}: ${source}`);
    }
  }
});

for (const [tool, ...args] of [
  ['publint', 'run', '--strict'],
  ['attw', '--no-emoji', '--no-color'],
]) {
  test(`${tool!} finds nothing wrong with the tarball`, async (t) => {
    const executable = join(root, 'node_modules/.bin', tool!);
    await t.notThrowsAsync(run(executable, [...args, tarball], { cwd: root }));
  });
}

test('each addon in the tarball runs beside glibc 2.28', async (t) => {
  const prebuilds = join(unpacked, 'prebuilds');
  const addons = readdirSync(prebuilds, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.node'),
  );
  t.true(addons.includes('linux-x64/mobula.glibc.node'));
  const paths = addons.map((name) => join(prebuilds, name));
  const script = join(root, 'scripts/addon-symbols.js');
  t.is(await outputOf(process.execPath, [script, ...paths], { cwd: root }), '');
});

test('a binary that needs a newer glibc is refused by the name of the symbol', async (t) => {
  const program = join(workspace, 'newer.so');
  const source = join(workspace, 'newer.cc');
  writeFileSync(source, '#include <pthread.h>\nvoid* newer() { return (void*)pthread_create; }\n');
  await run('g++', ['-shared', '-fPIC', '-o', program, source]);
  const script = join(root, 'scripts/addon-symbols.js');
  const failure = await t.throwsAsync<Error & { code: number; stdout: string }>(
    run(process.execPath, [script, program]),
  );
  t.is(failure.code, 1);
  t.is(failure.stdout, 'pthread_create@GLIBC_2.34\n');
});
