/** The edges of the state machine in lib/README.md that lead to `restarting` and out of it. */
import test from 'ava';
import {
  ActorDiedError,
  ActorUnavailableError,
  get,
  init,
  kill,
  shutdown,
  stats,
  type ObjectRef,
} from 'mobula';
import { Gate } from '../support/gate.js';
import { testOneByOneInEach } from '../support/in-each.js';
import { Journal } from '../support/journal.js';
import { Mortal, Unborn } from '../support/mortals.js';
import { passGate } from '../support/tasks.js';

const died = { instanceOf: ActorDiedError, code: 'MOBULA_ACTOR_DIED' };
const unavailable = { instanceOf: ActorUnavailableError, code: 'MOBULA_ACTOR_UNAVAILABLE' };
/** Longer than any test: a gate that only the test opens. */
const restartDelay = '1h';

test.before(() => {
  init({ workers: 1, memory: '64MiB' });
});
test.after.always(() => shutdown());

function countRestarting(): number {
  return stats().actors.restarting;
}

testOneByOneInEach(
  '4a: an actor whose worker ends is made anew while restarts are left, 7a: and dies when none are',
  async (t, isolation) => {
    const journal = new Journal(t);
    const mortal = Mortal.options({ isolation, maxRestarts: 1 }).remote(journal.handle, 'a');
    t.is(await mortal.count(), 1);
    await t.throwsAsync(mortal.exit().then(), { ...unavailable, message: /MortalClass\.exit/ });
    t.is(await mortal.count(), 1);
    t.is(await mortal.count(), 2);
    await t.throwsAsync(mortal.exit().then(), { ...died, message: /MortalClass.*exit code 3/ });
    await t.throwsAsync(mortal.count().then(), { ...died, message: /MortalClass.*exit code 3/ });
    t.deepEqual(journal.entries, ['a starts', 'exit 0', 'a starts', 'exit 0']);
  },
);

testOneByOneInEach(
  '4a: a call that may have begun runs again exactly as often as maxTaskRetries allows',
  async (t, isolation) => {
    const journal = new Journal(t);
    const options = { isolation, maxRestarts: -1, maxTaskRetries: 2 };
    const mortal = Mortal.options(options).remote(journal.handle, 'a');
    t.is(await mortal.exit(2), 2);
    await t.throwsAsync(mortal.exit(9).then(), unavailable);
    t.is(await mortal.count(), 1);
    const tries = ['a starts', 'exit 0', 'a starts', 'exit 1', 'a starts', 'exit 2'];
    t.deepEqual(journal.entries, [...tries, ...tries.slice(1), 'a starts']);
  },
);

testOneByOneInEach(
  '4a: the option retries of a call takes the place of maxTaskRetries',
  async (t, isolation) => {
    const journal = new Journal(t);
    const options = { isolation, maxRestarts: -1, maxTaskRetries: 5 };
    const mortal = Mortal.options(options).remote(journal.handle, 'a');
    await t.throwsAsync(mortal.exit.options({ retries: 0 })(9).then(), unavailable);
    await t.throwsAsync(mortal.exit.options({ retries: 1 })(9).then(), unavailable);
    const exits = journal.entries.filter((entry) => entry.startsWith('exit'));
    t.deepEqual(exits, ['exit 0', 'exit 0', 'exit 1']);
    t.is(await mortal.exit.options({ retries: -1 })(1), 1);
  },
);

testOneByOneInEach('4a: no call has begun before onStart is done', async (t, isolation) => {
  const journal = new Journal(t);
  const gate = new Gate(t);
  const options = { isolation, maxRestarts: 2 };
  const unborn = Unborn.options(options).remote(journal.handle, gate.pass(), 2);
  const calls = [unborn.note('first'), unborn.note('second')];
  await gate.arrived();
  gate.open();
  t.deepEqual(await get(calls), [0, 0]);
  t.deepEqual(journal.entries, ['starts', 'starts', 'starts', 'first', 'second']);
});

testOneByOneInEach(
  '7a: the calls of an actor that is never made end with it',
  async (t, isolation) => {
    const journal = new Journal(t);
    const gate = new Gate(t);
    const options = { isolation, maxRestarts: 1 };
    const unborn = Unborn.options(options).remote(journal.handle, gate.pass(), 2);
    const calls = [unborn.note('first'), unborn.note.options({ retries: 5 })('second')];
    await gate.arrived();
    gate.open();
    const why = { ...died, message: /UnbornClass.*exit code 3/ };
    for (const call of calls) await t.throwsAsync(call.then(), why);
    t.deepEqual(journal.entries, ['starts', 'starts']);
  },
);

for (const [how, reason] of [
  ['reject', /unhandled rejection: rejected in vain/],
  ['throwInTimer', /uncaught exception: thrown in vain/],
] as const) {
  testOneByOneInEach(
    `4b: what nobody has caught restarts the actor, 7a: or ends it with the cause (${how})`,
    async (t, isolation) => {
      const journal = new Journal(t);
      const mortal = Mortal.options({ isolation, maxRestarts: 1 }).remote(journal.handle, 'a');
      t.is(await mortal.count(), 1);
      await t.throwsAsync(mortal[how]().then(), unavailable);
      t.is(await mortal.count(), 1);
      const error = await t.throwsAsync(mortal[how]().then(), { ...died, message: reason });
      t.regex(error.message, /MortalClass/);
      t.true(error.cause instanceof RangeError);
      const later = await t.throwsAsync(mortal.count().then(), { ...died, message: reason });
      t.true(later.cause instanceof RangeError);
      t.deepEqual(journal.entries, ['a starts', 'a starts']);
    },
  );
}

testOneByOneInEach(
  '4c: kill({ restart: true }) makes an actor anew without onStop, 7a: and ends it when no restarts are left',
  async (t, isolation) => {
    const journal = new Journal(t);
    const gate = new Gate(t);
    const mortal = Mortal.options({ isolation, maxRestarts: 1 }).remote(journal.handle, 'a');
    t.is(await mortal.count(), 1);
    const running = mortal.noteAt(gate.pass(), 'begun');
    await gate.arrived();
    await kill(mortal, { restart: true });
    await t.throwsAsync(running.then(), unavailable);
    t.is(await mortal.count(), 1);
    await kill(mortal, { restart: true });
    await t.throwsAsync(mortal.count().then(), { ...died, message: /MortalClass.*it was killed/ });
    t.deepEqual(journal.entries, ['a starts', 'begun 0', 'a starts']);
  },
);

testOneByOneInEach(
  '4c: a call that runs and may run again does so, ahead of those behind it, which keep their order',
  async (t, isolation) => {
    const journal = new Journal(t);
    const gate = new Gate(t);
    const options = { isolation, maxRestarts: 2, maxTaskRetries: -1 };
    const mortal = Mortal.options(options).remote(journal.handle, 'a');
    const names = Array.from({ length: 50 }, (_, n) => `note ${n}`);
    const running = mortal.noteAt(gate.pass(), 'begun');
    const behind = names.map((name) => mortal.note(name));
    await gate.arrived();
    await kill(mortal, { restart: true });
    await journal.until(4);
    const after = mortal.note('after');
    await kill(mortal, { restart: true });
    gate.open();
    t.is(await running, 2);
    await get([...behind, after]);
    const begun = ['a starts', 'begun 0', 'a starts', 'begun 1', 'a starts', 'begun 2'];
    t.deepEqual(journal.entries, [...begun, ...names, 'after']);
  },
);

testOneByOneInEach(
  '4c: what has not left its caller is sent after the restart, in order',
  async (t, isolation) => {
    const journal = new Journal(t);
    const gate = new Gate(t);
    const options = { isolation, maxRestarts: 1 };
    const mortal = Mortal.options(options).remote(journal.handle, 'a');
    await mortal.count();
    const pending = passGate.remote(gate.pass(), 'first') as ObjectRef<string>;
    const calls = [mortal.note(pending), mortal.note('second')];
    await kill(mortal, { restart: true });
    gate.open();
    t.deepEqual(await get(calls), [0, 0]);
    t.deepEqual(journal.entries, ['a starts', 'a starts', 'first', 'second']);
  },
);

testOneByOneInEach(
  'restarting: calls wait, 5: until restartDelay has passed',
  async (t, isolation) => {
    const journal = new Journal(t);
    const options = { isolation, maxRestarts: 1, restartDelay: 100 };
    const mortal = Mortal.options(options).remote(journal.handle, 'a');
    await mortal.count();
    await kill(mortal, { restart: true });
    const calls = [mortal.count(), mortal.count()];
    t.is(countRestarting(), 1);
    await t.throwsAsync(get(calls, { timeout: 0 }), { code: 'MOBULA_GET_TIMEOUT' });
    t.deepEqual(journal.entries, ['a starts']);
    t.deepEqual(await get(calls), [1, 2]);
    t.is(countRestarting(), 0);
  },
);

testOneByOneInEach(
  '8: kill() of an actor that restarts ends it, and the calls that wait',
  async (t, isolation) => {
    const journal = new Journal(t);
    const mortal = Mortal.options({ isolation, maxRestarts: 1, restartDelay }).remote(
      journal.handle,
      'a',
    );
    await mortal.count();
    await kill(mortal, { restart: true });
    t.is(countRestarting(), 1);
    const waiting = mortal.count();
    await kill(mortal, { restart: true });
    t.is(countRestarting(), 1);
    await kill(mortal);
    t.is(countRestarting(), 0);
    await t.throwsAsync(waiting.then(), { ...died, message: /MortalClass.*it was killed/ });
    await t.throwsAsync(mortal.count().then(), died);
    t.deepEqual(journal.entries, ['a starts']);
  },
);

testOneByOneInEach('calls that overlap come back as each of them may', async (t, isolation) => {
  const journal = new Journal(t);
  const gate = new Gate(t);
  const options = { isolation, maxRestarts: 1, maxConcurrency: 3 };
  const mortal = Mortal.options(options).remote(journal.handle, 'a');
  const calls = [0, 1, 2].map((n) =>
    mortal.noteAt.options({ retries: n })(gate.pass(n), `call ${n}`),
  );
  const queued = mortal.noteAt.options({ retries: 1 })(gate.pass(3), 'call 3');
  await Promise.all([0, 1, 2].map((n) => gate.arrived(n)));
  await kill(mortal, { restart: true });
  await t.throwsAsync(calls[0]!.then(), unavailable);
  await gate.arrived(3);
  gate.open();
  t.deepEqual(await get([calls[1]!, calls[2]!]), [1, 1]);
  t.true((await queued) <= 1);
  const [, , , , restarted, ...again] = journal.entries;
  t.is(restarted, 'a starts');
  t.deepEqual(again.slice(0, 2), ['call 1 1', 'call 2 1']);
  t.regex(again[2]!, /^call 3/);
  t.is(again.length, 3);
});

testOneByOneInEach(
  'kill({ restart: true }) of an actor that is pending counts for nothing',
  async (t, isolation) => {
    const journal = new Journal(t);
    const mortal = Mortal.options({ isolation }).remote(journal.handle, 'a');
    const first = mortal.count();
    await kill(mortal, { restart: true });
    t.is(await first, 1);
    t.deepEqual(journal.entries, ['a starts']);
  },
);
