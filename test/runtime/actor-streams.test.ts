import test from 'ava';
import { cancel, init, shutdown, TaskCancelledError, TaskError, type ObjectRef } from 'mobula';
import { Producer, sumInTask } from '../support/calls.js';
import { testInEach } from '../support/in-each.js';
import { markId } from '../support/scheduling.js';
import { createStore } from '../support/stores.js';
import { refsOf } from '../support/streams.js';
import { until } from '../support/until.js';

test.before(() => {
  init({ workers: 2, memory: '128MiB' });
});
test.after.always(() => shutdown());

const upTo = (end: number) => Array.from({ length: end }, (_, n) => n);

testInEach('generator methods give streams, inherited and async ones too', async (t, isolation) => {
  const producer = Producer.options({ isolation }).remote();
  t.deepEqual(await Promise.all(await refsOf(producer.countTo(100))), upTo(100));
  t.deepEqual(await Promise.all(await refsOf(producer.countLaterTo(50))), upTo(50));
});

testInEach('whoever is given a handle gets streams as well', async (t, isolation) => {
  const producer = Producer.options({ isolation }).remote();
  t.is(await sumInTask.remote(producer, 40), (39 * 40) / 2);
});

testInEach('a generator method is no more than 16 items ahead', async (t, isolation) => {
  const marks = createStore(t);
  const producer = Producer.options({ isolation }).remote();
  const stream = producer.countMarkedNow(marks.handle, 1000);
  await until('it has used what it may', () => marks.stats().puts >= 16);
  for (let taken = 1; taken <= 40; taken++) {
    t.is(await (await stream.next()).value!, taken - 1);
    t.true(marks.stats().puts <= taken + 16 + 1);
  }
  await stream.return();
});

testInEach(
  'leaving a stream early ends the generator, and the next call comes after its finally',
  async (t, isolation) => {
    const producer = Producer.options({ isolation }).remote();
    for (const method of ['countMarked', 'countMarkedNow'] as const) {
      const marks = createStore(t);
      const stream = producer[method](marks.handle, 1000);
      const next = producer.divide(1, 1);
      t.is(await (await stream.next()).value!, 0);
      await stream.return();
      await next;
      t.true(marks.contains(markId('finally')));
      t.true(marks.stats().puts < 25);
    }
  },
);

testInEach('an error of a generator method fails the last ref', async (t, isolation) => {
  const producer = Producer.options({ isolation }).remote();
  const refs = await refsOf(producer.yieldThenThrow(2));
  t.is(refs.length, 3);
  t.is(await refs[1]!, 1);
  const error = await t.throwsAsync(refs[2]!.then(), { instanceOf: TaskError });
  t.true(error.cause instanceof RangeError);
  t.deepEqual(await producer.divide(7, 2), [3, 1]);
});

testInEach('a stream of an actor that is cancelled fails as its last ref', async (t, isolation) => {
  const marks = createStore(t);
  const producer = Producer.options({ isolation }).remote();
  const stream = producer.countMarked(marks.handle, 1000);
  t.is(await (await stream.next()).value!, 0);
  t.true(await cancel(stream));
  (await marks.wait(markId('finally'))).release();
  const rest = await refsOf(stream);
  await t.throwsAsync(rest.at(-1)!.then(), { instanceOf: TaskCancelledError });
});

testInEach('with returns a call gives one ref for each element', async (t, isolation) => {
  const producer = Producer.options({ isolation }).remote();
  for (const method of ['divide', 'divideLater'] as const) {
    const [quotient, remainder] = producer[method].options({ returns: 2 })(17, 5);
    t.deepEqual([await quotient, await remainder], [3, 2]);
  }
  const three = producer.divide.options({ returns: 3 })(1, 1) as unknown as ObjectRef[];
  await t.throwsAsync(three[0]!.then(), { message: /returned an array of 2/ });
});

test('returns is not for generator methods', (t) => {
  t.throws(() => Producer.remote().countTo.options({ returns: 2 }), { instanceOf: TypeError });
});
