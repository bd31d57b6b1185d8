import { get, TaskError } from 'mobula';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { divide, returnOne, split } from '../support/scheduling.js';
import { add, fail } from '../support/tasks.js';

testInBoth('with returns a task gives one ref for each element', async (t) => {
  const [quotient, remainder] = divide.options({ returns: 2 }).remote(17, 5);
  t.is(await quotient, 3);
  t.is(await remainder, 2);
  t.not(quotient.id, remainder.id);
});

testInBoth('each of several results can be an argument, and be large', async (t) => {
  const [text, array] = split.options({ returns: 2 }).remote('word');
  t.is(await text, 'word');
  t.is((await array)[4999], 4);
  const [a, b] = divide.options({ returns: 2 }).remote(9, 4);
  t.is(await add.remote(a, b), 3);
  t.deepEqual(await get([a, b]), [2, 1]);
});

testInBoth('when the task fails all of its refs do', async (t) => {
  const refs = fail.options({ returns: 3 }).remote('no') as unknown as PromiseLike<unknown>[];
  t.is(refs.length, 3);
  for (const ref of refs) await t.throwsAsync(ref as Promise<unknown>, { instanceOf: TaskError });
});

testInBoth('a function that returns something else is told so', async (t) => {
  const refs = returnOne.options({ returns: 2 }).remote();
  await t.throwsAsync(refs[0]!.then(), { message: /returns: 2.*array of 2/ });
  const three = divide.options({ returns: 3 }).remote(1, 1);
  await t.throwsAsync(three[0].then(), { message: /returned an array of 2/ });
});

testInBoth('returns: 1 is a result like any other', async (t) => {
  t.deepEqual(await divide.options({ returns: 1 }).remote(17, 5), [3, 2]);
});

runInBoth();
