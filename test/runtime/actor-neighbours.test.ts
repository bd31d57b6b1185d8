/** What becomes of the actors that share a host with one that fails: all share one here. */
import test, { type ExecutionContext } from 'ava';
import { ActorDiedError, ActorUnavailableError, get, init, kill, shutdown, stats } from 'mobula';
import { Gate } from '../support/gate.js';
import { Journal } from '../support/journal.js';
import { Mortal } from '../support/mortals.js';
import { createStore } from '../support/stores.js';
import { until } from '../support/until.js';

const died = { instanceOf: ActorDiedError, code: 'MOBULA_ACTOR_DIED' };
const unavailable = { instanceOf: ActorUnavailableError };

test.before(() => {
  init({ workers: 1, memory: '64MiB' });
});
test.after.always(() => shutdown());

/**
 * A culprit, made between two neighbours that have counted to 1; the second one can be restarted.
 */
async function settle(t: ExecutionContext, options: { maxRestarts: number }) {
  const journal = new Journal(t);
  const make = (name: string, maxRestarts = 0) =>
    Mortal.options({ name, maxRestarts }).remote(journal.handle, name);
  const first = make('first');
  const culprit = make('culprit', options.maxRestarts);
  const second = make('second', 1);
  t.deepEqual(await get([first, culprit, second].map((mortal) => mortal.count())), [1, 1, 1]);
  t.teardown(() => Promise.all([first, culprit, second].map((mortal) => kill(mortal))));
  return { journal, first, culprit, second };
}

for (const [how, reason] of [
  ['reject', /unhandled rejection: rejected in vain/],
  ['throwInTimer', /uncaught exception: thrown in vain/],
] as const) {
  test.serial(
    `4b: an actor that fails is made anew alone, 7a: or dies alone; its neighbours go on (${how})`,
    async (t) => {
      const { journal, first, culprit, second } = await settle(t, { maxRestarts: 1 });
      const gate = new Gate(t);
      const running = first.noteAt(gate.pass(), 'begun');
      await gate.arrived();
      await t.throwsAsync(culprit[how]().then(), unavailable);
      t.is(await culprit.count(), 1);
      const message = new RegExp(`MortalClass 'culprit'.*${reason.source}`);
      const error = await t.throwsAsync(culprit[how]().then(), { ...died, message });
      t.true(error.cause instanceof RangeError);
      gate.open();
      t.is(await running, 0);
      t.deepEqual(await get([first.count(), second.count()]), [2, 2]);
      const starts = journal.entries.filter((entry) => entry.endsWith('starts'));
      t.deepEqual(starts, ['first starts', 'culprit starts', 'second starts', 'culprit starts']);
    },
  );
}

test.serial(
  '4a, 7a: the neighbours of an actor that ends their host die naming it, or are made anew',
  async (t) => {
    const { journal, first, culprit, second } = await settle(t, { maxRestarts: 1 });
    const gate = new Gate(t);
    const message = /'first'.*exit code 3.*in the actor MortalClass 'culprit'/;
    const running = t.throwsAsync(first.noteAt(gate.pass(), 'begun').then(), { ...died, message });
    await gate.arrived();
    await t.throwsAsync(culprit.exit().then(), { ...unavailable, message: /exit code 3/ });
    await running;
    await t.throwsAsync(first.count().then(), { ...died, message });
    t.deepEqual(await get([culprit.count(), second.count()]), [1, 1]);
    const starts = journal.entries.slice(5);
    t.deepEqual(starts.sort(), ['culprit starts', 'second starts']);
  },
);

test.serial('7c, 4c: kill() evicts one actor only, whether it is restarted or not', async (t) => {
  const { first, culprit, second } = await settle(t, { maxRestarts: 1 });
  const gate = new Gate(t);
  const running = first.noteAt(gate.pass(), 'begun');
  await gate.arrived();
  await kill(culprit, { restart: true });
  t.is(await culprit.count(), 1);
  await kill(culprit);
  gate.open();
  t.is(await running, 0);
  t.deepEqual(await get([first.count(), second.count()]), [2, 2]);
});

test.serial(
  '7c: kill() of an actor in a synchronous loop ends its host, and the neighbours die naming it',
  async (t) => {
    const { first, culprit, second } = await settle(t, { maxRestarts: 0 });
    const marks = createStore(t);
    const looping = culprit.loop(marks.handle);
    await until('it loops', () => marks.stats().puts === 1);
    const queued = first.count();
    await kill(culprit);
    await t.throwsAsync(looping.then(), { ...died, message: /'culprit'.*it was killed/ });
    await t.throwsAsync(queued.then(), {
      ...died,
      message: /'first'.*MortalClass 'culprit', which it hosted, did not give way/,
    });
    t.is(await second.count(), 1);
    t.is(stats().actors.alive, 1);
  },
);

test.serial(
  '4c: an actor in a synchronous loop can be restarted, at the price of its host',
  async (t) => {
    const { first, culprit, second } = await settle(t, { maxRestarts: 1 });
    const marks = createStore(t);
    const looping = culprit.loop(marks.handle);
    await until('it loops', () => marks.stats().puts === 1);
    await kill(culprit, { restart: true });
    await t.throwsAsync(looping.then(), unavailable);
    t.deepEqual(await get([culprit.count(), second.count()]), [1, 1]);
    await t.throwsAsync(first.count().then(), { ...died, message: /'culprit'.*did not give way/ });
  },
);
