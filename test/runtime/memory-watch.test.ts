import { readFileSync } from 'node:fs';
import test from 'ava';
import { cancel, OutOfMemoryError, stats, TaskCancelledError } from 'mobula';
import { Counter } from '../support/actors.js';
import { Gate } from '../support/gate.js';
import { Machine, startOn } from '../support/machine.js';
import { attemptAtGate, submitAttempt, takeAtGate } from '../support/memory-tasks.js';
import { MiB } from '../support/stores.js';
import { until } from '../support/until.js';
import { warningsOf } from '../support/warnings.js';

const short = 96;
const plenty = 10;

/** Whether a task runs, after so many other runs of it. */
function isRunning(retried: number): boolean {
  const { tasks } = stats();
  return tasks.running === 1 && tasks.retried === retried;
}

test.serial('the newest task is stopped, and runs again when there is memory', async (t) => {
  const machine = new Machine();
  const warnings = warningsOf(t, 'MOBULA_MEMORY_SHORT');
  startOn(t, machine, { workers: 2, isolation: 'process' });
  const gate = new Gate(t);
  const first = attemptAtGate.remote(gate.pass(1));
  await gate.arrived(1);
  const second = attemptAtGate.options({ retries: 1 }).remote(gate.pass(2));
  await gate.arrived(2);
  machine.used = short;
  await until('a worker is stopped', () => warnings.length > 0);
  machine.used = plenty;
  gate.open();
  t.is(await first, 0);
  t.is(await second, 1);
  t.regex(warnings[0]!, /the worker with pid \d+ was stopped; its task will run again later/);
});

test.serial('a task that may not run again is stopped when there is no other', async (t) => {
  const machine = new Machine();
  startOn(t, machine, { workers: 2, isolation: 'process' });
  const gate = new Gate(t);
  const may = attemptAtGate.remote(gate.pass(1));
  await gate.arrived(1);
  const once = attemptAtGate.options({ retries: 0, name: 'once' }).remote(gate.pass(2));
  await gate.arrived(2);
  machine.used = short;
  const error = await t.throwsAsync(once.then(), { instanceOf: OutOfMemoryError });
  t.is(error.code, 'MOBULA_OUT_OF_MEMORY');
  t.regex(error.message, /^The worker that ran once \(pid \d+\) was stopped, as memory was short/);
  t.regex(error.message, /of the 100.0 GiB of the machine 96.0 GiB are in use/);
  t.regex(error.message, /\d+ MiB by the worker with pid \d+/);
  t.regex(
    error.message,
    new RegExp(`MiB by the store, \\d+ MiB by the driver \\(pid ${process.pid}\\)`),
  );
  machine.used = plenty;
  gate.open();
  t.is(await may, 1);
});

test.serial('a task that cannot even run alone uses up its retries, and fails', async (t) => {
  const machine = new Machine();
  const warnings = warningsOf(t, 'MOBULA_MEMORY_SHORT');
  startOn(t, machine, { workers: 1, isolation: 'process' });
  const gate = new Gate(t);
  const alone = attemptAtGate.options({ retries: 1 }).remote(gate.pass());
  const failed = t.throwsAsync(alone.then(), { instanceOf: OutOfMemoryError });
  for (const stops of [1, 2]) {
    await until('it runs', () => isRunning(stops - 1));
    machine.used = short;
    await until('it is stopped', () => warnings.length === stops);
    machine.used = plenty;
  }
  t.regex((await failed).message, /It ran alone: let it take less/);
  gate.open();
});

test.serial('tasks that workers have submitted are stopped as well, and run again', async (t) => {
  const machine = new Machine();
  const warnings = warningsOf(t, 'MOBULA_MEMORY_SHORT');
  startOn(t, machine, { workers: 2, isolation: 'process' });
  const gate = new Gate(t);
  const parent = submitAttempt.options({ isolation: 'thread' }).remote(gate.pass());
  await gate.arrived();
  machine.used = short;
  await until('a worker is stopped', () => warnings.length > 0);
  machine.used = plenty;
  gate.open();
  t.is(await parent, 1);
});

test.serial('a task that waits for memory can be cancelled', async (t) => {
  const machine = new Machine();
  const warnings = warningsOf(t, 'MOBULA_MEMORY_SHORT');
  startOn(t, machine, { workers: 1, isolation: 'process' });
  const gate = new Gate(t);
  const ref = attemptAtGate.remote(gate.pass());
  await gate.arrived();
  machine.used = short;
  await until('it is stopped', () => warnings.length > 0);
  t.true(await cancel(ref));
  await t.throwsAsync(ref.then(), { instanceOf: TaskCancelledError });
});

test.serial('threads and hosts of actors are not ended, however short memory is', async (t) => {
  const machine = new Machine();
  const warnings = warningsOf(t, 'MOBULA_MEMORY_SHORT');
  startOn(t, machine, { workers: 2, isolation: 'thread' });
  const gate = new Gate(t);
  using counter = Counter.options({ isolation: 'process' }).remote();
  await counter.increment();
  const inThread = attemptAtGate.remote(gate.pass(1));
  const inProcess = attemptAtGate
    .options({ isolation: 'process', retries: 3 })
    .remote(gate.pass(2));
  await gate.arrived(1);
  await gate.arrived(2);
  machine.used = short;
  await until('the process is stopped', () => warnings.length > 0);
  machine.used = plenty;
  gate.open();
  t.is(await inThread, 0);
  t.is(await inProcess, 1);
  t.is(await counter.increment(), 2);
});

/** What the process workers of this process really have, of so much that they may have. */
function childrenLimitedTo(limit: number) {
  const children = `/proc/self/task/${process.pid}/children`;
  return {
    read() {
      const pids = readFileSync(children, 'latin1').trim().split(' ');
      const used = pids.reduce((sum, pid) => sum + anonymousBytesOf(pid), 0);
      return { used, limit, what: 'all workers' };
    },
  };
}

function anonymousBytesOf(pid: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return 1024 * Number(/^RssAnon:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

test.serial(
  'tasks that take more memory together than there is all come to their end',
  async (t) => {
    const warnings = warningsOf(t, 'MOBULA_MEMORY_SHORT');
    startOn(t, childrenLimitedTo(600 * MiB), { workers: 2, isolation: 'process' });
    const gate = new Gate(t);
    const refs = [1, 2].map((visitor) => takeAtGate.remote(300 * MiB, gate.pass(visitor)));
    await until('a worker is stopped', () => warnings.length > 0);
    gate.open();
    for (const ref of refs) t.is(await ref, 300 * MiB);
  },
);
