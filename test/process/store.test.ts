import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { ObjectStore } from 'mobula/store';
import { Command } from '../support/command.js';
import { StoreAgent } from '../support/store-agent.js';
import { bytes, createStore, idOf, KiB, MiB } from '../support/stores.js';
import { until } from '../support/until.js';

const fixtures = 'test/process/fixtures';

function namedStore(t: ExecutionContext): { store: ObjectStore; name: string } {
  const name = `test-${randomUUID()}`;
  t.teardown(() => ObjectStore.unlink(name));
  return { name, store: createStore(t, { name }) };
}

test('SIGKILL of a process gives back its pins, views and unsealed objects', async (t) => {
  const store = createStore(t);
  const agent = StoreAgent.start(t, 'process', store.handle);
  const pinned = store.put(bytes(1000));
  const viewed = store.put(bytes(1000));
  const put = await agent.do('put', bytes(1000, 7));
  await agent.do('pin', pinned);
  await agent.do('hold', viewed);
  await agent.do('create', 5000);
  t.like(store.stats(), { pinnedObjects: 2, unsealed: 1, clients: 2 });

  await agent.end();
  await until('all is given back', () => store.stats().clients === 1);
  t.like(store.stats(), {
    pinnedObjects: 0,
    unsealed: 0,
    sealed: 3,
    usedBytes: 3 * KiB,
    reclaimedClients: 1,
  });
  t.deepEqual([...store.get(put)!.data], [...bytes(1000, 7)]);
});

test('what a killed process held is there for the next operation that needs the space', async (t) => {
  const store = createStore(t);
  const agent = StoreAgent.start(t, 'process', store.handle);
  const id = store.put(bytes(MiB / 2));
  await agent.do('pin', id);
  await agent.do('create', MiB / 2);
  await agent.end();
  t.is(store.put(bytes(MiB)).length, 32);
});

test('a process killed in the middle of its work leaves the store in order', async (t) => {
  const store = createStore(t);
  for (let round = 0; round < 10; round++) {
    const agent = StoreAgent.start(t, 'process', store.handle);
    const kept = await agent.do('put', bytes(100, round));
    store.pin(kept);
    const { puts } = store.stats();
    void agent.do('churn');
    await until('it works', () => store.stats().puts > puts + 100 * round);
    await agent.end();
    t.deepEqual(store.check(), { ok: true, problems: [] });
    t.is(store.get(kept)?.data[0], round);
    store.put(bytes(100));
  }
  await until('all is given back', () => store.stats().clients === 1);
  t.like(store.stats(), { unsealed: 0, reclaimedClients: 10 });
});

test('others go on while processes are killed', async (t) => {
  const store = createStore(t);
  const survivor = StoreAgent.start(t, 'process', store.handle);
  const agents = Array.from({ length: 3 }, () => StoreAgent.start(t, 'process', store.handle));
  for (const agent of agents) await agent.do('put', bytes(1));
  for (const agent of agents) {
    void agent.do('churn');
    await agent.end();
    for (let i = 0; i < 100; i++) {
      using view = store.get(store.put(bytes(500, i)));
      t.is(view?.data[499], i);
    }
    const id = await survivor.do('put', bytes(500, 3));
    t.is(store.get(id)?.data[499], 3);
    await turn();
  }
});

test('an object whose writer was killed can be written anew, and who waits gets it', async (t) => {
  const store = createStore(t);
  const agent = StoreAgent.start(t, 'process', store.handle);
  const id = await agent.do('create', 100);
  const waiting = store.wait(id);
  await agent.end();
  await until('the unsealed object is given back', () => store.peek(id) === undefined);
  store.put(bytes(100, 4), { id });
  t.is((await waiting).data[0], 4);
});

test('a pending wait keeps a process alive until the object comes', async (t) => {
  const { store, name } = namedStore(t);
  await using command = await Command.start(`${fixtures}/store-wait.js`, () => [name, idOf(1)]);
  await command.untilStdoutHas('waiting');
  store.put(bytes(10), { id: idOf(1) });
  const { code, stdout } = await command.outcome;
  t.is(stdout, 'waiting\ngot 10\n');
  t.is(code, 0);
});

test('an idle store does not keep a process alive', async (t) => {
  await using command = await Command.start(`${fixtures}/store-idle.js`);
  const { code, stdout } = await command.outcome;
  t.is(stdout, '10\n');
  t.is(code, 0);
  t.deepEqual(await command.remains(0), { processes: [], files: [] });
});
