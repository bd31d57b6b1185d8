/** Names of actors, and the handles that keep them alive. */
import test, { type ExecutionContext } from 'ava';
import {
  ActorDiedError,
  ActorExistsError,
  ActorNotFoundError,
  get,
  getActor,
  init,
  kill,
  memory,
  put,
  shutdown,
  stats,
  stop,
  type ActorHandle,
  type ActorOptions,
  type ObjectRef,
} from 'mobula';
import { Gate } from '../support/gate.js';
import { testOneByOneInEach, type ActorIsolation } from '../support/in-each.js';
import { askAllToCollect } from '../support/internals.js';
import { Journal } from '../support/journal.js';
import {
  callAtGate,
  callInTask,
  giveBackMortal,
  makeNamed,
  Mortal,
  type MortalClass,
} from '../support/mortals.js';
import { runtimeStore } from '../support/runtime.js';
import { passGate } from '../support/tasks.js';
import { collectGarbage, until, untilCollected } from '../support/until.js';

const notFound = { instanceOf: ActorNotFoundError, code: 'MOBULA_ACTOR_NOT_FOUND' };

test.before(() => {
  init({ workers: 2, memory: '64MiB' });
});
test.after.always(() => shutdown());

/** Handles that tasks and actors have had are garbage of their threads. */
async function untilGone(left = 0): Promise<void> {
  await untilCollected(`${left} actors are left`, () => {
    askAllToCollect();
    const { alive, restarting } = stats().actors;
    return alive + restarting === left;
  });
}

// --- Names ---

testOneByOneInEach('a name finds its actor, from other threads too', async (t, isolation) => {
  const journal = new Journal(t);
  const options = { isolation, name: 'found' };
  const mortal = Mortal.options(options).remote(journal.handle, 'a');
  t.is(await getActor<MortalClass>('found').count(), 1);
  t.is(getActor('found').actorId, mortal.actorId);
  t.throws(() => Mortal.options(options).remote(journal.handle, 'b'), {
    instanceOf: ActorExistsError,
    code: 'MOBULA_ACTOR_EXISTS',
    message: /'found'/,
  });
  const again = Mortal.options({ ...options, getIfExists: true }).remote(journal.handle, 'c');
  t.is(again.actorId, mortal.actorId);
  t.is(await again.count(), 2);
  t.throws(() => getActor('lost'), { ...notFound, message: /'lost'/ });
  await kill(mortal);
  t.deepEqual(journal.entries, ['a starts']);
});

type End = (t: ExecutionContext, mortal: ActorHandle<MortalClass>) => Promise<void> | void;
const ends: Record<string, End> = {
  'stop()': (_t, mortal) => stop(mortal),
  'kill()': (_t, mortal) => kill(mortal),
  'its death': async (t, mortal) => {
    await t.throwsAsync(mortal.exit().then(), { instanceOf: ActorDiedError });
  },
  'its last handle': async (_t, mortal) => {
    mortal[Symbol.dispose]();
    await until('its name is free', () => stats().actors.alive === 0);
  },
};

for (const [how, end] of Object.entries(ends)) {
  testOneByOneInEach(`a name is free again after ${how}`, async (t, isolation) => {
    const journal = new Journal(t);
    const named = Mortal.options({ isolation, name: 'again' });
    const mortal = named.remote(journal.handle, 'a');
    t.is(await mortal.count(), 1);
    await end(t, mortal);
    t.throws(() => getActor('again'), notFound);
    const next = named.remote(journal.handle, 'b');
    t.is(await next.count(), 1);
    t.is(getActor('again').actorId, next.actorId);
    await kill(next);
  });
}

test.serial('the same name is one actor, whoever makes it or finds it at a time', async (t) => {
  const journal = new Journal(t);
  const gate = new Gate(t);
  const tasks = [0, 1, 2, 3].map((n) => {
    const isolation = n % 2 === 0 ? 'thread' : 'process';
    return makeNamed.options({ isolation, cpus: 0 }).remote(gate.pass(n), journal.handle, 'raced');
  });
  await Promise.all([0, 1, 2, 3].map((n) => gate.arrived(n)));
  gate.open();
  const ids = new Set(await get(tasks));
  const raced = getActor<MortalClass>('raced');
  t.deepEqual([...ids], [raced.actorId]);
  t.is(await raced.count(), tasks.length + 1);
  t.deepEqual(journal.entries, ['raced starts']);
  await kill(raced);
});

// --- Handles ---

testOneByOneInEach('an actor ends when its handles have been collected', async (t, isolation) => {
  const journal = new Journal(t);
  await (async () => {
    const mortal = Mortal.options({ isolation }).remote(journal.handle, 'a');
    await mortal.count();
  })();
  await untilGone();
  await journal.until(2);
  t.deepEqual(journal.entries, ['a starts', 'a stops']);
});

test.serial('an actor lives on until the last of its handles is disposed', async (t) => {
  const journal = new Journal(t);
  const first = Mortal.remote(journal.handle, 'a');
  const [second] = await giveBackMortal.remote(first);
  first[Symbol.dispose]();
  collectGarbage();
  t.is(await second!.count(), 1);
  second![Symbol.dispose]();
  await untilGone();
  await journal.until(2);
  t.deepEqual(journal.entries, ['a starts', 'a stops']);
});

test.serial('an object keeps the actors alive of which it has handles', async (t) => {
  const journal = new Journal(t);
  const mortal = Mortal.remote(journal.handle, 'a');
  const ref = put([mortal]);
  mortal[Symbol.dispose]();
  {
    const [handle] = await ref;
    t.is(await handle!.count(), 1);
    handle![Symbol.dispose]();
  }
  collectGarbage();
  t.is(await callInTask.remote(ref as unknown as ActorHandle<MortalClass>[]), 2);
  ref[Symbol.dispose]();
  await untilGone();
  await journal.until(2);
  t.deepEqual(journal.entries, ['a starts', 'a stops']);
});

test.serial('a result keeps the actors alive of which it has handles', async (t) => {
  const journal = new Journal(t);
  const mortal = Mortal.remote(journal.handle, 'a');
  const result = giveBackMortal.remote(mortal);
  mortal[Symbol.dispose]();
  {
    using handle = (await result)[0]!;
    t.is(await handle.count(), 1);
  }
  collectGarbage();
  t.is(stats().actors.alive, 1);
  result[Symbol.dispose]();
  await untilGone();
});

test.serial('arguments that are under way keep the actors alive that are among them', async (t) => {
  const journal = new Journal(t);
  const gate = new Gate(t);
  const mortal = Mortal.remote(journal.handle, 'a');
  const call = callAtGate.remote(gate.pass(), mortal);
  mortal[Symbol.dispose]();
  await gate.arrived();
  collectGarbage();
  gate.open();
  t.is(await call, 1);
  call[Symbol.dispose]();
  await untilGone();
});

test.serial(
  'arguments that wait for others keep the actors alive that are among them',
  async (t) => {
    const journal = new Journal(t);
    const [gate, open] = [new Gate(t), new Gate(t)];
    open.open();
    const mortal = Mortal.remote(journal.handle, 'a');
    const pass = passGate.remote(gate.pass(), open.pass()) as ObjectRef<ReturnType<Gate['pass']>>;
    const call = callAtGate.remote(pass, mortal);
    mortal[Symbol.dispose]();
    collectGarbage();
    await gate.arrived();
    gate.open();
    t.is(await call, 1);
    call[Symbol.dispose]();
    await untilGone();
  },
);

testOneByOneInEach(
  'an actor that has a handle of another keeps that alive, until it lets go of it or ends',
  async (t, isolation) => {
    const journal = new Journal(t);
    const keeper = Mortal.options({ isolation }).remote(journal.handle, 'keeper');
    await keeper.count();
    const aliveAfter = [1, 0];
    for (const [n, letGo] of [() => keeper.drop(), () => kill(keeper)].entries()) {
      const kept = Mortal.remote(journal.handle, 'kept');
      await keeper.keep(kept);
      kept[Symbol.dispose]();
      collectGarbage();
      t.is(stats().actors.alive, 2);
      await letGo();
      await untilGone(aliveAfter[n]);
      await journal.until(2 * n + 3);
    }
    const lives = ['kept starts', 'kept stops', 'kept starts', 'kept stops'];
    t.deepEqual(journal.entries, ['keeper starts', ...lives]);
  },
);

testOneByOneInEach(
  'two actors that have handles of each other live on, and end by kill()',
  async (t, isolation) => {
    const journal = new Journal(t);
    const [one, two] = ['one', 'two'].map((name) =>
      Mortal.options({ isolation }).remote(journal.handle, name),
    ) as [ActorHandle<MortalClass>, ActorHandle<MortalClass>];
    await get([one.keep(two), two.keep(one)]);
    two[Symbol.dispose]();
    collectGarbage();
    await one.count();
    t.is(stats().actors.alive, 2);
    await kill(one);
    await untilGone();
  },
);

// --- What is left ---

const manners: Record<string, Partial<ActorOptions>> = {
  'without a name': {},
  'with a name': { name: 'leaving' },
  detached: { lifetime: 'detached', name: 'leaving' },
};

for (const [manner, options] of Object.entries(manners)) {
  testOneByOneInEach(
    `stats() counts an actor, and memory() and the store show nothing of it after its end, ${manner}`,
    async (t, isolation) => {
      const journal = new Journal(t);
      await liveAndDie(journal, { ...options, isolation });
      const before = { ...stats().store, ...stats().actors };
      const mortal = Mortal.options({ ...options, isolation }).remote(
        journal.handle,
        'x'.repeat(20_000),
      );
      await mortal.keep('y'.repeat(20_000));
      t.is(stats().actors.alive, before.alive + 1);
      t.true(stats().store.objects > before.objects);
      await stop(mortal);
      mortal[Symbol.dispose]();
      await untilCollected('the store is as before', () => {
        askAllToCollect();
        const { objects, usedBytes } = stats().store;
        return objects <= before.objects && usedBytes <= before.usedBytes;
      });
      t.is(stats().actors.dead, before.dead + 1);
      t.deepEqual(memory(), []);
      using store = runtimeStore();
      t.deepEqual(store.check(), { ok: true, problems: [] });
    },
  );
}

async function liveAndDie(
  journal: Journal,
  options: ActorOptions & { isolation: ActorIsolation },
): Promise<void> {
  const mortal = Mortal.options(options).remote(journal.handle, 'before');
  await mortal.count();
  await kill(mortal);
  mortal[Symbol.dispose]();
  await untilCollected('memory() lists nothing', () => {
    askAllToCollect();
    return memory().length === 0;
  });
}
