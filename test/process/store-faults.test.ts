import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { ObjectStore, StoreStalledError } from 'mobula/store';
import { Command } from '../support/command.js';
import { operations, StoreAgent } from '../support/store-agent.js';
import { bytes, createStore, idOf } from '../support/stores.js';
import { until } from '../support/until.js';

/** Stops the process until it happens to hold the store's lock; returns what a call throws then. */
async function stopWithLock(store: ObjectStore, pid: number): Promise<unknown> {
  let stalled: unknown;
  await until('the process is stopped while it holds the lock', () => {
    process.kill(pid, 'SIGSTOP');
    try {
      store.stats();
      process.kill(pid, 'SIGCONT');
      return false;
    } catch (error) {
      stalled = error;
      return true;
    }
  });
  return stalled;
}

/** A process that works on the store, and its pid. */
async function startChurning(t: ExecutionContext, store: ObjectStore) {
  const agent = StoreAgent.start(t, 'process', store.handle);
  await agent.do('put', bytes(1));
  const { puts } = store.stats();
  void agent.do('churn');
  await until('it works', () => store.stats().puts > puts + 100);
  return { agent, pid: agent.pid };
}

test('a stopped lock holder is reported with its pid, and all go on when it is continued', async (t) => {
  const store = createStore(t);
  const { pid } = await startChurning(t, store);
  const stalled = await stopWithLock(store, pid);
  t.true(stalled instanceof StoreStalledError);
  t.like(stalled, { code: 'MOBULA_STORE_STALLED' });
  t.true((stalled as Error).message.includes(String(pid)));

  process.kill(pid, 'SIGCONT');
  const { puts } = store.stats();
  await until('it works again', () => store.stats().puts > puts + 100);
  t.is(store.stats().recoveries, 0);
});

test('a stopped lock holder that is killed is recovered from', async (t) => {
  const store = createStore(t);
  const { agent, pid } = await startChurning(t, store);
  await stopWithLock(store, pid);
  await agent.end();
  await until('all is given back', () => store.stats().clients === 1);
  t.like(store.stats(), { recoveries: 1, unsealed: 0, pinnedObjects: 0 });
});

test('worker.terminate() ends a worker that waits for a stopped lock holder', async (t) => {
  const store = createStore(t);
  store.put(bytes(100), { id: idOf(1) });
  const worker = StoreAgent.start(t, 'thread', store.handle);
  const { pid } = await startChurning(t, store);
  await worker.do('repeat', 'pin and unpin');
  await stopWithLock(store, pid);
  await worker.end();
  process.kill(pid, 'SIGCONT');
  await until('its pin is given back', () => (store.peek(idOf(1))?.pins ?? 0) === 0);
  t.is(store.stats().recoveries, 0);
});

for (const operation of operations) {
  test(`worker.terminate() amid '${operation}' leaves the store in order`, async (t) => {
    const store = createStore(t);
    for (let round = 0; round < 3; round++) {
      if (!store.contains(idOf(1))) store.put(bytes(100), { id: idOf(1) });
      const worker = StoreAgent.start(t, 'thread', store.handle);
      await worker.do('repeat', operation);
      await delay(Math.random() * 20);
      await worker.end();
      t.deepEqual(store.check(), { ok: true, problems: [] });
    }
    await until('all is given back', () => {
      const { unsealed, pinnedObjects } = store.stats();
      return unsealed === 0 && pinnedObjects === 0;
    });
  });
}

test('process.exit() within onEvict ends the process with its code, and gives all back', async (t) => {
  const name = `test-${randomUUID()}`;
  t.teardown(() => ObjectStore.unlink(name));
  const store = createStore(t, { name });
  const id = store.put(bytes(100, 7));
  await using command = await Command.start('test/process/fixtures/store-exit.js', () => [
    name,
    id,
  ]);
  const { code, signal, stdout, stderr } = await command.outcome;
  t.deepEqual({ code, signal, stdout, stderr }, { code: 7, signal: null, stdout: '', stderr: '' });
  await until('all is given back', () => store.stats().clients === 1);
  t.like(store.stats(), { unsealed: 0, pinnedObjects: 0, sealed: 1 });
});
