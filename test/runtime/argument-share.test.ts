/** Arguments of running tasks pin a share of the store at most. */
import test, { type ExecutionContext } from 'ava';
import { get, init, put, shutdown, StoreFullError, type InitOptions } from 'mobula';
import { Gate } from '../support/gate.js';
import { isolations, type Isolation } from '../support/runtime.js';
import { spillPlace } from '../support/spilling.js';
import { until } from '../support/until.js';
import { echoAll, look, lookAtBoth, nothing, passGate } from '../support/tasks.js';

const mebibyte = 1024 * 1024;
const array = (mebibytes: number) => new Float64Array((mebibytes * mebibyte) / 8).fill(1);

async function start(t: ExecutionContext, isolation: Isolation, options: InitOptions = {}) {
  const spillDirectory = await spillPlace(t);
  init({ memory: 16 * mebibyte, workers: 5, isolation, spillDirectory, ...options });
}

test.afterEach.always(() => shutdown());

for (const isolation of isolations) {
  test.serial(
    `tasks run while their arguments fit the share, others wait [${isolation}]`,
    async (t) => {
      await start(t, isolation);
      const gate = new Gate(t);
      const visitors = [0, 1, 2, 3];
      const refs = visitors.map(() => put(array(3)));
      const results = visitors.map((n) => passGate.remote(gate.pass(n), refs[n]));
      const arrived = () => visitors.filter((n) => gate.hasArrived(n)).length;
      await until('two run', () => arrived() === 2);
      for (let n = 0; n < 10; n++) await nothing.remote();
      t.is(arrived(), 2);
      gate.open();
      t.is((await get(results)).length, 4);
    },
  );

  test.serial(`a task that waits for another lets it have its room [${isolation}]`, async (t) => {
    await start(t, isolation);
    const refs = [put(array(6)), put(array(6))] as const;
    t.is(await lookAtBoth.remote(refs[0], [refs[1]]), (12 * mebibyte) / 8);
  });
}

test.serial('one task may have more than the share', async (t) => {
  await start(t, 'thread', { argumentShare: 0.1 });
  const { sum } = await look.remote(put(array(12)));
  t.is(sum, (12 * mebibyte) / 8);
});

test.serial('arguments that the store can never hold are StoreFullError at once', async (t) => {
  await start(t, 'thread');
  const refs = [6, 6, 6].map((size) => put(array(size)));
  await t.throwsAsync(echoAll.remote(...refs).then(), {
    instanceOf: StoreFullError,
    message: /arguments of the task take \d+ bytes, and the store has 16777216/,
  });
});

for (const argumentShare of [0, -1, 1.1, NaN]) {
  test.serial(`a share of ${argumentShare} is refused`, (t) => {
    t.throws(() => init({ argumentShare }), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
  });
}
