import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { init, shutdown, stats } from 'mobula';
import { chaosKinds } from '../support/chaos-tasks.js';
import { children, killChildren } from '../support/children.js';
import { Killer } from '../support/killer.js';
import { chooseSeed, Random } from '../support/random.js';
import { runtimeStore } from '../support/runtime.js';
import { sharedMemory, sharedMemorySince } from '../support/shared-memory.js';
import { until, untilCollected } from '../support/until.js';

const tasks = process.env.MOBULA_LONG_TESTS === undefined ? 5000 : 100_000;
/** Tasks of the driver at a time. */
const window = 200;

async function runTasks(random: Random): Promise<void> {
  let left = tasks;
  const runOneByOne = async () => {
    while (left-- > 0) await random.of(chaosKinds)(random);
  };
  await Promise.all(Array.from({ length: window }, runOneByOne));
}

test.serial(
  `chaos: ${tasks} tasks give each its one result though workers are killed, and nothing is left`,
  async (t) => {
    t.timeout(60 * 60_000);
    const seed = chooseSeed();
    t.log(`MOBULA_SEED=${seed}`);
    const before = sharedMemory();
    init({ workers: 2, isolation: 'process', memory: '256MiB' });
    t.teardown(() => shutdown());
    const random = new Random(seed);
    for (const kind of chaosKinds) await kind(random);

    {
      using killer = new Killer(new Random(seed + 1));
      await runTasks(random);
      t.log(`${killer.kills} kills, ${stats().tasks.retried} tasks run again`);
      t.true(killer.kills > 0);
    }

    t.like(stats().tasks, { queued: 0, failed: 0 });
    killChildren();
    using store = runtimeStore();
    await untilCollected('only declarations are left', () => {
      const { objects, pinnedObjects } = stats().store;
      return objects <= chaosKinds.length && pinnedObjects === 0;
    });
    t.deepEqual(store.check(), { ok: true, problems: [] });
    await shutdown();
    await turn();
    t.deepEqual(children(), []);
    await until('shared memory is as before', () => sharedMemorySince(before).length === 0);
  },
);
