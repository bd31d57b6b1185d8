/** What actors hold for life. */
import test from 'ava';
import { get, init, kill, shutdown, stop, UnschedulableError } from 'mobula';
import { Gate } from '../support/gate.js';
import { testOneByOneInEach } from '../support/in-each.js';
import { Journal } from '../support/journal.js';
import { Mortal } from '../support/mortals.js';
import { holdAtGate } from '../support/scheduling.js';
import { add } from '../support/tasks.js';

test.before(() => {
  init({ workers: 2, memory: '64MiB', resources: { gpu: 2, license: 2 } });
});
test.after.always(() => shutdown());

const two = { resources: { license: 2 } };

testOneByOneInEach(
  'an actor gets what it asks for after the tasks before it, and holds it for life, across restarts',
  async (t, isolation) => {
    const journal = new Journal(t);
    const [gate, open] = [new Gate(t), new Gate(t)];
    open.open();
    const before = holdAtGate.options(two).remote(gate.pass(), 'before');
    await gate.arrived();
    const holder = Mortal.options({ ...two, isolation, maxRestarts: 1 }).remote(
      journal.handle,
      'a',
    );
    const call = holder.resources();
    t.is(await add.remote(1, 1), 2);
    t.deepEqual(journal.entries, []);
    gate.open();
    t.is(await before, 'before');
    t.like((await call).resources, { license: 2 });
    const after = holdAtGate.options(two).remote(open.pass(), 'after');
    await kill(holder, { restart: true });
    t.like((await holder.resources()).resources, { license: 2 });
    t.false(open.hasArrived());
    await stop(holder);
    t.is(await after, 'after');
  },
);

testOneByOneInEach(
  'an actor that is killed, or ends, while it waits or has been granted gives everything back',
  async (t, isolation) => {
    const journal = new Journal(t);
    const make = (name: string) =>
      Mortal.options({ ...two, isolation }).remote(journal.handle, name);
    const [holder, waiting, next, last] = ['holder', 'waiting', 'next', 'last'].map(make) as [
      ReturnType<typeof make>,
      ReturnType<typeof make>,
      ReturnType<typeof make>,
      ReturnType<typeof make>,
    ];
    await holder.count();
    await kill(waiting);
    await kill(holder);
    t.is(await next.count(), 1);
    await t.throwsAsync(next.exit().then());
    t.is(await last.count(), 1);
    last[Symbol.dispose]();
    const gate = new Gate(t);
    gate.open();
    t.is(await holdAtGate.options(two).remote(gate.pass(), 'a task'), 'a task');
    t.false(journal.entries.includes('waiting starts'));
  },
);

testOneByOneInEach(
  "gpus are an actor's own; one with a worker to itself sees no others",
  async (t, isolation) => {
    const journal = new Journal(t);
    const make = () => Mortal.options({ gpus: 1, isolation }).remote(journal.handle, 'a');
    const mortals = [make(), make()];
    const seen = await get(mortals.map((mortal) => mortal.resources()));
    for (const { resources } of seen) t.like(resources, { gpu: 1 });
    const devices = seen.map((one) => one.devices).sort();
    t.deepEqual(devices, isolation === 'shared' ? [undefined, undefined] : ['0', '1']);
    for (const mortal of mortals) await kill(mortal);
    const both = Mortal.options({ gpus: 2, isolation }).remote(journal.handle, 'both');
    t.like((await both.resources()).resources, { gpu: 2 });
    await kill(both);
  },
);

test.serial('an actor that asks for more than there is is refused at once', (t) => {
  const journal = new Journal(t);
  for (const options of [
    { cpus: 3 },
    { gpus: 3 },
    { resources: { license: 3 } },
    { resources: { none: 1 } },
  ]) {
    t.throws(() => Mortal.options(options).remote(journal.handle, 'a'), {
      instanceOf: UnschedulableError,
      code: 'MOBULA_UNSCHEDULABLE',
    });
  }
});
