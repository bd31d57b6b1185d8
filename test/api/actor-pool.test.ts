import { AsyncLocalStorage } from 'node:async_hooks';
import {
  ActorPool,
  GetTimeoutError,
  TaskError,
  type ActorHandle,
  type GetNextOptions,
} from 'mobula';
import { Gate } from '../support/gate.js';
import { naturals, Source, toArray } from '../support/mapping.js';
import { Laborer, squareInPool, waitForCancel, type LaborerClass } from '../support/pools.js';
import { runInBoth, testInBoth, type Isolation } from '../support/runtime.js';
import { createStore } from '../support/stores.js';
import { until } from '../support/until.js';

type Handle = ActorHandle<LaborerClass>;

function laborers(count: number, isolation: Isolation): Handle[] {
  const shared = isolation === 'thread' ? 'shared' : 'process';
  return Array.from({ length: count }, (_, i) =>
    Laborer.options({ isolation: shared }).remote(String(i)),
  );
}

function square(one: Handle, n: number) {
  return one.square(n);
}

testInBoth('a pool maps in the order of the items', async (t, isolation) => {
  const pool = new ActorPool(laborers(2, isolation));
  t.deepEqual(await toArray(pool.map(square, [1, 2, 3, 4, 5])), [1, 4, 9, 16, 25]);
  t.deepEqual(await toArray(pool.map(square, [])), []);
});

testInBoth('a pool that maps unordered gives the values as they come', async (t, isolation) => {
  const gate = new Gate(t);
  const pool = new ActorPool(laborers(2, isolation));
  const items = [{ standAt: gate.pass(), give: 1 }, { give: 2 }, { give: 3 }];
  const values = pool.mapUnordered((one, item) => one.perform(item), items);
  t.is((await values.next()).value, 2);
  t.is((await values.next()).value, 3);
  gate.open();
  t.deepEqual(await toArray(values), [1]);
});

testInBoth('all actors of a pool work at a time, one item each', async (t, isolation) => {
  const gates = [new Gate(t), new Gate(t), new Gate(t)];
  const pool = new ActorPool(laborers(2, isolation));
  for (const gate of gates) pool.submit((one, pass) => one.nameAtGate(pass), gate.pass());
  await Promise.all([gates[0]!.arrived(), gates[1]!.arrived()]);
  t.false(gates[2]!.hasArrived());
  t.is(pool.popIdle(), undefined);
  gates[0]!.open();
  t.is(await pool.getNext(), '0');
  await gates[2]!.arrived();
  gates[1]!.open();
  gates[2]!.open();
  t.is(await pool.getNext(), '1');
  t.is(await pool.getNext(), '0');
  t.false(pool.hasNext());
});

testInBoth('a pool takes items only as it needs them', async (t, isolation) => {
  const source = new Source(naturals());
  const values = new ActorPool(laborers(2, isolation)).map(square, source);
  t.is(source.pulled, 0);
  for (let taken = 1; taken <= 10; taken++) {
    t.is((await values.next()).value, (taken - 1) ** 2);
    t.true(source.pulled <= taken + 4);
  }
  await values.return!();
  t.is(source.closed, 1);
});

testInBoth('leaving a loop over a pool early cancels its calls', async (t, isolation) => {
  const marks = createStore(t);
  const pool = new ActorPool(laborers(2, isolation));
  const call = (one: Handle, n: number) =>
    n === 1 ? waitForCancel(one, marks.handle) : one.square(n);
  for await (const value of pool.map(call, [0, 1, 2, 3, 4])) {
    t.is(value, 0);
    await until('the call has started', () => marks.stats().puts === 1);
    break;
  }
  await until('the call has found its signal aborted', () => marks.stats().puts === 2);
  t.deepEqual(await toArray(pool.map(square, [1, 2, 3])), [1, 4, 9]);
});

testInBoth('the first failure of a map in a pool throws', async (t, isolation) => {
  const pool = new ActorPool(laborers(2, isolation));
  const items = [{ give: 1 }, { fail: 'no luck' }, { give: 3 }];
  const values = pool.map((one, item) => one.perform(item), items);
  await t.throwsAsync(toArray(values), { instanceOf: TaskError, message: /no luck/ });
  t.deepEqual(await toArray(pool.map(square, [3])), [9]);
});

testInBoth('results of a pool come in the order of submission', async (t, isolation) => {
  const pool = new ActorPool(laborers(2, isolation));
  for (let n = 0; n < 20; n++) pool.submit(square, n);
  const results: unknown[] = [];
  while (pool.hasNext()) results.push(await pool.getNext());
  t.deepEqual(
    results,
    Array.from({ length: 20 }, (_, n) => n * n),
  );
});

testInBoth('several may wait for results of a pool at a time', async (t, isolation) => {
  const pool = new ActorPool(laborers(2, isolation));
  for (let n = 0; n < 4; n++) pool.submit(square, n);
  const [first, any, second] = [pool.getNext(), pool.getNextUnordered(), pool.getNext()];
  const last = pool.getNext();
  t.false(pool.hasNext());
  const all = await Promise.all([first, any, second, last]);
  t.is(all[0], 0);
  t.deepEqual((all as number[]).toSorted(), [0, 1, 4, 9]);
});

testInBoth('unordered results of a pool come as they are ready', async (t, isolation) => {
  const gate = new Gate(t);
  const pool = new ActorPool(laborers(2, isolation));
  pool.submit((one, item) => one.perform(item), { standAt: gate.pass(), give: 1 });
  pool.submit((one, item) => one.perform(item), { give: 2 });
  t.is(await pool.getNextUnordered(), 2);
  gate.open();
  t.is(await pool.getNextUnordered(), 1);
});

testInBoth('a result of a pool that is not ready in time is not lost', async (t, isolation) => {
  const gate = new Gate(t);
  const pool = new ActorPool(laborers(1, isolation));
  pool.submit((one, item) => one.perform(item), { standAt: gate.pass(), give: 1 });
  pool.submit(square, 2);
  for (const timeout of [0, 1, '1ms']) {
    await t.throwsAsync(pool.getNext({ timeout }), { instanceOf: GetTimeoutError });
    await t.throwsAsync(pool.getNextUnordered({ timeout }), { instanceOf: GetTimeoutError });
  }
  t.true(pool.hasNext());
  gate.open();
  t.is(await pool.getNext({ timeout: '30s' }), 1);
  t.is(await pool.getNextUnordered({ timeout: Infinity }), 4);
});

testInBoth('an aborted getNext leaves its result to the next one', async (t, isolation) => {
  const gate = new Gate(t);
  const pool = new ActorPool(laborers(1, isolation));
  pool.submit((one, item) => one.perform(item), { standAt: gate.pass(), give: 1 });
  const aborted = async (get: (options: GetNextOptions) => Promise<unknown>) => {
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = get({ signal });
    controller.abort(new Error('enough'));
    await t.throwsAsync(waiting, { message: 'enough' });
    await t.throwsAsync(get({ signal }), { message: 'enough' });
  };
  await aborted((options) => pool.getNext(options));
  await aborted((options) => pool.getNextUnordered(options));
  gate.open();
  t.is(await pool.getNext(), 1);
});

testInBoth('a failure is one result of a pool, and its actor goes on', async (t, isolation) => {
  const pool = new ActorPool(laborers(1, isolation));
  pool.submit((one, item) => one.perform(item), { fail: 'no luck' });
  pool.submit((): never => {
    throw new RangeError('thrown by the function');
  }, 0);
  pool.submit((() => 5) as never, 0);
  pool.submit(square, 3);
  await t.throwsAsync(pool.getNext(), { instanceOf: TaskError, message: /no luck/ });
  await t.throwsAsync(pool.getNext(), { message: 'thrown by the function' });
  await t.throwsAsync(pool.getNext(), { instanceOf: TypeError, message: /ObjectRef/ });
  t.is(await pool.getNext(), 9);
});

testInBoth(
  'nothing can be got from a pool to which nothing was submitted',
  async (t, isolation) => {
    const pool = new ActorPool(laborers(1, isolation));
    t.false(pool.hasNext());
    await t.throwsAsync(pool.getNext(), { code: 'MOBULA_NO_RESULTS', message: /submit/ });
    await t.throwsAsync(pool.getNextUnordered(), { code: 'MOBULA_NO_RESULTS' });
  },
);

testInBoth('actors leave a pool when they are idle, and join it', async (t, isolation) => {
  const [first, second] = laborers(2, isolation);
  const pool = new ActorPool([first!]);
  t.throws(() => pool.push(first!), { instanceOf: TypeError });
  t.is(pool.popIdle()?.actorId, first!.actorId);
  t.is(pool.popIdle(), undefined);
  pool.submit(square, 4);
  await t.throwsAsync(pool.getNext({ timeout: 1 }), { instanceOf: GetTimeoutError });
  pool.push(second!);
  t.is(await pool.getNext(), 16);
  t.is(await first!.calls(), 0);
  await until('the actor is idle', () => pool.popIdle() !== undefined);
});

testInBoth('a queued call of a pool keeps the context of its submission', async (t, isolation) => {
  const locals = new AsyncLocalStorage<string>();
  const pool = new ActorPool(laborers(1, isolation));
  const seen: unknown[] = [];
  for (const user of ['a', 'b', 'c']) {
    locals.run(user, () =>
      pool.submit((one, n) => {
        seen.push(locals.getStore());
        return one.square(n);
      }, 1),
    );
  }
  while (pool.hasNext()) await pool.getNext();
  t.deepEqual(seen, ['a', 'b', 'c']);
});

testInBoth('pools work in tasks', async (t, isolation) => {
  const squares = squareInPool.remote(laborers(2, isolation), 5);
  t.deepEqual(await squares, [0, 1, 4, 9, 16]);
});

testInBoth(
  'a pool refuses what is no handle, no function and no iterable',
  async (t, isolation) => {
    const wrongly = ActorPool as unknown as new (actors: unknown) => unknown;
    for (const actors of [undefined, {}, [1], [{ actorId: 'abc' }]]) {
      t.throws(() => new wrongly(actors), { instanceOf: TypeError });
    }
    const [one] = laborers(1, isolation);
    t.throws(() => new ActorPool([one!, one!]), { instanceOf: TypeError });
    const pool = new ActorPool([one!]) as unknown as Record<
      string,
      (...args: unknown[]) => unknown
    >;
    for (const method of ['map', 'mapUnordered', 'submit']) {
      t.throws(() => pool[method]!(1, []), { instanceOf: TypeError, message: /"fn"/ });
    }
    t.throws(() => pool.map!(square, 1), { instanceOf: TypeError, message: /"items"/ });
    const getNext = (options: unknown) => pool.getNext!(options) as Promise<unknown>;
    await t.throwsAsync(getNext({ timeout: -1 }), { instanceOf: RangeError });
    await t.throwsAsync(getNext({ signal: 1 }), { instanceOf: TypeError });
  },
);

runInBoth();
