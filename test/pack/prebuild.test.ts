import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Runs the script where there is no compiler at all. */
function prebuild(...args: string[]) {
  const options = { cwd: root, env: { PATH: '/nowhere' }, encoding: 'utf8' } as const;
  return spawnSync(process.execPath, ['scripts/prebuild.js', ...args], options);
}

test('a target whose compiler is missing is skipped in one line that says what to install', (t) => {
  const { status, stderr } = prebuild();
  t.is(status, 0);
  const skipped =
    /^mobula: skipped: linux-\w+-glibc needs .*g\+\+ \(Debian: apt-get install g\+\+.*\)$/;
  const lines = stderr.trimEnd().split('\n');
  t.is(lines.length, 2);
  for (const line of lines) t.regex(line, skipped);
});

for (const args of [['--all'], ['linux-arm64-glibc']]) {
  test(`a target whose compiler is missing is a failure with ${args.join()}`, (t) => {
    const { status, stderr } = prebuild(...args);
    t.is(status, 1);
    t.regex(stderr, /^mobula: linux-\w+-glibc needs .*apt-get install/);
  });
}

test('a target that there is none of is refused, with those there are', (t) => {
  const { status, stderr } = prebuild('linux-x64-musl');
  t.is(status, 1);
  t.regex(stderr, /no target linux-x64-musl.*linux-x64-glibc, linux-arm64-glibc/);
});
