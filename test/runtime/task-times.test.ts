import { get, taskTimes } from 'mobula';
import { Gate } from '../support/gate.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { timesInTask } from '../support/scheduling.js';
import { add, fail, passGate } from '../support/tasks.js';
import { until } from '../support/until.js';

const workers = 2;
const msHeldUp = 20;
const nanosecondsHeldUp = msHeldUp * 1e6;

async function holdUp(): Promise<void> {
  const start = performance.now();
  await until('it was held up', () => performance.now() - start > msHeldUp);
}

testInBoth('each task that has ended counts once, failed ones too', async (t) => {
  const times = taskTimes()!;
  const before = times.run.count;
  await get(Array.from({ length: 500 }, (_, n) => add.remote(n, 1)));
  await t.throwsAsync(fail.remote('no luck').then());
  await until('all are counted', () => times.run.count - before >= 501);
  t.is(times.run.count - before, 501);
  t.is(times.wait.count, times.run.count);
});

testInBoth('what runs for long and what waits for long are told apart', async (t) => {
  const gate = new Gate(t);
  const times = taskTimes()!;
  times.run.reset();
  times.wait.reset();
  const running = Array.from({ length: workers }, (_, n) => passGate.remote(gate.pass(n), n));
  for (const n of running.keys()) await gate.arrived(n);
  const waiting = add.remote(1, 1);
  await holdUp();
  gate.open();
  await get([...running, waiting]);
  await until('all are counted', () => times.run.count > workers);
  t.true(times.run.percentile(50) >= nanosecondsHeldUp);
  t.true(times.run.min < times.run.max);
  t.true(times.wait.max >= nanosecondsHeldUp);
});

testInBoth('a worker has no histograms', async (t) => {
  t.is(await timesInTask.remote(), undefined);
});

runInBoth({ workers, trackTaskTimes: true });
