import type { ExecutionContext } from 'ava';
import { free, get, getSync, put, wait, type ObjectRef } from 'mobula';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { add, awaitNested, echo, fail } from '../support/tasks.js';
import { untilCollected } from '../support/until.js';

/** The warnings of this process about unobserved failures, from now on. */
function warnings(t: ExecutionContext): string[] {
  const messages: string[] = [];
  const onWarning = (warning: Error & { code?: string }) => {
    if (warning.code === 'MOBULA_UNOBSERVED') messages.push(warning.message);
  };
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  return messages;
}

/** Leaves a failed ref behind. */
async function failUnseen(name: string): Promise<void> {
  fail.options({ name }).remote(`in ${name}`);
  // Answers of one worker come in the order of its tasks.
  for (let i = 0; i < 10; i++) await add.remote(1, 1);
}

testInBoth('a failure that nobody looks at is reported once, by task and message', async (t) => {
  const seen = warnings(t);
  await failUnseen('the unseen');
  await untilCollected('it is reported', () => seen.length > 0);
  t.regex(seen[0]!, /the unseen.*in the unseen/);
  await failUnseen('the next');
  await untilCollected('the next is reported', () => seen.length > 1);
  t.is(seen.filter((message) => message.includes('the unseen')).length, 1);
});

testInBoth('a failure that somebody looks at, in whatever way, is not reported', async (t) => {
  const seen = warnings(t);
  const looks: ((ref: ObjectRef) => unknown)[] = [
    (ref) => ref.then(null, () => undefined),
    (ref) => ref.catch(() => undefined),
    (ref) => ref.finally(() => undefined).catch(() => undefined),
    (ref) => get([ref]).catch(() => undefined),
    (ref) => t.throws(() => getSync(ref)),
    (ref) => wait([ref]),
    (ref) => echo.remote(ref).catch(() => undefined),
    (ref) => awaitNested.remote([ref]).catch(() => undefined),
    (ref) => put([ref]),
  ];
  for (const look of looks) {
    await look(fail.options({ name: 'looked at' }).remote('early'));
    const late = fail.options({ name: 'looked at' }).remote('late');
    await add.remote(1, 1);
    await look(late);
  }
  await failUnseen('the sentinel');
  await untilCollected('the sentinel is reported', () => seen.length > 0);
  t.true(
    seen.every((message) => message.includes('the sentinel')),
    seen.join('\n'),
  );
});

testInBoth('a dependent that nobody looks at is reported instead of what failed', async (t) => {
  const seen = warnings(t);
  const failed = fail.options({ name: 'the root' }).remote('no') as ObjectRef<number>;
  add.options({ name: 'the dependent' }).remote(failed, 1);
  await failed.catch(() => undefined);
  await untilCollected('the dependent is reported', () => seen.length > 0);
  t.is(seen.length, 1);
  t.regex(seen[0]!, /the dependent/);
});

testInBoth('a ref that was freed is not reported', async (t) => {
  const seen = warnings(t);
  free(add.options({ name: 'the freed' }).remote(1, 1));
  await failUnseen('the sentinel');
  await untilCollected('the sentinel is reported', () => seen.length > 0);
  t.true(
    seen.every((message) => message.includes('the sentinel')),
    seen.join('\n'),
  );
});

runInBoth();
