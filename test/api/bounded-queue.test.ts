import test from 'ava';
import { getEventListeners } from 'node:events';
import { QueueEmptyError, QueueFullError } from 'mobula';
import type * as BoundedQueueModule from '../../lib/api/bounded-queue.js';
import type { Patience } from '../../lib/api/bounded-queue.js';
import { load } from '../support/internals.js';

const { BoundedQueue } = (await load('api/bounded-queue.js')) as typeof BoundedQueueModule;

function patience(timeout = Infinity, signal = new AbortController().signal): Patience {
  return { timeout, signal, isThere: () => true };
}

const polling = patience(0);
const full = { instanceOf: QueueFullError, code: 'MOBULA_QUEUE_FULL' };
const empty = { instanceOf: QueueEmptyError, code: 'MOBULA_QUEUE_EMPTY' };

/** What has been settled so far, in its order. */
async function orderOf(promises: Record<string, Promise<unknown>>): Promise<string[]> {
  const order: string[] = [];
  for (const [name, promise] of Object.entries(promises)) {
    void promise.then(
      () => order.push(name),
      () => order.push(`${name} failed`),
    );
  }
  await new Promise((resolve) => setImmediate(resolve));
  return order;
}

test('items come out in the order in which they were put', async (t) => {
  const queue = new BoundedQueue<number>(Infinity);
  for (let n = 0; n < 100; n++) void queue.put([n], patience());
  t.is(queue.size, 100);
  const items: number[] = [];
  for (let n = 0; n < 50; n++) items.push(...(await queue.get(1, polling)));
  for (let n = 100; n < 120; n++) void queue.put([n], patience());
  items.push(...(await queue.get(70, polling)));
  t.deepEqual(items, [...Array(120).keys()]);
  t.is(queue.size, 0);
});

test('polls of an empty and of a full queue fail at once', async (t) => {
  const queue = new BoundedQueue<number>(1);
  await t.throwsAsync(queue.get(1, polling), empty);
  await queue.put([1], polling);
  await t.throwsAsync(queue.put([2], polling), { ...full, message: /1 of 1/ });
  t.deepEqual(await queue.get(1, polling), [1]);
});

test('those who wait to get are served in the order in which they came', async (t) => {
  const queue = new BoundedQueue<number>(Infinity);
  const two = queue.get(2, patience());
  const one = queue.get(1, patience());
  await queue.put([1], patience());
  await t.throwsAsync(queue.get(1, polling), empty);
  t.is(queue.size, 1);
  await queue.put([2, 3], patience());
  t.deepEqual(await two, [1, 2]);
  t.deepEqual(await one, [3]);
});

test('those who wait to put are served in the order in which they came', async (t) => {
  const queue = new BoundedQueue<number>(2);
  await queue.put([1, 2], patience());
  const two = queue.put([3, 4], patience());
  const one = queue.put([5], patience());
  t.deepEqual(await queue.get(1, patience()), [1]);
  await t.throwsAsync(queue.put([6], polling), full);
  t.deepEqual(await orderOf({ two, one }), []);
  t.deepEqual(await queue.get(1, patience()), [2]);
  t.deepEqual(await orderOf({ two, one }), ['two']);
  t.deepEqual(await queue.get(2, patience()), [3, 4]);
  await one;
  t.deepEqual(await queue.get(1, patience()), [5]);
});

test('a batch is put as a whole', async (t) => {
  const queue = new BoundedQueue<number>(3);
  await queue.put([1], patience());
  const batch = queue.put([2, 3, 4], patience());
  t.is(queue.size, 1);
  t.deepEqual(await queue.get(1, patience()), [1]);
  await batch;
  t.is(queue.size, 3);
});

test('a batch that can never fit fails at once, and so does one that can never be got', async (t) => {
  const queue = new BoundedQueue<number>(2);
  await t.throwsAsync(queue.put([1, 2, 3], patience()), full);
  await t.throwsAsync(queue.get(3, patience()), empty);
  t.is(queue.size, 0);
});

test('whoever runs out of time leaves the line, and the next is served', async (t) => {
  const queue = new BoundedQueue<number>(2);
  const two = queue.get(2, patience(1));
  const one = queue.get(1, patience());
  await queue.put([1], patience());
  await t.throwsAsync(two, { ...empty, message: /2 items.* 1 ms/ });
  t.deepEqual(await one, [1]);

  await queue.put([2], patience());
  const batch = queue.put([3, 4], patience(1));
  const item = queue.put([5], patience());
  await t.throwsAsync(batch, full);
  await item;
  t.deepEqual(await queue.get(2, patience()), [2, 5]);
});

test('whoever is aborted leaves the line, and the next is served', async (t) => {
  const queue = new BoundedQueue<number>(Infinity);
  const abort = new AbortController();
  const reason = new Error('gone');
  const two = queue.get(2, patience(Infinity, abort.signal));
  const one = queue.get(1, patience());
  await queue.put([1], patience());
  abort.abort(reason);
  t.is(await t.throwsAsync(two), reason);
  t.deepEqual(await one, [1]);
});

test('whoever has gone is passed over', async (t) => {
  const queue = new BoundedQueue<number>(1);
  let isThere = true;
  const leaving = { ...patience(), isThere: () => isThere };
  const lost = queue.get(1, leaving);
  const next = queue.get(1, patience());
  isThere = false;
  await queue.put([1], patience());
  t.deepEqual(await next, [1]);

  isThere = true;
  await queue.put([2], patience());
  const lostPut = queue.put([3], leaving);
  const nextPut = queue.put([4], patience());
  isThere = false;
  t.deepEqual(await queue.get(1, patience()), [2]);
  await nextPut;
  t.deepEqual(await queue.get(1, patience()), [4]);
  t.deepEqual(await orderOf({ lost, lostPut }), []);
});

test('no listener stays on the signal of one who was served', async (t) => {
  const { signal } = new AbortController();
  const queue = new BoundedQueue<number>(1);
  const got = queue.get(1, patience(Infinity, signal));
  t.is(getEventListeners(signal, 'abort').length, 1);
  await queue.put([1], patience(Infinity, signal));
  await got;
  t.is(getEventListeners(signal, 'abort').length, 0);
});

test('an empty batch is put and got at once, unless others wait', async (t) => {
  const queue = new BoundedQueue<number>(1);
  await queue.put([], polling);
  t.deepEqual(await queue.get(0, polling), []);
  const waiting = queue.get(1, patience());
  await t.throwsAsync(queue.get(0, polling), empty);
  await queue.put([1], polling);
  await waiting;
});
