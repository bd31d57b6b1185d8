import { get, put } from 'mobula';
import { Gate } from '../support/gate.js';
import {
  hoard,
  hoardAndMake,
  hoardAndMark,
  hoardAndSubmit,
  Hoarder,
  waste,
} from '../support/hoarding.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { createStore, MiB } from '../support/stores.js';
import { look, whereAmI } from '../support/tasks.js';
import { until } from '../support/until.js';

const limit = 128 * MiB;
const more = 160 * MiB;

type Place = Awaited<ReturnType<typeof hoard>>;

async function isThere(place: Place): Promise<boolean> {
  const { pid, threadId } = await whereAmI.remote();
  return pid === place.pid && threadId === place.threadId;
}

async function untilReplaced(place: Place): Promise<void> {
  await until('the worker is replaced', async () => !(await isThere(place)));
}

testInBoth('a worker with more memory than its limit is replaced', async (t) => {
  await untilReplaced(await hoard.remote(more));
  t.pass();
});

testInBoth('a worker that had its memory for a task only stays', async (t) => {
  const place = await whereAmI.remote();
  for (let i = 0; i < 5; i++) await waste.remote(more);
  t.true(await isThere(place));
});

testInBoth('what lies in the store does not count', async (t) => {
  const place = await whereAmI.remote();
  const array = put(new Float64Array(more / 8).fill(1));
  for (let i = 0; i < 5; i++) t.is((await look.remote(array)).sum, more / 8);
  t.true(await isThere(place));
});

testInBoth('tasks of workers that are replaced run once', async (t) => {
  const marks = createStore(t);
  const count = 20;
  const places = await get(
    Array.from({ length: count }, () => hoardAndMark.remote(limit / 4, marks.handle)),
  );
  t.true(new Set(places.map(({ pid, threadId }) => `${pid}/${threadId}`)).size > 1);
  t.is(marks.stats().objects, count);
});

testInBoth('a worker is not replaced while others need what it has submitted', async (t) => {
  const gate = new Gate(t);
  const { place, late } = await hoardAndSubmit.remote(more, gate.pass());
  await gate.arrived();
  gate.open();
  t.is(await late, 'late');
  await untilReplaced(place);
});

testInBoth('what a replaced worker has made stays', async (t) => {
  const { place, counter, kept } = await hoardAndMake.remote(more);
  await untilReplaced(place);
  t.is(await kept, 'kept');
  t.is(await counter.get(), 7);
});

testInBoth('hosts of actors are not replaced', async (t, isolation) => {
  using hoarder = Hoarder.options({ isolation }).remote();
  const place = await hoarder.hoard(more);
  for (let i = 0; i < 3; i++) t.deepEqual(await hoarder.hoard(1), place);
});

runInBoth({ workers: 1, memory: '1GiB', workerMemoryLimit: limit });
