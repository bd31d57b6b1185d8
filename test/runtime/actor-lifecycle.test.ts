/** The edges of the state machine in lib/README.md, other than those of restarts. */
import test from 'ava';
import { ActorDiedError, get, init, kill, shutdown, stats, stop, type ObjectRef } from 'mobula';
import { Gate } from '../support/gate.js';
import { testOneByOneInEach } from '../support/in-each.js';
import { Journal } from '../support/journal.js';
import { callAtGate, Frail, Mortal } from '../support/mortals.js';
import { passGate } from '../support/tasks.js';
import { until } from '../support/until.js';

const died = { instanceOf: ActorDiedError, code: 'MOBULA_ACTOR_DIED' };
const stopped = { ...died, message: /MortalClass.*it was stopped/ };
const killed = { ...died, message: /MortalClass.*it was killed/ };

test.before(() => {
  init({ workers: 2, memory: '64MiB', resources: { license: 1 } });
});
test.after.always(() => shutdown());

testOneByOneInEach(
  '1, 2: calls wait while the actor is pending, and run in order when it is alive',
  async (t, isolation) => {
    const journal = new Journal(t);
    const before = stats().actors;
    const holder = Mortal.options({ resources: { license: 1 } }).remote(journal.handle, 'holder');
    await holder.count();
    const options = { isolation, resources: { license: 1 } };
    const mortal = Mortal.options(options).remote(journal.handle, 'a');
    const calls = [1, 2, 3].map((n) => mortal.note(n));
    await t.throwsAsync(get(calls, { timeout: 1 }), { code: 'MOBULA_GET_TIMEOUT' });
    t.deepEqual(journal.entries, ['holder starts']);
    t.deepEqual(stats().actors, { ...before, alive: before.alive + 2 });
    await kill(holder);
    t.deepEqual(await get(calls), [0, 0, 0]);
    t.deepEqual(journal.entries, ['holder starts', 'a starts', '1', '2', '3']);
    await kill(mortal);
    t.deepEqual(stats().actors, { ...before, dead: before.dead + 2 });
  },
);

testOneByOneInEach(
  '3a, 6: stop() lets the calls made so far run, then onStop, and refuses those after it',
  async (t, isolation) => {
    const journal = new Journal(t);
    const gate = new Gate(t);
    const name = `stopped ${isolation}`;
    const mortal = Mortal.options({ isolation, name }).remote(journal.handle, 'a');
    const running = mortal.noteAt(gate.pass(), 'begun');
    const queued = mortal.note('queued');
    await gate.arrived();
    const end = stop(mortal);
    await until('it is stopping', () => stats().actors.alive === 0);
    const late = mortal.note('late');
    await t.throwsAsync(late.then(), { ...stopped, message: new RegExp(`MortalClass '${name}'`) });
    t.is(journal.entries.at(-1), 'begun 0');
    gate.open();
    await end;
    t.deepEqual(await get([running, queued]), [0, 0]);
    t.deepEqual(journal.entries, ['a starts', 'begun 0', 'queued', 'a stops']);
    await t.throwsAsync(mortal.note('later').then(), stopped);
    await t.notThrowsAsync(stop(mortal));
    await t.notThrowsAsync(kill(mortal));
  },
);

testOneByOneInEach(
  '3a: stop() waits for calls whose arguments are pending',
  async (t, isolation) => {
    const journal = new Journal(t);
    const gate = new Gate(t);
    const mortal = Mortal.options({ isolation }).remote(journal.handle, 'a');
    const argument = passGate.remote(gate.pass(), 'of a gate') as ObjectRef<string>;
    const calls = [mortal.note(argument), mortal.note('behind')];
    const end = stop(mortal);
    await gate.arrived();
    t.is(stats().actors.alive, 1);
    gate.open();
    await end;
    t.deepEqual(await get(calls), [0, 0]);
    t.deepEqual(journal.entries, ['a starts', 'of a gate', 'behind', 'a stops']);
  },
);

testOneByOneInEach(
  '3a: stop() of an actor that is pending waits for its start, its calls and its onStop',
  async (t, isolation) => {
    const journal = new Journal(t);
    const mortal = Mortal.options({ isolation }).remote(journal.handle, 'a');
    mortal.note('waits');
    await stop(mortal);
    t.deepEqual(journal.entries, ['a starts', 'waits', 'a stops']);
  },
);

testOneByOneInEach(
  '3b, 6: when the last handle is gone the calls made run, then onStop',
  async (t, isolation) => {
    const journal = new Journal(t);
    const gate = new Gate(t);
    const mortal = Mortal.options({ isolation }).remote(journal.handle, 'a');
    const running = mortal.noteAt(gate.pass(), 'begun');
    const queued = mortal.note('queued');
    mortal[Symbol.dispose]();
    t.throws(() => mortal.count(), { instanceOf: ReferenceError, message: /MortalClass/ });
    await gate.arrived();
    gate.open();
    t.deepEqual(await get([running, queued]), [0, 0]);
    await journal.until(4);
    t.deepEqual(journal.entries, ['a starts', 'begun 0', 'queued', 'a stops']);
    await until('it is dead', () => stats().actors.alive === 0);
  },
);

testOneByOneInEach(
  '6: kill() of an actor that stops cuts off what runs, and onStop does not run',
  async (t, isolation) => {
    const journal = new Journal(t);
    const gate = new Gate(t);
    const mortal = Mortal.options({ isolation }).remote(journal.handle, 'a');
    const calls = [mortal.noteAt(gate.pass(), 'begun'), mortal.note('queued')];
    await gate.arrived();
    const end = stop(mortal);
    await until('it is stopping', () => stats().actors.alive === 0);
    await kill(mortal);
    await end;
    for (const call of calls) await t.throwsAsync(call.then(), killed);
    t.deepEqual(journal.entries, ['a starts', 'begun 0']);
  },
);

testOneByOneInEach(
  '6: an actor that stops is not made anew when its worker ends',
  async (t, isolation) => {
    const journal = new Journal(t);
    const options = { isolation, maxRestarts: -1, maxTaskRetries: -1 };
    const mortal = Mortal.options(options).remote(journal.handle, 'a');
    await mortal.count();
    const gate = new Gate(t);
    const calls = [mortal.noteAt(gate.pass(), 'begun'), mortal.exit(), mortal.note('queued')];
    await gate.arrived();
    const end = stop(mortal);
    await until('it is stopping', () => stats().actors.alive === 0);
    gate.open();
    const [begun, ...others] = calls;
    const failures = Promise.all(others.map((call) => t.throwsAsync(call.then(), died)));
    t.is(await begun!, 0);
    await Promise.all([end, failures]);
    t.deepEqual(journal.entries, ['a starts', 'begun 0', 'exit 0']);
  },
);

for (const moment of ['constructor', 'onStart'] as const) {
  testOneByOneInEach(
    `7b: an actor that fails in ${moment} is dead, with the cause, whatever its maxRestarts`,
    async (t, isolation) => {
      const before = stats().actors.dead;
      const frail = Frail.options({ isolation, maxRestarts: -1, maxTaskRetries: -1 }).remote(
        moment,
      );
      for (let i = 0; i < 2; i++) {
        const error = await t.throwsAsync(frail.hello().then(), {
          ...died,
          message: /FrailClass.*not (made|started)/,
        });
        t.true(error.cause instanceof RangeError);
      }
      t.is(stats().actors.dead, before + 1);
    },
  );
}

testOneByOneInEach(
  '7c: kill() cuts off what runs, fails what waits, and onStop does not run',
  async (t, isolation) => {
    const journal = new Journal(t);
    const [gate, later] = [new Gate(t), new Gate(t)];
    const options = { isolation, maxRestarts: -1, maxTaskRetries: -1 };
    const mortal = Mortal.options(options).remote(journal.handle, 'a');
    const running = mortal.noteAt(gate.pass(), 'begun');
    const queued = mortal.note('queued');
    const pending = mortal.note(passGate.remote(later.pass(), 'pending'));
    await gate.arrived();
    await kill(mortal);
    t.is(stats().actors.alive, 0);
    later.open();
    for (const call of [running, queued, pending]) await t.throwsAsync(call.then(), killed);
    await t.throwsAsync(mortal.count().then(), killed);
    t.deepEqual(journal.entries, ['a starts', 'begun 0']);
  },
);

testOneByOneInEach('3a: an actor that stops itself does not wait for it', async (t, isolation) => {
  const journal = new Journal(t);
  const mortal = Mortal.options({ isolation }).remote(journal.handle, 'a');
  t.is(await mortal.stopItself(mortal), 'on its way');
  await stop(mortal);
  t.deepEqual(journal.entries, ['a starts', 'a stops']);
});

testOneByOneInEach(
  '6: kill() ends at once an actor that stops, with restart too',
  async (t, isolation) => {
    const journal = new Journal(t);
    const gate = new Gate(t);
    const options = { isolation, maxRestarts: 1 };
    const mortal = Mortal.options(options).remote(journal.handle, 'a');
    const running = mortal.noteAt(gate.pass(), 'begun');
    await gate.arrived();
    const stopped = stop(mortal);
    await kill(mortal, { restart: true });
    await t.throwsAsync(running.then(), killed);
    await stopped;
    t.deepEqual(journal.entries, ['a starts', 'begun 0']);
  },
);

testOneByOneInEach(
  '7c: a caller in another thread learns of the kill, and of its reason',
  async (t, isolation) => {
    const journal = new Journal(t);
    const gate = new Gate(t);
    const mortal = Mortal.options({ isolation }).remote(journal.handle, 'a');
    await mortal.count();
    const call = callAtGate.remote(gate.pass(), mortal);
    await gate.arrived();
    await kill(mortal);
    gate.open();
    const error = await t.throwsAsync(call.then());
    t.like(error.cause, { code: 'MOBULA_ACTOR_DIED' });
    t.regex((error.cause as Error).message, killed.message);
  },
);

testOneByOneInEach(
  '8: kill() of an actor that is pending ends it, and the calls that wait',
  async (t, isolation) => {
    const journal = new Journal(t);
    const mortal = Mortal.options({ isolation }).remote(journal.handle, 'a');
    const waiting = mortal.count();
    await kill(mortal);
    await t.throwsAsync(waiting.then(), killed);
    await t.throwsAsync(mortal.count().then(), killed);
    t.deepEqual(journal.entries, []);
  },
);

testOneByOneInEach(
  '8: an actor whose last handle is gone before it has a host is never made',
  async (t, isolation) => {
    const journal = new Journal(t);
    const before = stats().actors;
    const options = { isolation, resources: { license: 1 } };
    const first = Mortal.options(options).remote(journal.handle, 'first');
    const second = Mortal.options(options).remote(journal.handle, 'second');
    second[Symbol.dispose]();
    await until('it is dead', () => stats().actors.dead === before.dead + 1);
    await kill(first);
    const third = Mortal.options(options).remote(journal.handle, 'third');
    await third.count();
    t.false(journal.entries.includes('second starts'));
    await kill(third);
  },
);

test.serial('8: an actor none of whose workers starts is dead, and says why', async (t) => {
  const journal = new Journal(t);
  const { NODE_OPTIONS } = process.env;
  process.env.NODE_OPTIONS = '--require=/nowhere/to-be-found.cjs';
  t.teardown(() => {
    if (NODE_OPTIONS === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = NODE_OPTIONS;
  });
  const mortal = Mortal.options({ isolation: 'process' }).remote(journal.handle, 'a');
  await t.throwsAsync(mortal.count().then(), {
    ...died,
    message: /MortalClass.*none of its workers starts.*exit code 1/,
  });
  t.is(stats().actors.alive, 0);
});
