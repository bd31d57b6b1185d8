import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type * as SystemMemoryModule from '../../lib/runtime/memory-watch/system-memory.js';
import { load } from '../support/internals.js';

const { SystemMemory } = (await load(
  'runtime/memory-watch/system-memory.js',
)) as typeof SystemMemoryModule;

const machine = 'MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:  400 kB\n';
const machineUse = { used: 600 * 1024, limit: 1000 * 1024, what: 'this machine' };
const none = '9223372036854771712\n';

/** The memory that the files of a machine tell of. */
function memoryOf(t: ExecutionContext, files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'mobula-memory-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return new SystemMemory(root);
}

/** Of a group, in the second version: `cached` of what it uses are files, half of them active. */
function group(folder: string, used: number, max: string, cached = 0): Record<string, string> {
  const path = join('sys/fs/cgroup', folder);
  return {
    [join(path, 'memory.current')]: `${used}\n`,
    [join(path, 'memory.max')]: `${max}\n`,
    [join(path, 'memory.stat')]:
      `anon 1\nactive_file ${cached / 2}\ninactive_file ${cached / 2}\nshmem 7\n`,
  };
}

test('without control groups the machine is the limit', (t) => {
  const memory = memoryOf(t, { 'proc/meminfo': machine });
  t.deepEqual(memory.read(), machineUse);
  t.is(memory.limit, machineUse.limit);
});

test('a control group limits memory, cached files apart', (t) => {
  const memory = memoryOf(t, {
    'proc/meminfo': machine,
    'proc/self/cgroup': '0::/app\n',
    ...group('app', 900, '1000', 200),
  });
  t.deepEqual(memory.read(), { used: 700, limit: 1000, what: 'the control group /app' });
  t.is(memory.limit, 1000);
});

test('the group that has the smallest part left counts, an outer one too', (t) => {
  const memory = memoryOf(t, {
    'proc/meminfo': machine,
    'proc/self/cgroup': '0::/outer/middle/inner\n',
    ...group('outer', 1900, '2000'),
    ...group('outer/middle', 1500, 'max'),
    ...group('outer/middle/inner', 700, '1000'),
  });
  t.deepEqual(memory.read(), { used: 1900, limit: 2000, what: 'the control group /outer' });
  t.is(memory.limit, 1000);
});

test('a machine that is fuller than its groups counts', (t) => {
  const memory = memoryOf(t, {
    'proc/meminfo': machine,
    'proc/self/cgroup': '0::/app\n',
    ...group('app', 100, '1000'),
  });
  t.deepEqual(memory.read(), machineUse);
});

test('memory.high is a limit, too', (t) => {
  const memory = memoryOf(t, {
    'proc/meminfo': machine,
    'proc/self/cgroup': '0::/app\n',
    ...group('app', 700, 'max'),
    'sys/fs/cgroup/app/memory.high': '800\n',
  });
  t.deepEqual(memory.read(), { used: 700, limit: 800, what: 'the control group /app' });
});

test('a group whose path is that of the host is found at the root', (t) => {
  const memory = memoryOf(t, {
    'proc/meminfo': machine,
    'proc/self/cgroup': '0::/docker/1234\n',
    ...group('', 900, '1000'),
  });
  t.deepEqual(memory.read(), { used: 900, limit: 1000, what: 'the control group /' });
});

test('the first version of control groups limits memory, cached files apart', (t) => {
  const path = 'sys/fs/cgroup/memory';
  const memory = memoryOf(t, {
    'proc/meminfo': machine,
    'proc/self/cgroup': '5:cpu,cpuacct:/\n4:memory:/outer/inner\n0::/\n',
    [`${path}/outer/inner/memory.usage_in_bytes`]: '500\n',
    [`${path}/outer/inner/memory.limit_in_bytes`]: none,
    [`${path}/outer/memory.usage_in_bytes`]: '900\n',
    [`${path}/outer/memory.limit_in_bytes`]: '1000\n',
    [`${path}/outer/memory.stat`]:
      'inactive_file 1\ntotal_inactive_file 50\ntotal_active_file 100\n',
  });
  t.deepEqual(memory.read(), { used: 750, limit: 1000, what: 'the control group /outer' });
});

test('groups without limits and files that cannot be read are passed over', (t) => {
  const memory = memoryOf(t, {
    'proc/meminfo': machine,
    'proc/self/cgroup': '4:memory:/app\n0::/app\n',
    ...group('app', 900, 'max'),
    'sys/fs/cgroup/memory/app/memory.limit_in_bytes': '1000\n',
  });
  t.deepEqual(memory.read(), machineUse);
  t.is(memoryOf(t, {}).limit, Infinity);
  t.is(memoryOf(t, {}).read().used, 0);
});

test('this machine has memory, and some of it is in use', (t) => {
  const { used, limit } = new SystemMemory().read();
  t.true(used > 0 && limit > used, `${used} of ${limit}`);
});
