import { free, get, memory, put, type ObjectMemory, type ObjectRef } from 'mobula';
import { Gate } from '../support/gate.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { add, awaitNested, echo, makeText, passGate, putInTask } from '../support/tasks.js';

function rowOf({ id }: ObjectRef): ObjectMemory | undefined {
  const rows = memory().filter((row) => row.id === id);
  if (rows.length > 1) throw new Error(`${rows.length} rows for one object`);
  return rows[0];
}

testInBoth('memory lists what refs stand for, in the store and out of it', async (t) => {
  const gate = new Gate(t);
  const stored = put('x'.repeat(1000));
  const large = makeText.remote(50_000);
  const small = echo.remote({ small: [1, 2, 3] });
  const primitive = add.remote(1, 1);
  const pending = passGate.remote(gate.pass(), 1);
  await get([large, small, primitive]);
  t.like(rowOf(stored), { state: 'sealed', refs: 1, pins: 0 });
  t.true(rowOf(stored)!.size >= 1000);
  t.false('callSite' in rowOf(stored)!);
  t.like(rowOf(large), { state: 'sealed', refs: 1 });
  t.true(rowOf(large)!.size >= 50_000);
  t.like(rowOf(small), { state: 'local', refs: 1, pins: 0 });
  t.true(rowOf(small)!.size > 3);
  t.like(rowOf(primitive), { state: 'local' });
  t.like(rowOf(pending), { state: 'pending', size: 0 });
  for (const ref of [stored, large, small, primitive, pending]) {
    const { owner, age } = rowOf(ref)!;
    t.is(owner, rowOf(stored)!.owner);
    t.regex(owner, /^peer-\d+$/);
    t.true(age >= 0 && age < 60_000, String(age));
  }
  t.true(memory().every(({ owner }) => owner !== 'peer-4294967295'));
  gate.open();
  await pending;
});

testInBoth(
  'memory counts the processes that refer to an object, and that read it',
  async (t, isolation) => {
    const gate = new Gate(t);
    const ref = put(new Float64Array(1000));
    const reader = awaitNested.remote([ref], gate.pass());
    await gate.arrived();
    t.is(rowOf(ref)!.refs, isolation === 'process' ? 2 : 1);
    const array = await ref;
    t.is(rowOf(ref)!.pins, 1);
    t.is(array.length, 1000);
    gate.open();
    await reader;
  },
);

testInBoth('memory shows what a worker owns as its own', async (t) => {
  const mine = put(1);
  const [theirs] = (await putInTask.remote('theirs')) as [ObjectRef];
  t.not(rowOf(theirs)!.owner, rowOf(mine)!.owner);
  t.is(await theirs, 'theirs');
});

testInBoth('memory shows a freed object as long as somebody has a ref, and no dropped one', (t) => {
  const [freed, dropped] = [put('freed'), put('dropped')];
  free(freed);
  t.like(rowOf(freed), { state: 'freed', pins: 0 });
  dropped[Symbol.dispose]();
  t.is(rowOf(dropped), undefined);
});

runInBoth();
