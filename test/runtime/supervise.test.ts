/** Supervisors of real actors; supervision.test.ts has their logic alone. */
import test, { type ExecutionContext } from 'ava';
import {
  ActorDiedError,
  ActorUnavailableError,
  get,
  init,
  kill,
  shutdown,
  stats,
  stop,
  supervise,
  type ActorHandle,
} from 'mobula';
import { end } from '../support/ending.js';
import { Gate } from '../support/gate.js';
import { testOneByOneInEach, type ActorIsolation } from '../support/in-each.js';
import { Journal } from '../support/journal.js';
import { Mortal, superviseInTask, type MortalClass } from '../support/mortals.js';

type Handle = ActorHandle<MortalClass>;

const died = { instanceOf: ActorDiedError, code: 'MOBULA_ACTOR_DIED' };
const unavailable = { instanceOf: ActorUnavailableError };
const often = { maxRestarts: 10, within: '1h' };
const once = { maxRestarts: 1, within: '1h' };
const never = { maxRestarts: 0, within: '1h' };

test.before(() => {
  init({ workers: 1, memory: '64MiB' });
});
test.after.always(() => shutdown());

/** Actors of these names that have counted to 1, and what is entered in the journal after that. */
async function settle<const N extends string>(
  t: ExecutionContext,
  isolation: ActorIsolation,
  names: readonly N[],
) {
  const journal = new Journal(t);
  const handles = names.map((name) => Mortal.options({ isolation }).remote(journal.handle, name));
  for (const handle of handles) await handle.count();
  t.teardown(() => Promise.all(handles.map((handle) => kill(handle))));
  const actors = Object.fromEntries(names.map((name, i) => [name, handles[i]])) as Record<
    N,
    Handle
  >;
  return { journal, actors, handles, entries: () => journal.entries.slice(names.length) };
}

const counts = (handles: readonly Handle[]) => get(handles.map((handle) => handle.count()));

/** It goes down, and takes no neighbour along. */
async function fail(t: ExecutionContext, handle: Handle): Promise<void> {
  await t.throwsAsync(handle.reject().then(), unavailable);
}

for (const [strategy, starts, after] of [
  ['one-for-one', ['b starts'], [2, 1, 2]],
  ['one-for-all', ['a starts', 'b starts', 'c starts'], [1, 1, 1]],
  ['rest-for-one', ['b starts', 'c starts'], [2, 1, 1]],
] as const) {
  testOneByOneInEach(
    `4d, 5: ${strategy} makes ${starts.length} of 3 children anew, in order`,
    async (t, isolation) => {
      const { actors, entries, handles, journal } = await settle(t, isolation, ['a', 'b', 'c']);
      const supervisor = supervise(strategy, handles, often);
      await fail(t, actors.b);
      await journal.until(handles.length + starts.length);
      t.deepEqual(await counts(handles), [...after]);
      t.deepEqual(entries(), [...starts]);
      await supervisor.stop();
    },
  );
}

testOneByOneInEach(
  '4d: kill({ restart: true }) and the end of a worker are a matter of the supervisor',
  async (t, isolation) => {
    const { actors, entries } = await settle(t, isolation, ['a']);
    const supervisor = supervise('one-for-one', [actors.a], often);
    await kill(actors.a, { restart: true });
    t.is(await actors.a.count(), 1);
    await t.throwsAsync(actors.a.exit().then(), unavailable);
    t.is(await actors.a.count(), 1);
    t.deepEqual(entries(), ['a starts', 'exit 0', 'a starts']);
    await supervisor.stop();
  },
);

testOneByOneInEach(
  '4d: calls of a child that its supervisor ends wait, or run again if they may',
  async (t, isolation) => {
    const gate = new Gate(t);
    const { actors, entries } = await settle(t, isolation, ['a', 'b']);
    const supervisor = supervise('one-for-all', [actors.a, actors.b], often);
    const again = actors.b.noteAt.options({ retries: 1 })(gate.pass(), 'begun');
    const behind = actors.b.note.options({ retries: 1 })('behind');
    await gate.arrived();
    gate.open();
    await again;
    const held = new Gate(t);
    const [cut, waits] = [
      actors.b.noteAt(held.pass(), 'cut'),
      actors.b.note.options({ retries: 1 })('waits'),
    ];
    await held.arrived();
    await fail(t, actors.a);
    await t.throwsAsync(cut.then(), unavailable);
    await get([behind, waits]);
    t.deepEqual(entries(), ['begun 0', 'behind', 'cut 0', 'a starts', 'b starts', 'waits']);
    await supervisor.stop();
  },
);

testOneByOneInEach(
  'more restarts than allowed end all children, whatever their maxRestarts, and reject done',
  async (t, isolation) => {
    const { actors, handles, entries } = await settle(t, isolation, ['a', 'b']);
    const supervisor = supervise('one-for-one', handles, once);
    await fail(t, actors.a);
    t.is(await actors.a.count(), 1);
    await t.throwsAsync(actors.b.reject().then());
    const error = await t.throwsAsync(supervisor.done, {
      ...died,
      message: /MortalClass.*2 times/,
    });
    t.true(error.cause instanceof ActorDiedError);
    for (const handle of handles) await t.throwsAsync(handle.count().then(), died);
    t.is(stats().actors.alive + stats().actors.restarting, 0);
    t.deepEqual(entries(), ['a starts']);
  },
);

testOneByOneInEach(
  "a failure that is too much for its supervisor is the next one's, through three levels",
  async (t, isolation) => {
    const { actors, entries, handles, journal } = await settle(t, isolation, ['a', 'b', 'c', 'd']);
    const { a, b, c, d } = actors;
    const leaf = supervise('rest-for-one', [a, b], once);
    const middle = supervise('one-for-one', [leaf, c], once);
    const root = supervise('one-for-all', [middle, d], once);
    let before = handles.length;
    const failAndSee = async (who: Handle, starts: string[], after: number[]) => {
      await fail(t, who);
      await journal.until(before + starts.length);
      t.deepEqual(journal.entries.slice(before), starts);
      t.deepEqual(await counts(handles), after);
      before += starts.length;
    };
    await failAndSee(b, ['b starts'], [2, 1, 2, 2]);
    await failAndSee(b, ['a starts', 'b starts'], [1, 1, 3, 3]);
    await failAndSee(a, ['a starts', 'b starts'], [1, 1, 4, 4]);
    const all = ['a starts', 'b starts', 'c starts', 'd starts'];
    await failAndSee(a, all, [1, 1, 1, 1]);
    await t.throwsAsync(d.reject().then());
    await t.throwsAsync(root.done, died);
    for (const handle of handles) await t.throwsAsync(handle.count().then(), died);
    await Promise.all([leaf.done, middle.done]);
    t.is(entries().length, before - handles.length);
  },
);

testOneByOneInEach('stop() ends the children and resolves done', async (t, isolation) => {
  const { handles, entries } = await settle(t, isolation, ['a', 'b']);
  const supervisor = supervise('one-for-one', handles, often);
  await supervisor.stop();
  await supervisor.done;
  for (const handle of handles) {
    await t.throwsAsync(handle.count().then(), { ...died, message: /its supervisor has ended it/ });
  }
  await t.notThrowsAsync(supervisor.stop());
  t.deepEqual(entries(), []);
});

testOneByOneInEach(
  'a child that was stopped or killed for good is not made anew',
  async (t, isolation) => {
    const { actors, handles, entries } = await settle(t, isolation, ['a', 'b', 'c']);
    const supervisor = supervise('one-for-all', handles, once);
    await stop(actors.b);
    await kill(actors.c);
    t.is(await actors.a.count(), 2);
    await fail(t, actors.a);
    t.is(await actors.a.count(), 1);
    for (const handle of [actors.b, actors.c]) await t.throwsAsync(handle.count().then(), died);
    t.deepEqual(entries(), ['b stops', 'a starts']);
    await supervisor.stop();
  },
);

test.serial('a child has one supervisor, which is up', async (t) => {
  const { handles, actors } = await settle(t, 'shared', ['a', 'b']);
  const refused = { code: 'MOBULA_SUPERVISED' };
  t.throws(() => supervise('one-for-one', [actors.a, actors.a], often), refused);
  const supervisor = supervise('one-for-one', handles, often);
  t.throws(() => supervise('one-for-one', [actors.b], often), refused);
  t.throws(() => supervise('one-for-one', [supervisor, supervisor], often), refused);
  const parent = supervise('one-for-one', [supervisor], often);
  t.throws(() => supervise('one-for-one', [supervisor], often), refused);
  await parent.stop();
  await supervisor.done;
  t.throws(() => supervise('one-for-one', [supervisor], often), refused);
});

test.serial(
  'a supervisor keeps its children, and lets go of them when it is stopped',
  async (t) => {
    const journal = new Journal(t);
    const before = stats().actors.alive;
    const mortal = Mortal.remote(journal.handle, 'a');
    const supervisor = supervise('one-for-one', [mortal], never);
    mortal[Symbol.dispose]();
    const sentinel = Mortal.remote(journal.handle, 'sentinel');
    await sentinel.count();
    await kill(sentinel);
    t.is(stats().actors.alive, before + 1);
    await supervisor.stop();
    t.is(stats().actors.alive, before);
  },
);

testOneByOneInEach(
  'a supervisor in a task looks after its children until its worker ends, and they end with it',
  async (t, isolation) => {
    const { actors, handles, entries } = await settle(t, isolation, ['a', 'b']);
    await superviseInTask.remote(handles);
    await fail(t, actors.a);
    t.deepEqual(await counts(handles), [1, 2]);
    await t.throwsAsync(end.options({ retries: 0 }).remote('exit').then());
    for (const handle of handles) {
      await t.throwsAsync(handle.count().then(), { ...died, message: /thread of its supervisor/ });
    }
    t.deepEqual(entries(), ['a starts']);
  },
);
