import { TaskError } from 'mobula';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { failWithType, flaky, FlakyError } from '../support/scheduling.js';
import { createStore } from '../support/stores.js';

testInBoth('an error of the task is not retried unless told', async (t) => {
  const marks = createStore(t);
  const error = await t.throwsAsync(flaky.remote(marks.handle, 1).then());
  t.true(error instanceof TaskError);
  t.is(marks.stats().puts, 1);
});

testInBoth('with retryErrors a task is run again until it does not throw', async (t) => {
  const marks = createStore(t);
  t.is(await flaky.options({ retryErrors: true }).remote(marks.handle, 3), 3);
  t.is(marks.stats().puts, 4);
});

testInBoth('retries bounds how often, and the last error is the result', async (t) => {
  const marks = createStore(t);
  const ref = flaky.options({ retryErrors: true, retries: 2 }).remote(marks.handle, 10);
  const error = await t.throwsAsync(ref.then(), { instanceOf: TaskError });
  t.is((error.cause as Error).message, 'attempt 2');
  t.is(marks.stats().puts, 3);
});

testInBoth('only errors of the classes given are retried', async (t) => {
  const marks = createStore(t);
  const onlyFlaky = { retryErrors: [FlakyError] };
  t.is(await flaky.options(onlyFlaky).remote(marks.handle, 1), 1);
  const others = createStore(t);
  await t.throwsAsync(failWithType.options(onlyFlaky).remote(others.handle).then());
  t.is(others.stats().puts, 1);
});

testInBoth('retries: 0 runs a task at most once, whatever it throws', async (t) => {
  const marks = createStore(t);
  const ref = flaky.options({ retryErrors: true, retries: 0 }).remote(marks.handle, 1);
  await t.throwsAsync(ref.then(), { instanceOf: TaskError });
  t.is(marks.stats().puts, 1);
});

testInBoth('a task is run again after its retryDelay', async (t) => {
  const marks = createStore(t);
  const delayed = flaky.options({ retryErrors: true, retryDelay: '20ms' });
  const start = performance.now();
  t.is(await delayed.remote(marks.handle, 2), 2);
  t.true(performance.now() - start >= 39);
});

testInBoth('what is no retry option is refused', (t) => {
  for (const retries of [-1, 1.5, NaN, '3', null]) {
    t.throws(() => flaky.options({ retries: retries as never }), { message: /options\.retries/ });
  }
  for (const retryErrors of [1, 'Error', {}, [Object], [Error, 'x']]) {
    t.throws(() => flaky.options({ retryErrors: retryErrors as never }), {
      instanceOf: TypeError,
      message: /options\.retryErrors.*(boolean or an array of error classes|class of errors)/,
    });
  }
});

runInBoth();
