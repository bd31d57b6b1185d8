import { UnschedulableError } from 'mobula';
import { Gate } from '../support/gate.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { devices, holdAtGate, note } from '../support/scheduling.js';
import { createStore } from '../support/stores.js';
import { add, countDown } from '../support/tasks.js';
import { until } from '../support/until.js';

testInBoth('as many tasks run at once as there is of what they ask for', async (t) => {
  const gate = new Gate(t);
  const license = holdAtGate.options({ resources: { license: 1 } });
  const refs = [0, 1, 2].map((i) => license.remote(gate.pass(i), `${i}`));
  await Promise.all([gate.arrived(0), gate.arrived(1)]);
  t.is(await add.remote(1, 1), 2);
  t.false(gate.hasArrived(2));
  gate.open();
  t.is(await refs[2]!, '2');
});

testInBoth(
  'a task that needs all cpus waits until they are free, and then runs alone',
  async (t) => {
    const [first, second] = [new Gate(t), new Gate(t)];
    const one = holdAtGate.remote(first.pass(), 'one');
    await first.arrived();
    const all = holdAtGate.options({ cpus: 3 }).remote(second.pass(), 'all');
    t.is(await add.remote(1, 1), 2);
    t.false(second.hasArrived());
    first.open();
    t.is(await one, 'one');
    await second.arrived();
    const after = add.remote(1, 2);
    second.open();
    t.is(await all, 'all');
    t.is(await after, 3);
  },
);

testInBoth('tasks that await tasks lend their cpus', async (t) => {
  t.is(await countDown.options({ cpus: 3 }).remote(10), 10);
});

testInBoth('each task has gpus of its own, and sees no others', async (t) => {
  const gate = new Gate(t);
  const refs = [0, 1].map((i) => devices.options({ gpus: 1 }).remote(gate.pass(i)));
  await Promise.all([gate.arrived(0), gate.arrived(1)]);
  gate.open();
  const seen = [await refs[0]!, await refs[1]!];
  t.deepEqual(seen.sort(), ['0', '1']);
  const open = gate.pass(2);
  t.is(await devices.options({ gpus: 2 }).remote(open), '0,1');
  t.is(await devices.remote(open), undefined);
});

testInBoth('what can never be scheduled is refused at once', async (t) => {
  const error = { instanceOf: UnschedulableError, code: 'MOBULA_UNSCHEDULABLE' };
  const gate = new Gate(t);
  for (const options of [
    { cpus: 4 },
    { gpus: 3 },
    { resources: { license: 3 } },
    { resources: { unknown: 1 } },
  ]) {
    t.throws(() => holdAtGate.options(options).remote(gate.pass(), ''), error);
  }
  t.is(await add.remote(1, 1), 2);
});

testInBoth('tasks of a higher priority run first, equals in order', async (t) => {
  const gate = new Gate(t);
  const order = createStore(t);
  const busy = [0, 1, 2].map((i) => holdAtGate.remote(gate.pass(i), ''));
  await Promise.all([0, 1, 2].map((i) => gate.arrived(i)));
  const license = { resources: { license: 2 } };
  const run = (name: string, priority?: number) =>
    note
      .options(priority === undefined ? license : { ...license, priority })
      .remote(order.handle, name);
  const refs = [
    run('e'),
    run('g', -5),
    run('b', 10),
    run('f'),
    run('a', 1000),
    run('c', 10),
    run('d', 1),
  ];
  await new Promise((resolve) => setImmediate(resolve));
  gate.open();
  for (const ref of [...refs, ...busy]) await ref;
  await until('all have been noted', () => order.list().length === refs.length);
  const names = order
    .list()
    .sort((x, y) => (x.id < y.id ? -1 : 1))
    .map(({ id }) => Buffer.from(order.get(id)!.data).toString());
  t.deepEqual(names, ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
});

testInBoth('what is no amount or priority is refused', (t) => {
  for (const cpus of [-1, NaN, Infinity, '1', null]) {
    t.throws(() => add.options({ cpus: cpus as never }), { message: /options\.cpus/ });
  }
  t.throws(() => add.options({ gpus: 1.5 }), { instanceOf: RangeError });
  t.throws(() => add.options({ resources: { x: -1 } }), { message: /options\.resources\.x/ });
  for (const priority of [0.5, NaN, 2 ** 31, '1']) {
    t.throws(() => add.options({ priority: priority as never }), { message: /options\.priority/ });
  }
});

runInBoth({ workers: 3, resources: { gpu: 2, license: 2 } });
