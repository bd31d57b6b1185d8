import { get, ObjectRef, put, TaskError } from 'mobula';
import { Gate } from '../support/gate.js';
import { runInBoth, runtimeStore, testInBoth } from '../support/runtime.js';
import {
  add,
  addLater,
  echo,
  echoAll,
  fail,
  kindOf,
  makeText,
  passGate,
  putInTask,
  refsThroughLevels,
  returnRef,
  submitInTask,
  sum,
  sumNested,
} from '../support/tasks.js';
import { collectGarbage, until } from '../support/until.js';

testInBoth('a ref as an argument stands for its value, ready or pending', async (t) => {
  const gate = new Gate(t);
  const pending = passGate.remote(gate.pass(), 3);
  const ready = add.remote(1, 1);
  await ready;
  const result = sum.remote(put(1), ready, pending as ObjectRef<number>, 4);
  gate.open();
  t.is(await result, 10);
});

testInBoth('values of every way to travel can be arguments by ref', async (t) => {
  const refs = [
    put('put'),
    add.remote(1, 1),
    echo.remote({ small: [1] }),
    makeText.remote(20_000),
    echo.remote(new Float64Array(5000)),
    echo.remote(undefined),
  ];
  await get(refs);
  const [a, b, c, d, e, f] = await echoAll.remote(...refs);
  t.deepEqual([a, b, c, f], ['put', 2, { small: [1] }, undefined]);
  t.is((d as string).length, 20_000);
  t.is((e as Float64Array).length, 5000);
});

testInBoth('a ref may be several arguments of one task', async (t) => {
  const ref = addLater.remote(1, 2);
  t.is(await sum.remote(ref, ref, ref), 9);
});

testInBoth('a task takes hundreds of refs as arguments', async (t) => {
  const refs = Array.from({ length: 300 }, (_, i) => addLater.remote(i, 0));
  t.is(await sum.remote(...refs), (299 * 300) / 2);
  const large = Array.from({ length: 100 }, () => makeText.remote(1000));
  t.is((await echoAll.remote(...large)).length, 100);
});

testInBoth('a nested ref arrives as a ref, a top-level one as its value', async (t) => {
  const ref = put(1);
  t.is(await kindOf.remote(ref), 'number');
  const [inArray, inMap] = (await echo.remote([ref, new Map([['ref', ref]])])) as [
    ObjectRef<number>,
    Map<string, ObjectRef<number>>,
  ];
  t.true(inArray instanceof ObjectRef);
  t.is(inArray.id, ref.id);
  t.is(await inMap.get('ref'), 1);
});

testInBoth('a task awaits nested refs, ready and pending', async (t) => {
  const gate = new Gate(t);
  const refs = [put(1), add.remote(1, 1), passGate.remote(gate.pass(), 3) as ObjectRef<number>];
  const result = sumNested.remote(refs);
  gate.open();
  t.is(await result, 6);
});

testInBoth('a chain of a thousand tasks, each with the ref of the one before, ends', async (t) => {
  let ref = put(0);
  for (let i = 0; i < 1000; i++) ref = add.remote(ref, 1);
  t.is(await ref, 1000);
});

testInBoth('one ref fans out to many tasks, and many refs fan in to one', async (t) => {
  const source = addLater.remote(1, 0);
  const spread = Array.from({ length: 200 }, (_, i) => add.remote(source, i));
  t.is(await sum.remote(...spread), 200 + (199 * 200) / 2);
});

testInBoth('diamonds of refs give each value once', async (t) => {
  let ref = put(1);
  for (let i = 0; i < 20; i++) {
    const [left, right] = [add.remote(ref, 0), addLater.remote(ref, 0)];
    ref = add.remote(left, right);
  }
  t.is(await ref, 2 ** 20);
});

testInBoth(
  'a failed dependency fails its dependents with the same cause, however far away',
  async (t) => {
    const failed = fail.remote('the root') as ObjectRef<number>;
    let ref = add.remote(failed, 1);
    for (let i = 0; i < 10; i++) ref = add.remote(ref, 1);
    const [first, last] = await Promise.all([
      t.throwsAsync(failed.then()),
      t.throwsAsync(ref.then()),
    ]);
    t.true(last instanceof TaskError);
    t.is((last.cause as Error).message, 'the root');
    t.is(last.cause, first.cause);
  },
);

testInBoth('a dependency that fails later fails its dependents too', async (t) => {
  const gate = new Gate(t);
  const failing = add.remote(
    passGate.remote(gate.pass(), 1) as ObjectRef<number>,
    fail.remote('no'),
  );
  gate.open();
  const error = await t.throwsAsync(failing.then(), { instanceOf: TaskError });
  t.is((error.cause as Error).message, 'no');
});

testInBoth('a nested ref that has failed throws where it is awaited', async (t) => {
  const failed = fail.remote('the root') as ObjectRef<number>;
  await t.throwsAsync(failed.then());
  for (const ref of [failed, fail.remote('the root') as ObjectRef<number>]) {
    const error = await t.throwsAsync(sumNested.remote([ref]).then(), { instanceOf: TaskError });
    const inner = error.cause as Error;
    t.true(inner instanceof TaskError);
    t.is((inner.cause as Error).message, 'the root');
  }
});

testInBoth('a ref in a put value can be awaited by whoever gets it', async (t) => {
  const gate = new Gate(t);
  const outer = put({
    ready: put('a'),
    done: echo.remote('b'),
    pending: passGate.remote(gate.pass(), 'c'),
  });
  const inner = await outer;
  gate.open();
  t.deepEqual(await get([inner.ready, inner.done, inner.pending]), ['a', 'b', 'c']);
});

testInBoth('a put value keeps the refs in it alive, and lets them go with it', async (t) => {
  using store = runtimeStore();
  const before = store.stats().objects;
  const inner = put('inner');
  const outer = put([inner]);
  inner[Symbol.dispose]();
  collectGarbage();
  const [again] = await outer;
  t.is(await again, 'inner');
  again![Symbol.dispose]();
  outer[Symbol.dispose]();
  await until('both objects are gone', () => store.stats().objects <= before);
});

testInBoth('refs in refs in refs can be awaited level by level', async (t) => {
  const nested = put([put([put(['deep'])])]);
  const [second] = await nested;
  const [third] = await second!;
  t.deepEqual(await third, ['deep']);
  const [back] = (await echo.remote([nested])) as [typeof nested];
  t.deepEqual(await (await (await back)[0])![0], ['deep']);
});

testInBoth('what a task has put can be got elsewhere', async (t) => {
  const [ref] = (await putInTask.remote({ large: new Float64Array(5000).fill(1) })) as [
    ObjectRef<{ large: Float64Array }>,
  ];
  t.is((await ref).large[4999], 1);
  t.deepEqual(await putInTask.remote('text').then(async ([inner]) => inner), 'text');
});

testInBoth(
  'a ref to a task that is still running can be returned by the task that submitted it',
  async (t) => {
    const gate = new Gate(t);
    const [ref] = await submitInTask.remote(gate.pass(), 'inner');
    t.true(ref instanceof ObjectRef);
    const doubled = echoAll.remote(ref, [ref]);
    gate.open();
    t.is(await ref, 'inner');
    const [value, [nested]] = (await doubled) as [string, [ObjectRef<string>]];
    t.is(value, 'inner');
    t.is(await nested, 'inner');
  },
);

testInBoth('a ref passes through several levels of tasks', async (t) => {
  const [ref] = await refsThroughLevels.remote(10, 'from the deep');
  t.is(await ref, 'from the deep');
});

testInBoth('an async function that returns a ref gives the value', async (t) => {
  t.is(await returnRef.remote('inner'), 'inner');
});

testInBoth('refs can be disposed as soon as they are arguments', async (t) => {
  const gate = new Gate(t);
  const stored = put('x'.repeat(50_000));
  const pending = passGate.remote(gate.pass(), 'late');
  const result = echoAll.remote(stored, pending, [stored]);
  stored[Symbol.dispose]();
  pending[Symbol.dispose]();
  collectGarbage();
  gate.open();
  const [first, second, [nested]] = (await result) as [string, string, [ObjectRef<string>]];
  t.is(first.length, 50_000);
  t.is(second, 'late');
  t.is((await nested).length, 50_000);
});

testInBoth('a disposed ref can be neither got nor passed on', async (t) => {
  const ref = put(1);
  ref[Symbol.dispose]();
  await t.throwsAsync(ref.then(), { instanceOf: ReferenceError });
  t.throws(() => add.remote(ref, 1), { instanceOf: ReferenceError });
  t.throws(() => echo.remote([ref]), { instanceOf: ReferenceError });
});

runInBoth();
